"""E9790: Fn::GetAtt and Fn::Sub ask for attributes that a class declares."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cfnlint.rules import CloudFormationLintRule, RuleMatch

from .._described.outline import attribute_names
from .._properties.suggestions import did_you_mean
from .catalogue import CATALOGUE
from .properties import PAGE

IN_TEXT = re.compile(r"\$\{\s*([A-Za-z0-9]+)\.([A-Za-z0-9_.-]+)\s*\}")  # not ${!Literal}


class AttributeExists(CloudFormationLintRule):  # type: ignore[misc] # cfn-lint has no types
    """An attribute that is asked for is one that the class declares."""

    id = "E9790"
    shortdesc = "Fn::GetAtt and Fn::Sub ask for attributes that the class declares"
    description = "CloudFormation fails the stack if the response has no such attribute"
    source_url = PAGE
    tags = ("functions", "cfn-once")

    def match(self, cfn: Any) -> Iterator[Any]:
        """Yield each place that asks for an attribute that is not there."""
        types = {
            name: resource["Type"]
            for name, resource in cfn.get_resources().items()
            if isinstance(resource, dict) and resource.get("Type") in CATALOGUE.types
        }
        for *path, value in cfn.search_deep_keys("Fn::GetAtt"):
            asked = value if isinstance(value, list) else str(value).split(".", 1)
            if len(asked) == 2:
                yield from _judged(types, asked[0], asked[1], path)
        for *path, value in cfn.search_deep_keys("Fn::Sub"):
            text, given = (value, {}) if isinstance(value, str) else _parts(value)
            for name, attribute in IN_TEXT.findall(text):
                if f"{name}.{attribute}" not in given:
                    yield from _judged(types, name, attribute, path)


def _parts(value: Any) -> tuple[str, Mapping[str, Any]]:
    """Return the text of a Fn::Sub, and the variables that are given with it."""
    if isinstance(value, list) and len(value) == 2 and isinstance(value[1], dict):
        return str(value[0]), value[1]
    return "", {}  # cfn-lint tells


def _judged(types: Mapping[str, str], name: Any, attribute: Any, path: Any) -> Iterator[Any]:
    if not (isinstance(name, str) and isinstance(attribute, str) and name in types):
        return
    kind = types[name]
    known, beginnings = attribute_names(CATALOGUE.types[kind].attributes)
    if attribute in known or attribute.startswith(beginnings):
        return
    has = f"it has {', '.join(sorted(known))}" if known else "it has none"
    hint = did_you_mean(attribute, known) or f"; {has}"
    yield RuleMatch(path, f"{kind} has no attribute {attribute}{hint}")
