"""From CloudFormation's text to declared types, name by name, and what a class declares."""

from .fields import Secret, names_of
from .forms import Json
from .shape import Misfit, Shape

__all__ = ["Json", "Misfit", "Secret", "Shape", "names_of"]
