"""JSON out of CloudFormation's text, where nothing says which scalar is which: by its form."""

import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin

_BOOLEANS = {"true": True, "false": False}
# A number as JSON writes it, which no leading zero is a part of; an account's 007... stays text.
_NUMBER = re.compile(r"-?(?P<whole>0|[1-9][0-9]*)(?P<part>\.[0-9]+)?(?P<power>[eE][+-]?[0-9]+)?")
MOST_DIGITS = 17  # that a float tells apart; IEEE 754
LONGEST_INTEGER = 100  # digits


class ByForm:
    """Marks a value whose scalars are converted by their form."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema  # loaded already: a model of pydantic's asks

        return core_schema.no_info_before_validator_function(by_form, handler(source))


Json = Annotated[Any, ByForm()]
"""A value of any kind, at any depth, whose scalars are converted by their form.

`true` and `false` become booleans, and what JSON writes as a number becomes one. The rest stays
text. Declare `str` for what only looks like a number: a version such as 1.10.
"""


def is_by_form(hint: Any) -> bool:
    """Tell whether a hint is Json, or another name of it."""
    if get_origin(hint) is not Annotated:
        return False
    inner, *marks = get_args(hint)
    return is_by_form(inner) or any(isinstance(mark, ByForm) for mark in marks)


def by_form(value: Any) -> Any:
    """Return a value with each scalar in it converted by its form."""
    if isinstance(value, Mapping):
        return {name: by_form(member) for name, member in value.items()}
    if isinstance(value, list):
        return [by_form(member) for member in value]
    return _scalar(value) if isinstance(value, str) else value


def _scalar(text: str) -> Any:
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    found = _NUMBER.fullmatch(text)
    if found is None:
        return text
    if not found["part"] and not found["power"]:
        return int(text) if len(text) <= LONGEST_INTEGER else text
    return _float(found)


def _float(found: re.Match[str]) -> Any:
    """Return a number with a point or a power, if a float can hold it; else its text."""
    text = found[0]
    digits = (found["whole"] + (found["part"] or "")[1:]).strip("0")
    number = float(text)
    if len(digits) > MOST_DIGITS or not math.isfinite(number):
        return text
    # CloudFormation writes large integers so: 87000000 as 8.7E7.
    return int(number) if found["power"] and number.is_integer() else number
