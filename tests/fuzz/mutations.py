"""Events, with things done to them: what is missing, of another kind, too long or too deep."""

import random
from collections.abc import Callable, Iterator
from typing import Any

LONG = "ü" * 1500
ODD: list[Callable[[random.Random], Any]] = [
    lambda chance: None,
    lambda chance: chance.choice((True, False, 0, -1, 3, 2**63, -(2**70))),
    lambda chance: chance.choice((0.5, 1e308, float("nan"), float("inf"), -0.0)),
    lambda chance: chance.choice(
        ("", " ", "null", "0", "-1", "1e9", "true", "\x00", "\ud800", "é")
    ),
    lambda chance: chance.choice(("x" * 200, LONG, "\u202e" * 30, "\U0001f600" * 300, "\\" * 60)),
    lambda chance: chance.choice(([], {}, [[]], {"": ""}, [None], {"a": {"b": ["c"]}})),
    lambda chance: deep(chance.choice((20, 99, 101, 150))),
    lambda chance: f"cfn-once.{chance.choice(('none', 'never', 'x'))}.{chance.choice(IDS)}",
    lambda chance: chance.choice(("shop-Group-1A2B3C4D5E6F", "shop-Group-1A2B3C4D5E6F7")),
    lambda chance: chance.choice(OTHERS),
    lambda chance: chance.choice(("Create", "Update", "Delete", "create", "Custom::elastigroup")),
]
IDS = ("abc", "a" * 26 + "." + "b" * 12 + ".1800000000", "..", "a.b.c.d", "\x00")
OTHERS = ("AWSCDK::CustomResourceProviderFramework::CREATE_FAILED", "FAILED")
NAMES = ("RequestType", "requestId", "Records", "CfnOnceDue", "Sns", "body", "", "é", "x" * 300)


def deep(levels: int) -> Any:
    """Return lists and maps in one another."""
    value: Any = "x"
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def mutated(value: Any, chance: random.Random, fixed: frozenset[str] = frozenset()) -> Any:
    """Return a copy with a few things done to it; what is under a fixed name keeps its text."""
    value = _copied(value)
    for _ in range(chance.choice((1, 1, 2, 3, 5))):
        places = list(_places(value, fixed))
        if not places:
            return _odd(chance)
        holder, key = chance.choice(places)
        chance.choice(WAYS)(holder, key, chance)
    return value


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(part) for name, part in value.items()}
    return [_copied(part) for part in value] if isinstance(value, list) else value


def _places(value: Any, fixed: frozenset[str], levels: int = 6) -> Iterator[tuple[Any, Any]]:
    if levels and isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            if key not in fixed:
                yield value, key
                yield from _places(value[key], fixed, levels - 1)


def _odd(chance: random.Random) -> Any:
    return chance.choice(ODD)(chance)


def _replace(holder: Any, key: Any, chance: random.Random) -> None:
    holder[key] = _odd(chance)


def _drop(holder: Any, key: Any, chance: random.Random) -> None:
    if isinstance(holder, list) and key >= len(holder):
        return
    del holder[key]


def _wrap(holder: Any, key: Any, chance: random.Random) -> None:
    holder[key] = chance.choice(([holder[key]], {"x": holder[key]}, [holder[key]] * 2))


def _edit(holder: Any, key: Any, chance: random.Random) -> None:
    text = holder[key]
    if not isinstance(text, str) or not text:
        _replace(holder, key, chance)
        return
    at = chance.randrange(len(text))
    more = chance.choice(("", "x", "\x00", "é", "\ud83d", "|", "%", "'", '"', "\\", "\n", "/", ":"))
    holder[key] = text[:at] + more + text[at + chance.choice((0, 1, 1, 5)) :]


def _more(holder: Any, key: Any, chance: random.Random) -> None:
    if isinstance(holder, dict):
        holder[chance.choice(NAMES)] = _odd(chance)
    else:
        holder.insert(key, _odd(chance))


WAYS: list[Any] = [_replace, _replace, _drop, _wrap, _edit, _edit, _edit, _more]
