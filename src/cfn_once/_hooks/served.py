"""What a provider serves, and what it says of the rest."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from .._cloudformation.request import Request, RequestType
from .resource import CustomResource

Resource = CustomResource[Any, Any]


class Served(NamedTuple):
    """What a provider serves.

    Attributes:
        classes: The served classes by type.
        keeps_secrets: The ledger may hold answers marked NoEcho.
        unable: Why no class can serve the request, whatever its type.
    """

    classes: Mapping[str, type[Resource]]
    keeps_secrets: bool = False
    unable: str = ""

    def unable_to_serve(self, request: Request) -> str:
        """Return why no class can serve a request; nothing where one can."""
        if self.unable:
            return self.unable
        if request.resource_type in self.classes:
            return ""
        serves, kind = ", ".join(sorted(self.classes)), request.resource_type
        if request.type is RequestType.DELETE:
            gone = f"{kind} is served no more: deploy the version of the provider that made it;"
            return f"{gone} this one serves {serves}"
        return f"this provider serves {serves}, not {kind}"
