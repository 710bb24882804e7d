"""W9791: a secret property is given in a way that hides it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cfnlint.helpers import is_function
from cfnlint.rules import CloudFormationLintRule, RuleMatch

from .._cloudformation.canonical import Json
from .._described.outline import definitions_in, followed, is_secret
from .catalogue import CATALOGUE
from .properties import PAGE
from .schemas import part_of

Path = list[Any]
HIDE = "give a dynamic reference, {{resolve:secretsmanager:...}}, or a parameter with NoEcho"
VARIABLE = re.compile(r"\$\{\s*([^!}][^}]*?)\s*\}")


class SecretIsHidden(CloudFormationLintRule):  # type: ignore[misc] # cfn-lint has no types
    """A secret does not stand in the template, nor in a parameter that everybody can read."""

    id = "W9791"
    shortdesc = "A secret property comes from a dynamic reference or a parameter with NoEcho"
    description = "Who may read the stack reads its template, and its parameters without NoEcho"
    source_url = PAGE
    tags = ("resources", "secrets", "cfn-once")

    def match(self, cfn: Any) -> Iterator[Any]:
        """Yield each secret that is in the open."""
        way = _Openness(cfn.template.get("Parameters", {}))
        for name, resource in cfn.get_resources().items():
            kind = resource.get("Type")
            if not isinstance(kind, str) or kind not in CATALOGUE.types:
                continue
            schema = CATALOGUE.types[kind].properties
            start = ["Resources", name, "Properties"]
            for path, value in _secrets(
                resource.get("Properties"), schema, definitions_in(schema), start
            ):
                for place, why in way.of(value, path):
                    yield RuleMatch(place, f"{_named(path)} is secret, and {why}: {HIDE}")


def _named(path: Path) -> str:
    return next((str(step) for step in reversed(path) if isinstance(step, str)), "it")


def _secrets(
    value: Any, node: Json, definitions: Mapping[str, Json], path: Path
) -> Iterator[tuple[Path, Any]]:
    """Yield each value of a template that is declared secret."""
    node = followed(node, definitions)
    function, branches = is_function(value)
    if function == "Fn::If" and isinstance(branches, list):
        for place, branch in enumerate(branches[1:], 1):
            yield from _secrets(branch, node, definitions, [*path, function, place])
    elif is_secret(node, definitions):
        yield path, value
    elif isinstance(value, dict) and function is None:
        for name, part in value.items():
            yield from _secrets(part, part_of(node, name, definitions), definitions, [*path, name])
    elif isinstance(value, list):
        for place, part in enumerate(value):
            under = part_of(node, place, definitions)
            yield from _secrets(part, under, definitions, [*path, place])


class _Openness:
    """Tells what of a value everybody can read who may read the stack."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self._parameters = parameters

    def of(self, value: Any, path: Path) -> Iterator[tuple[Path, str]]:
        """Yield where a value is in the open, and why."""
        function, given = is_function(value)
        if function == "Fn::Base64":
            yield from self.of(given, [*path, function])
        elif why := self._why(function, given, value):
            yield path, why

    def _why(self, function: str | None, given: Any, value: Any) -> str:
        """Say why a value is in the open; nothing where it is not."""
        parts = list(_texts(given)) if function in ("Fn::Sub", "Fn::Join") else []
        if parts and all(self._is_known(part) for part in parts):
            return "is put together from what stands in the open"
        if function == "Ref" and self._is_open(given):
            return f"parameter {given} lacks NoEcho"
        if function == "Fn::FindInMap":
            return "stands in the template's Mappings"
        is_text = function is None and _is_clear(value)
        return "stands in the template as text" if is_text else ""

    def _is_open(self, name: Any) -> bool:
        parameter = self._parameters.get(name) if isinstance(name, str) else None
        return isinstance(parameter, dict) and str(parameter.get("NoEcho")).lower() != "true"

    def _is_known(self, part: Any) -> bool:
        """Tell whether a part of a text is in the open; of pseudo parameters everything is."""
        function, given = is_function(part)
        if function == "Ref":
            return str(given).startswith("AWS::") or self._is_open(given)
        return function is None and (not isinstance(part, str) or "{{resolve:" not in part)


def _is_clear(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value) and "{{resolve:" not in value
    return isinstance(value, int | float)


def _texts(given: Any) -> Iterator[Any]:
    """Yield what a Fn::Sub or a Fn::Join puts together."""
    if isinstance(given, list) and len(given) == 2 and isinstance(given[1], list):
        yield from given[1]
        return
    text, variables = (given, {}) if isinstance(given, str) else ("", {})
    if isinstance(given, list) and len(given) == 2 and isinstance(given[1], dict):
        text, variables = str(given[0]), given[1]
    yield text
    for name in VARIABLE.findall(text):
        known = {"Fn::GetAtt": name.split(".")} if "." in name else {"Ref": name}
        yield variables.get(name, known)
