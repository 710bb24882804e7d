"""
One run of a scenario: what befalls it, what is seen of it, and the laws it is judged by.

A fault befalls one delivery, at a point before or after one of its actions. The same scenario
without a fault says what there should be after each request.
"""

import json
import sys
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from .._provider import Provider
from .._steps.aws_operations import is_read
from .answers import Answer
from .clock import VirtualClock
from .places import Place, files_of, place_of
from .process import Point

IN_DOUBT = ("cannot be repeated safely", "in doubt: ")
LONGEST = 300  # characters of what is told of an object
OUTSIDE = "outside of all steps"
HTTP_READS = ("http.GET.", "http.HEAD.", "http.OPTIONS.")


class FarSide(Protocol):
    """What `assert_safe` has to see of the API that the hooks call."""

    @property
    def objects(self) -> Collection[str]:
        """The ids of what lives, best as a mapping to what each is."""

    @property
    def created(self) -> Sequence[str]:
        """The ids of all that was made since `reset`, in order."""

    def reset(self) -> None:
        """Forget all: the next run begins."""


class NoFarSide:
    """The far side of a provider that makes nothing."""

    objects: Mapping[str, Any] = {}
    created: Sequence[str] = ()

    def reset(self) -> None:
        """Forget nothing."""


class FaultKind(StrEnum):
    """What befalls a delivery."""

    NOTHING = "nothing"
    CRASH = "crash"
    CRASH_FOR_GOOD = "crash for good"  # and Lambda's other two deliveries, as they begin
    LATE = "late"  # a copy comes after this or a later request
    UNTOLD = "untold"  # the answer is lost
    REFUSED = "refused"  # the far side says no, for certain
    NO_ANSWER = "no answer"  # it says nothing: before the call it has not acted, after it it has
    TWIN = "twin"  # another delivery of the same, meanwhile
    CANCEL = "cancel"  # its Delete, under an invented id, meanwhile

    @property
    def holds_up(self) -> bool:
        """Whether a delivery is held up, and another one comes meanwhile."""
        return self in (FaultKind.TWIN, FaultKind.CANCEL)


@dataclass(frozen=True, slots=True)
class Fault:
    """What befalls one request.

    Attributes:
        request: Its number.
        at: The point of its first delivery where it happens.
        until: The number of the action before which whoever came meanwhile is held up in turn; of
            a late copy, the number of the request after which it comes.
    """

    kind: FaultKind = FaultKind.NOTHING
    request: int = -1
    at: int = -1
    until: int = -1


class Effect(NamedTuple):
    """What was made or asked for, during which request and call, and what it is."""

    id: str
    who: str
    request: int
    call: str | None
    place: Place | None
    what: str


class Line(NamedTuple):
    """One line of a story."""

    seconds: float
    who: str
    text: str
    place: Place | None = None


class Checkpoint(NamedTuple):
    """How things stand after a request."""

    request_type: str
    succeeded: bool
    living: int
    created: int
    reason: str


class Broken(Exception):
    """A law is broken."""


