"""E9701 to E9734: the properties of a custom resource, compared with the schema of its class.

cfn-lint's own E3002 is swapped the schema: so its code finds what stands behind Ref, If,
FindInMap and dynamic references. No message repeats a value, for it may be secret.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from cfnlint.helpers import FUNCTIONS, is_function
from cfnlint.jsonschema import _keywords as keywords
from cfnlint.jsonschema import _keywords_cfn as cfn_keywords
from cfnlint.rules import CloudFormationLintRule

# The module, not its class: cfn-lint would register that a second time.
from cfnlint.rules.resources.properties import Properties as e3002  # noqa: N813 - a module

from .._cloudformation.canonical import kind_of
from .._described.outline import definitions_in, takes
from .._properties.suggestions import did_you_mean
from .catalogue import CATALOGUE
from .schemas import OF_CLASS, for_cfn_lint

PAGE = "https://github.com/cfn-once/cfn-once/blob/main/docs/lint.md"
OTHER_TYPE = "is not of type"  # of what cfn-lint says of a function, whose value nobody knows
Found = Iterator[Any]


class _Keyword(CloudFormationLintRule):  # type: ignore[misc] # cfn-lint has no types
    """Says in our words what a keyword of the schema finds."""

    source_url = PAGE
    tags = ("resources", "cfn-once")

    def expected(
        self, keyword: Callable[..., Found], validator: Any, value: Any, instance: Any, schema: Any
    ) -> Found:
        """Yield what a keyword finds: where, what is expected there, and by which way it came."""
        root = validator.resolver.referrer
        for found in keyword(validator, value, instance, schema) or ():
            if getattr(found, "unknown", False) or not _is_ours(validator):
                yield found
                continue
            words = takes(schema, definitions_in(root))
            message = f"{_place(validator)}: expected {words}{self.instead(instance)}"
            yield _as_ours(found, self, message + _way(validator))

    def instead(self, instance: Any) -> str:
        """Say what was found; nothing where its kind is no news."""
        del instance
        return ""


def _is_ours(validator: Any) -> bool:
    """Tell whether a class is compared, and not the arguments of a function."""
    return bool(validator.resolver.referrer.get("$comment") == OF_CLASS)


def _as_ours(found: Any, rule: Any, message: str) -> Any:
    """Mark what is found as ours: cfn-lint gives what a function comes to to other rules."""
    found.ours, found.context = (rule, message), []
    return found


def _place(validator: Any) -> str:
    """Return the name of the property that is looked at."""
    path = list(validator.context.path.path)
    inside = path[path.index("Properties") + 1 :] if "Properties" in path else path
    return _spelled(inside) or "Properties"


def _spelled(path: Iterable[Any]) -> str:
    """Spell a path as in Tags[0].Key, without the functions on the way."""
    steps, before = "", ""
    for step in path:
        is_of_function = isinstance(step, int) and before.startswith("Fn::")
        before = str(step)
        if not (is_of_function or before == "Ref" or before.startswith("Fn::")):
            steps += f"[{step}]" if isinstance(step, int) else f".{step}"
    return steps.lstrip(".")


def _way(validator: Any) -> str:
    """Say that a value comes from a parameter or a mapping."""
    way = list(validator.context.path.value_path)
    if way[:1] == ["Parameters"]:
        return f"; it comes from parameter {way[1]}" + "".join(f", {part}" for part in way[2:3])
    return f"; it comes from mapping {way[1]}" if way[:1] == ["Mappings"] else ""


class PropertyRequired(_Keyword):
    """A property that the class declares without a default is given."""

    id = "E9703"
    shortdesc = "A custom resource has each property that its class requires"
    description = "A property without a default must be given: the hook would not run"

    def required(self, validator: Any, names: Any, instance: Any, schema: Any) -> Found:
        """Yield a line for each name that is missing."""
        place = _place(validator)
        prefix = "" if place == "Properties" else f"{place}."
        for found, name in zip(
            keywords.required(validator, names, instance, schema),
            [name for name in names if isinstance(instance, dict) and name not in instance],
            strict=False,
        ):
            is_ours = _is_ours(validator)
            yield _as_ours(found, self, f"{prefix}{name}: missing") if is_ours else found


class PropertyType(_Keyword):
    """A property has the kind that the class declares."""

    id = "E9712"
    shortdesc = "A property of a custom resource has the type that its class declares"
    description = "CloudFormation sends all scalars as text, which the class's type must read"

    def type(self, validator: Any, kinds: Any, instance: Any, schema: Any) -> Found:
        """Yield a value of another kind."""
        loose = validator.evolve(context=validator.context.evolve(strict_types=False))
        yield from self.expected(cfn_keywords.cfn_type, loose, kinds, instance, schema)

    def anyOf(self, validator: Any, kinds: Any, instance: Any, schema: Any) -> Found:  # noqa: N802 - cfn-lint's
        """Yield a value that none of several kinds takes."""
        yield from self.expected(keywords.anyOf, validator, kinds, instance, schema)

    def instead(self, instance: Any) -> str:
        """Say what was found."""
        return f", found {kind_of(instance)}"


class PropertyChoice(_Keyword):
    """A property is one of the values that the class lets choose."""

    id = "E9730"
    shortdesc = "A property of a custom resource is one of the values that its class takes"
    description = "The members of an Enum or a Literal are the only values"

    def enum(self, validator: Any, options: Any, instance: Any, schema: Any) -> Found:
        """Yield a value that is none of the choices, which are texts."""
        if isinstance(instance, bool):
            instance = str(instance).lower()
        elif isinstance(instance, int | float):
            instance = str(instance)
        if isinstance(instance, str):
            yield from self.expected(keywords.enum, validator, options, instance, schema)


def _checked(keyword: str) -> Any:
    """Return a rule's method for a keyword of JSON Schema; cfn-lint finds it by the name."""

    def check(self: _Keyword, validator: Any, limit: Any, instance: Any, schema: Any) -> Found:
        yield from self.expected(getattr(keywords, keyword), validator, limit, instance, schema)

    return check


