"""
One run of a scenario: what befalls it, what is seen of it, and the laws it is judged by.

A fault befalls one delivery, at a point before or after one of its actions. The same scenario
without a fault says what there should be after each request.
"""

import json
import linecache
import sys
import sysconfig
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, Protocol

from .._provider import Provider
from .._steps.aws_operations import is_read
from .answers import Answer
from .clock import VirtualClock
from .process import Point

IN_DOUBT = ("cannot be repeated safely", "in doubt: ")
LONGEST = 300  # characters of what is told of an object
HOOKS = ("create", "update", "delete")
OUTSIDE = "outside of all steps"
_HTTP_READS = ("http.GET.", "http.HEAD.", "http.OPTIONS.")
_LIBRARIES = (
    str(Path(__file__).parent.parent),
    *(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib")),
    "<",
)


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


class Kind(StrEnum):
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


@dataclass(frozen=True, slots=True)
class Fault:
    """What befalls one request.

    Attributes:
        request: Its number.
        at: The point of its first delivery where it happens.
        until: The number of the action before which whoever came meanwhile is held up in turn; of
            a late copy, the number of the request after which it comes.
    """

    kind: Kind = Kind.NOTHING
    request: int = -1
    at: int = -1
    until: int = -1


class Place(NamedTuple):
    """A line of the user's code.

    Attributes:
        hook: The line of the hook that led there.
    """

    file: str
    line: int
    hook: "Place | None" = None

    def __str__(self) -> str:
        path = Path(self.file)
        near = path.is_relative_to(Path.cwd())
        return f"{path.relative_to(Path.cwd()) if near else path}:{self.line}"

    @property
    def source(self) -> str:
        """Both lines, each with its number."""
        before = f"{self.hook.source}\n" if self.hook is not None else ""
        return f"{before}{self}\n    {linecache.getline(self.file, self.line).strip()}"


class Effect(NamedTuple):
    """What was made, or was asked to be made.

    Attributes:
        id: Of what was made; empty where it was only asked for.
        request: The number of the request at work.
        call: The call of the hook that made it; None outside of all calls.
        what: Its properties, where the far side tells them.
    """

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


class Broken(Exception):
    """A law is broken."""


@dataclass
class Run:
    """One run: what is to befall it, and what is seen of it.

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
        who: The delivery at work.
        call: The calls that it is in, the innermost one last.
        place: The line that made the last call.
    """

    provider: Provider
    far_side: FarSide
    fault: Fault = Fault()
    back_at: int | None = None
    base: "Run | None" = None
    allow_in_doubt: bool = False
    points: list[list[Point]] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    asked: list[Effect] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    reached: bool = False
    updates: int = 0
    broken: str = ""
    doubt: str = ""
    too_many: bool = False
    hangs: bool = False
    who: str = ""
    call: list[str] = field(default_factory=list)
    place: Place | None = None

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self._began, self._thread = self.clock.now(), threading.get_ident()
        self._seen, self._alive = 0, set[str]()
        self._files = _files_of(self.provider)

    @property
    def request(self) -> int:
        """The number of the request at work."""
        return len(self.checkpoints)

    def tell(self, text: str, place: Place | None = None, *, who: str = "") -> None:
        """Add a line to the story."""
        self.lines.append(Line(self.clock.now() - self._began, who or self.who, text, place))

    def listen(self, call: Any) -> None:
        """Take note of what a `FakeApi` is asked for, and by which line."""
        self.place = self.place_of(sys._current_frames().get(self._thread))  # noqa: SLF001 - the way there is
        if call.operation == "create":
            name, what = self.call[-1] if self.call else None, _spelt(call.properties)
            self.asked.append(Effect("", self.who, self.request, name, self.place, what))

    def place_of(self, frame: FrameType | None) -> Place | None:
        """Return the innermost line of the provider's own file, or else of the user's code."""
        ours, others = list[Place](), list[Place]()
        while frame is not None:
            file = frame.f_code.co_filename
            if file in self._files:
                ours.append(Place(file, frame.f_lineno))
                if frame.f_code.co_name in HOOKS:
                    break
            elif not file.startswith(_LIBRARIES):
                others.append(Place(file, frame.f_lineno))
            frame = frame.f_back
        if len(ours) > 1:
            return ours[0]._replace(hook=ours[-1])
        return next(iter([*ours, *others]), None)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let another delivery go on meanwhile."""
        self.look(self.call[-1] if self.call else None)
        at_work = self.who, self.call, self.place
        yield
        self.who, self.call, self.place = at_work

    def look(self, call: str | None) -> bool:
        """See what was made and removed since the last look; return whether anything was."""
        created, objects = self.far_side.created, self.far_side.objects
        made, self._seen = created[self._seen :], len(created)
        for one in made:
            what = _spelt(objects[one]) if isinstance(objects, Mapping) and one in objects else ""
            self.effects.append(Effect(one, self.who, self.request, call, self.place, what))
            self.tell(f"{call or OUTSIDE} makes {one}", self.place)
        alive = {str(one) for one in objects}
        removed, self._alive = sorted(self._alive - alive), alive
        for one in removed:
            self.tell(f"{call or OUTSIDE} removes {one}", self.place)
        return bool(made or removed)

    def check(self, request_type: str, answer: Answer) -> None:
        """Judge how things stand after a request."""
        living, created = len(self.far_side.objects), len(self.far_side.created)
        self.checkpoints.append(Checkpoint(request_type, answer.succeeded, living, created))
        self.reasons.append(answer.reason)
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
        as_usual = [one[:2] for one in self.checkpoints] == [
            one[:2] for one in usual[: len(self.checkpoints)]
        ]
        last = usual[len(self.checkpoints) - 1] if as_usual else usual[-1]
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
        if living != number and not self._may_leave():
            if living > number:
                self.left, self.too_many = [str(one) for one in self.far_side.objects], True
            raise Broken(f"{_objects(living)} there {when}, where there should be {number}")

    def _may_fail(self, answer: Answer) -> bool:
        kind, request = self.fault.kind, self.fault.request
        if kind is Kind.CRASH_FOR_GOOD and not answer.body:
            return True  # CloudFormation has waited for nobody
        if _tells_of_doubt(answer.reason):
            return self.allow_in_doubt
        reads = kind is Kind.NO_ANSWER and _only_reads(self.points[request][self.fault.at])
        return self.reached and (kind is Kind.REFUSED or reads)

    def judge_the_end(self) -> None:
        """Judge what is left when all is deleted.

        Raises:
            Broken: Something is, or was in doubt.
        """
        self.expect(0, "when all is deleted")
        if self.doubt:
            raise Broken(self.doubt)

    def _may_leave(self) -> bool:
        return self.allow_in_doubt and any(map(_tells_of_doubt, self.reasons))


def _only_reads(point: Point) -> bool:
    """Tell whether an action is a call that changes nothing, as far as its name tells."""
    service, _, operation = point.name.partition(".")
    return point.name.startswith(_HTTP_READS) or bool(operation and is_read(service, operation))


def _tells_of_doubt(reason: str) -> bool:
    return any(words in reason for words in IN_DOUBT)


def _objects(number: int) -> str:
    return "1 object is" if number == 1 else f"{number} objects are"


def _files_of(provider: Provider) -> set[str]:
    """Return where the hooks are written."""
    hooks = [
        getattr(one, name)
        for one in provider._served  # noqa: SLF001 - the provider is ours
        for name in HOOKS
    ]
    codes = [getattr(hook, "__code__", None) for hook in hooks]
    files = {code.co_filename for code in codes if code is not None}
    return {file for file in files if not file.startswith(_LIBRARIES)}


def _spelt(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=repr)[:LONGEST]
