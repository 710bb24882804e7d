"""From CloudFormation's text to declared types, name by name, and what a class declares."""

from .fields import Secret
from .shape import Shape

__all__ = ["Secret", "Shape"]
