"""E9700, W9792, W9793, I9794: the providers, and what a template says of a whole resource."""

from collections.abc import Iterator
from typing import Any

from cfnlint.helpers import is_function
from cfnlint.jsonschema import ValidationError
from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.rules.jsonschema.CfnLintKeyword import CfnLintKeyword as _CfnLintKeyword

from .._cloudformation.request import SERVICE_TIMEOUT
from .._properties.suggestions import did_you_mean_type
from .catalogue import CATALOGUE
from .properties import PAGE

PREFIX = "Custom::"
LAMBDA_TIMEOUT = 3  # seconds, where a template says none; Template Reference, AWS::Lambda::Function
FUNCTIONS = ("AWS::Lambda::Function", "AWS::Serverless::Function")


class ProviderIsReadable(CloudFormationLintRule):  # type: ignore[misc] # cfn-lint has no types
    """The providers that the configuration names can be read."""

    id = "E9700"
    shortdesc = "The providers that custom resources are compared with can be read"
    description = "Without its class a custom resource is compared with nothing"
    source_url = PAGE
    tags = ("cfn-once",)

    def match(self, cfn: Any) -> Iterator[Any]:
        """Yield each provider that could not be read."""
        del cfn
        yield from (RuleMatch(["Resources"], problem) for problem in CATALOGUE.problems)


class TypeIsServed(CloudFormationLintRule):  # type: ignore[misc] # cfn-lint has no types
    """The type of a custom resource is one that a provider serves."""

    id = "W9792"
    shortdesc = "The type of a custom resource is one that its provider serves"
    description = "A type that is almost one that is served was probably mistyped"
    source_url = PAGE
    tags = ("resources", "cfn-once")

    def __init__(self) -> None:
        super().__init__()
        self.config_definition = {"every_type": {"default": False, "type": "boolean"}}
        self.configure()

    def match(self, cfn: Any) -> Iterator[Any]:
        """Yield each type that nobody serves: near ones, or all where every_type is set."""
        if not CATALOGUE.types:
            return
        for name, resource in cfn.get_resources().items():
            kind = resource.get("Type")
            if isinstance(kind, str) and kind.startswith(PREFIX) and kind not in CATALOGUE.types:
                hint = did_you_mean_type(kind, CATALOGUE.types)
                if hint or self.config["every_type"]:
                    yield RuleMatch(["Resources", name, "Type"], f"no provider serves {kind}{hint}")


class ServiceTimeoutFits(_CfnLintKeyword):  # type: ignore[misc] # cfn-lint has no types
    """CloudFormation waits for as long as it can, and as the function needs."""

    id = "W9793"
    shortdesc = "A ServiceTimeout is in CloudFormation's range, and no shorter than the function's"
    description = "CloudFormation gives up after it, whether the function is at work or not"
    source_url = PAGE
    tags = ("resources", "cfn-once")

    def __init__(self) -> None:
        super().__init__(keywords=["Resources/*"])

    def validate(self, validator: Any, _: Any, instance: Any, schema: Any) -> Iterator[Any]:
        """Yield a timeout of a type that a provider serves."""
        del schema
        properties = instance.get("Properties") if isinstance(instance, dict) else None
        if not isinstance(properties, dict) or instance.get("Type") not in CATALOGUE.types:
            return
        if "ServiceTimeout" not in properties:
            return
        yielded: set[str] = set()
        for seconds in _numbers(validator, properties["ServiceTimeout"]):
            why = _unfit(seconds, _timeouts(validator, properties.get("ServiceToken")))
            if why and why not in yielded:
                yielded.add(why)
                yield ValidationError(why, path=["Properties", "ServiceTimeout"], rule=self)


def _unfit(seconds: float, timeouts: list[float]) -> str:
    if not 1 <= seconds <= SERVICE_TIMEOUT:
        return f"ServiceTimeout: CloudFormation takes 1 to {SERVICE_TIMEOUT} seconds"
    if any(seconds < timeout for timeout in timeouts):
        return (
            f"ServiceTimeout: CloudFormation gives up after {seconds:g} seconds, and the function"
            f" may work for {max(timeouts):g}: raise it above the function's Timeout"
        )
    return ""


def _numbers(validator: Any, value: Any) -> list[float]:
    """Return the numbers that a value of the template may come to; none where nobody knows."""
    found: list[float] = []
    for resolved, _, problem in validator.resolve_value(value):
        try:
            found.extend([] if problem or isinstance(resolved, bool) else [float(resolved)])
        except (TypeError, ValueError):  # another rule's
            continue
    return found


def _timeouts(validator: Any, token: Any) -> list[float]:
    """Return the Timeouts of the function in the same template that a ServiceToken names."""
    function, given = is_function(token)
    if function != "Fn::GetAtt":
        return []
    name = given[0] if isinstance(given, list) else str(given).split(".", 1)[0]
    template = validator.cfn.template
    resource = template.get("Resources", {}).get(name, {})
    if resource.get("Type") not in FUNCTIONS:
        return []
    usual = LAMBDA_TIMEOUT
    if resource["Type"] == FUNCTIONS[1]:
        usual = template.get("Globals", {}).get("Function", {}).get("Timeout", usual)
    return _numbers(validator, resource.get("Properties", {}).get("Timeout", usual))


class ReplacementNote(CloudFormationLintRule):  # type: ignore[misc] # cfn-lint has no types
    """A change of a property replaces the resource: a note, for who asks for notes."""

    id = "I9794"
    shortdesc = "A change of this property replaces the custom resource"
    description = "Its class names it in replace_on: the new resource has another physical id"
    source_url = PAGE
    tags = ("resources", "cfn-once")

    def match(self, cfn: Any) -> Iterator[Any]:
        """Yield each property whose change replaces its resource."""
        for name, resource in cfn.get_resources().items():
            kind, properties = resource.get("Type"), resource.get("Properties")
            if not (isinstance(properties, dict) and kind in CATALOGUE.types):
                continue
            for given in properties:
                if given in CATALOGUE.types[kind].replace_on:
                    yield RuleMatch(
                        ["Resources", name, "Properties", given],
                        f"{given}: a change of it replaces {name}, under another physical id",
                    )