class Witness:
    """Sees what is made and removed on the far side, and by whom.

    Attributes:
        effects: What was made.
        asked: What a `FakeApi` was asked to make.
        lines: The story.
        request: The number of the request at work.
        who: The delivery at work.
        inside: The calls that it is in, the innermost one last.
        place: The line that made the last call.
    """

    def __init__(self, far_side: FarSide, provider: Provider, clock: VirtualClock) -> None:
        self.effects, self.asked, self.lines = list[Effect](), list[Effect](), list[Line]()
        self.request, self.who, self.inside = 0, "", list[str]()
        self.place: Place | None = None
        self._far_side, self._clock, self._began = far_side, clock, clock.now()
        self._created, self._alive = 0, set[str]()
        self._files, self._thread = files_of(provider), threading.get_ident()

    def tell(self, text: str, place: Place | None = None, *, who: str = "") -> None:
        """Add a line to the story."""
        self.lines.append(Line(self._clock.now() - self._began, who or self.who, text, place))

    def listen(self, call: Any) -> None:
        """Take note of what a `FakeApi` is asked for, and by which line."""
        frames = sys._current_frames()  # noqa: SLF001 - the way there is
        self.place = place_of(frames.get(self._thread), self._files)
        if call.operation == "create":
            self.asked.append(self._effect("", self.call, _spelt(call.properties)))

    def look_here(self) -> None:
        """Take note of the line that makes a call."""
        self.place = place_of(sys._getframe(), self._files)  # noqa: SLF001 - the way there is

    @property
    def call(self) -> str | None:
        """The innermost call of the delivery at work."""
        return self.inside[-1] if self.inside else None

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let another delivery go on meanwhile."""
        self.look(self.call)
        at_work = self.who, self.inside, self.place
        yield
        self.who, self.inside, self.place = at_work

    def look(self, call: str | None) -> bool:
        """See what was made and removed since the last look; return whether anything was."""
        created, objects = self._far_side.created, self._far_side.objects
        made, self._created = created[self._created :], len(created)
        for name in made:
            what = _spelt(objects[name]) if isinstance(objects, Mapping) and name in objects else ""
            self.effects.append(self._effect(name, call, what))
            self.tell(f"{call or OUTSIDE} makes {name}", self.place)
        alive = {str(name) for name in objects}
        removed, self._alive = sorted(self._alive - alive), alive
        for name in removed:
            self.tell(f"{call or OUTSIDE} removes {name}", self.place)
        return bool(made or removed)

    def _effect(self, name: str, call: str | None, what: str) -> Effect:
        return Effect(name, self.who, self.request, call, self.place, what)


@dataclass
class Run:
    """One run: what is to befall it, and what came of it.

    Attributes:
        back_at: The number of the `update` that is rolled back, because another resource fails.
        base: The same run without a fault.
        points: Those of each request's first delivery.
        reached: The fault has happened.
        updates: So often the scenario calls `update`.
        left: What lives where there should be less.
        broken: The law that is broken.
        doubt: What an answer told of as in doubt, that may not be.
        too_many: Something was made that should not be there.
        hangs: The watchdog has ended it.
    """

    provider: Provider
    far_side: FarSide
    fault: Fault = Fault()
    back_at: int | None = None
    base: "Run | None" = None
    allow_in_doubt: bool = False
    points: list[list[Point]] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    reached: bool = False
    updates: int = 0
    broken: str = ""
    doubt: str = ""
    too_many: bool = False
    hangs: bool = False

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.seen = Witness(self.far_side, self.provider, self.clock)

    @property
    def is_struck(self) -> bool:
        """Whether the fault befalls the request at work."""
        return self.fault.request == self.seen.request

    def check(self, request_type: str, answer: Answer) -> None:
        """Judge how things stand after a request."""
        living, created = len(self.far_side.objects), len(self.far_side.created)
        self.checkpoints.append(
            Checkpoint(request_type, answer.succeeded, living, created, answer.reason)
        )
        self.seen.request += 1
        if not answer.succeeded and not self._may_fail(answer):
            how = "where it could succeed" if self.base else "though nothing befalls it"
            failed = f"the {request_type} is FAILED, {how}: {answer.reason}"
            if not _tells_of_doubt(answer.reason):
                raise Broken(failed)
            self.doubt = self.doubt or failed  # what it leaves is seen at the end
        self.compare()

    def compare(self) -> None:
        """Compare how things stand with how they stood without the fault.

        Raises:
            Broken: There is too much, or too little.
        """
        if self.base is None:
            return
        usual, made = self.base.checkpoints, len(self.far_side.created)
        number = len(self.checkpoints)
        as_usual = [then[:2] for then in self.checkpoints] == [then[:2] for then in usual[:number]]
        last = usual[number - 1] if as_usual else usual[-1]
        if made > last.created:
            self.too_many = True
            raise Broken(f"{_objects(made)} made, where there should be {last.created}")
        if as_usual:
            self.expect(last.living, f"after the {last.request_type}")

    def expect(self, number: int, when: str) -> None:
        """Judge how many objects live.

        Raises:
            Broken: There are more or fewer.
        """
        living = len(self.far_side.objects)
        may_differ = self.allow_in_doubt and any(
            _tells_of_doubt(then.reason) for then in self.checkpoints
        )
        if living != number and not may_differ:
            if living > number:
                self.left, self.too_many = [str(name) for name in self.far_side.objects], True
            raise Broken(f"{_objects(living)} there {when}, where there should be {number}")

    def judge_the_end(self) -> None:
        """Judge what is left when all is deleted.

        Raises:
            Broken: Something is, or was in doubt.
        """
        self.expect(0, "when all is deleted")
        if self.doubt:
            raise Broken(self.doubt)

    def _may_fail(self, answer: Answer) -> bool:
        kind = self.fault.kind
        if kind is FaultKind.CRASH_FOR_GOOD and not answer.body:
            return True  # CloudFormation has waited for nobody
        if _tells_of_doubt(answer.reason):
            return self.allow_in_doubt
        return self.reached and (
            kind is FaultKind.REFUSED or (kind is FaultKind.NO_ANSWER and self._only_read())
        )

    def _only_read(self) -> bool:
        """Tell whether the fault befell a call that changes nothing, as far as its name tells."""
        name = self.points[self.fault.request][self.fault.at].name
        service, _, operation = name.partition(".")
        return name.startswith(HTTP_READS) or bool(operation and is_read(service, operation))


def _tells_of_doubt(reason: str) -> bool:
    return any(words in reason for words in IN_DOUBT)


def _objects(number: int) -> str:
    return "1 object is" if number == 1 else f"{number} objects are"


def _spelt(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=repr)[:LONGEST]