class PropertyPattern(_Keyword):
    """A property matches the pattern, and has the length, that the class declares."""

    id = "E9731"
    shortdesc = "A property of a custom resource has the pattern and length that its class declares"
    description = "Patterns of texts, lengths of texts and lists"

    pattern = _checked("pattern")
    minLength = _checked("minLength")  # noqa: N815 - JSON Schema's name
    maxLength = _checked("maxLength")  # noqa: N815 - JSON Schema's name
    minItems = _checked("minItems")  # noqa: N815 - JSON Schema's name
    maxItems = _checked("maxItems")  # noqa: N815 - JSON Schema's name


class PropertyRange(_Keyword):
    """A number is in the range that the class declares."""

    id = "E9734"
    shortdesc = "A number in a custom resource is in the range that its class declares"
    description = "The least and the greatest value, and multiples"

    minimum = _checked("minimum")
    maximum = _checked("maximum")
    exclusiveMinimum = _checked("exclusiveMinimum")  # noqa: N815 - JSON Schema's name
    exclusiveMaximum = _checked("exclusiveMaximum")  # noqa: N815 - JSON Schema's name

    def multipleOf(self, validator: Any, factor: Any, instance: Any, schema: Any) -> Found:  # noqa: N802 - JSON Schema's
        """Yield a number that is no multiple."""
        if isinstance(instance, str):
            try:
                instance = float(instance)
            except ValueError:  # another rule's
                return
        yield from self.expected(keywords.multipleOf, validator, factor, instance, schema)


_IDS = {
    keyword: rule.id
    for rule in (PropertyRequired, PropertyType, PropertyChoice, PropertyPattern, PropertyRange)
    for keyword in vars(rule)
    if hasattr(keywords, keyword)
}


