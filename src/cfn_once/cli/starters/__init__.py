"""What `cfn-once new` writes."""

from .project import STARTERS, files_of

__all__ = ["STARTERS", "files_of"]
