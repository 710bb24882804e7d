"""cfn-lint rules for custom resources, from their classes: `append_rules: [cfn_once.lint]`.

cfn-lint makes a rule of each class that it finds here. It has to be installed: `cfn-once[lint]`.
"""

from .attributes import AttributeExists
from .properties import (
    PropertyChoice,
    PropertyName,
    PropertyPattern,
    PropertyRange,
    PropertyRequired,
    PropertyType,
)
from .resources import (
    ProviderIsReadable,
    ReplacementNote,
    ServiceTimeoutFits,
    TypeIsServed,
)
from .secrets import SecretIsHidden

__all__ = [
    "AttributeExists",
    "PropertyChoice",
    "PropertyName",
    "PropertyPattern",
    "PropertyRange",
    "PropertyRequired",
    "PropertyType",
    "ProviderIsReadable",
    "ReplacementNote",
    "SecretIsHidden",
    "ServiceTimeoutFits",
    "TypeIsServed",
]