class PropertyName(e3002.Properties):  # type: ignore[misc] # cfn-lint has no types
    """A property is one that the class declares; with it all rules of properties begin."""

    id = "E9701"
    shortdesc = "A property of a custom resource is one that its class declares"
    description = "Compares a custom resource with the class of its provider"
    source_url = PAGE
    tags = ("resources", "cfn-once")

    def __init__(self) -> None:
        super().__init__()
        self.rule_set = {"additionalProperties": self.id, "properties": self.id, **_IDS}
        self.child_rules = dict.fromkeys(self.rule_set.values())
        self.config_definition = {
            "providers": {"default": [], "type": "list", "itemtype": "string"}
        }
        self.configure()

    def initialize(self, cfn: Any) -> None:
        """Read the providers before any rule looks at the template."""
        CATALOGUE.load(self.config["providers"])
        super().initialize(cfn)

    def validate(self, validator: Any, _: Any, instance: Any, schema: Any) -> Found:
        """Yield what of one resource does not fit its class."""
        del schema
        kind = instance.get("Type") if isinstance(instance, dict) else None
        if not isinstance(kind, str) or kind not in CATALOGUE.types:
            return
        properties = instance.get("Properties", {})
        if not isinstance(properties, dict) or is_function(properties)[0]:
            return
        ours = for_cfn_lint(CATALOGUE.types[kind].properties)
        beside = _beside(validator, kind, instance.get("Condition"))
        prepared = self.extend_validator(beside, ours, beside.context.evolve())
        for found in self._unlike(self._validate(prepared, properties), ours["definitions"]):
            if "Properties" in instance:
                found.path.appendleft("Properties")
            yield found

    def _unlike(self, everything: Found, definitions: Any) -> Found:
        """Yield what is ours of all that is found, once; of a function only what no other says."""
        seen: list[tuple[list[Any], str]] = []
        for found in everything:
            is_ours = hasattr(found, "ours")
            rule, message = found.ours if is_ours else self._of_function(found, definitions)
            problem = (list(found.path), message)
            if message and problem not in seen and (is_ours or not _any_at(problem, seen)):
                found.rule, found.message = rule, message
                seen.append(problem)
                yield found

    def additionalProperties(  # noqa: N802 - cfn-lint's
        self, validator: Any, allowed: Any, instance: Any, schema: Any
    ) -> Found:
        """Yield a name that the class does not declare."""
        place = _place(validator)
        prefix = "" if place == "Properties" else f"{place}."
        for found in cfn_keywords.additionalProperties(validator, allowed, instance, schema):
            if _is_ours(validator) and not hasattr(found, "ours") and not isinstance(allowed, dict):
                name, known = str(found.path[-1]), schema.get("properties", {})
                _as_ours(found, self, f"{prefix}{name}: unknown{did_you_mean(name, known)}")
            yield found

    def _of_function(self, found: Any, definitions: Any) -> tuple[Any, str]:
        """Say that a function gives another type; the rest of it cfn-lint's own rules tell."""
        function = str(found.validator)
        is_of_function = function == "ref" or function.startswith("fn_")
        wanted = found.validator_value  # the schema that what the function gives is to fit
        if not (is_of_function and isinstance(wanted, dict) and OTHER_TYPE in found.message):
            return None, ""
        words = takes(wanted, definitions)
        message = f"{_spelled(found.path)}: expected {words}, and the function gives another type"
        return self.child_rules[PropertyType.id], message


def _any_at(problem: tuple[list[Any], str], seen: list[tuple[list[Any], str]]) -> bool:
    """Tell whether a better message has said that something at this place is wrong."""
    return any(path[: len(problem[0])] == problem[0] for path, _ in seen)


def _beside(validator: Any, kind: str, condition: Any) -> Any:
    """Return a validator for the properties of a resource, as E3002 makes one."""
    holds = {condition: True} if isinstance(condition, str) else {}
    at = validator.context.path.evolve(cfn_path=deque(["Resources", kind, "Properties"]))
    return validator.evolve(
        context=validator.context.evolve(
            functions=list(FUNCTIONS),
            strict_types=False,
            conditions=validator.context.conditions.evolve(holds),
            path=at.descend(path="Properties"),
        ),
        function_filter=validator.function_filter.evolve(add_cfn_lint_keyword=False),
    )
