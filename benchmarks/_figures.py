"""A figure, and how it is told."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value beside what it is compared with.

    Attributes:
        name: What was measured.
        ours: Our value.
        peer: The value that it is compared with, a peer's unless `against` says otherwise.
        unit: Of both.
        against: Whose the other value is.
        bar: The highest ratio of the two that is good enough, or, where `absolute`, the highest
            value of ours; None for a figure that is only told.
        how: How it was taken.
        aim: What it should come to one day, as a ratio or a value like the bar; it decides nothing.
        pairs: The median ratio of values that were taken one right after the other.
    """

    name: str
    ours: float
    peer: float | None = None
    unit: str = ""
    against: str = ""
    bar: float | None = None
    absolute: bool = False
    how: str = ""
    aim: float | None = None
    pairs: float | None = None

    @property
    def ratio(self) -> float | None:
        """Return how many times the other value ours is."""
        if self.pairs is not None:
            return self.pairs
        return None if not self.peer else self.ours / self.peer

    @property
    def met(self) -> bool | None:
        """Tell whether the bar is met; None where there is none."""
        measured = self.ours if self.absolute else self.ratio
        return None if self.bar is None or measured is None else measured <= self.bar

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio, "met": self.met}

    def __str__(self) -> str:
        parts = [f"{self.name}: {self.ours:.4g} {self.unit}".rstrip()]
        if self.peer is not None:
            parts.append(f"{self.against} {self.peer:.4g} {self.unit}".rstrip())
        if self.ratio is not None:
            parts.append(f"ratio {self.ratio:.3f}")
        if self.aim is not None:
            parts.append(f"aim {self.aim:g}{'' if self.absolute else ' x'}")
        if self.bar is not None:
            limit = f"{self.bar:g} {self.unit}" if self.absolute else f"{self.bar:.2f} x"
            parts.append(f"bar {limit}: {'met' if self.met else 'MISSED'}")
        return "; ".join(parts)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a benchmark came to.

    Attributes:
        figures: What is compared.
        details: All that was counted, as the report keeps it.
    """

    figures: list[Figure]
    details: Any = None


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Spell a table in columns, the first one to the left, the others to the right."""
    lines = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(head))]
    spelt = [
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])])
        for line in lines
    ]
    return "\n".join([spelt[0], "  ".join("-" * width for width in widths), *spelt[1:]])


def indented(text: str) -> str:
    """Set a text off from what surrounds it."""
    return "\n".join(f"  {line}".rstrip() for line in text.split("\n"))
