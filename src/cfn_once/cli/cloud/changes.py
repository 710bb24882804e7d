"""What a change set changes, in words: never a value, since one may be a secret."""

from collections.abc import Iterator, Mapping
from typing import Any

MARKS = {"Add": "+", "Modify": "~", "Remove": "-", "Import": "<", "Dynamic": "?"}
REPLACED = {"True": ", replaced", "Conditional": ", perhaps replaced"}
# What becomes of the old one. Source: API Reference, "ResourceChange", PolicyAction.
OLD = {
    "ReplaceAndRetain": "the old one stays",
    "ReplaceAndSnapshot": "the old one is deleted after a snapshot",
}
GENERAL_TYPE = "AWS::CloudFormation::CustomResource"


def lines_of(change: Mapping[str, Any]) -> Iterator[str]:
    """Yield what happens to one resource, and why a new one may take its place."""
    resource = change["ResourceChange"]
    kind, mark = resource["ResourceType"], MARKS.get(resource["Action"], "?")
    is_custom = kind == GENERAL_TYPE or kind.startswith("Custom::")
    # Of a custom resource CloudFormation cannot know: the id in the response decides.
    note = "" if is_custom else REPLACED.get(resource.get("Replacement", ""), "")
    yield f"  {mark} {resource['LogicalResourceId']:<24} {kind}{note}"
    if resource["Action"] == "Modify" and (is_custom or note):
        outcome = _outcome(resource, is_custom=is_custom)
        yield f"      {outcome}{_causes(resource, is_custom=is_custom)}"


def _outcome(resource: Mapping[str, Any], *, is_custom: bool) -> str:
    if is_custom:
        return "its provider updates it, or makes a new one (replace_on)"
    if resource["Replacement"] == "Conditional":
        return "CloudFormation finds out during the update whether a new one is made"
    old = OLD.get(resource.get("PolicyAction", ""), "the old one is deleted")
    return f"a new one is made, and then {old}"


def _causes(resource: Mapping[str, Any], *, is_custom: bool) -> str:
    """Return the properties whose change asks for it, each with what they follow."""
    causes: dict[str, set[str]] = {}
    for detail in resource.get("Details", []):
        target = detail.get("Target", {})
        needs = target.get("RequiresRecreation", "Never")
        if target.get("Attribute") == "Properties" and (is_custom or needs != "Never"):
            entity = detail.get("CausingEntity")
            causes.setdefault(str(target.get("Name")), set()).update([entity] if entity else [])
    words = [
        f"{name} follows {', '.join(sorted(entities))}" if entities else f"{name} changes"
        for name, entities in causes.items()
    ]
    return f": {'; '.join(words)}" if words else ""
