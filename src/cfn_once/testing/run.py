"""
One run of a scenario: its fault, what is seen of it, and the laws it is judged by.

A fault happens to one delivery, at a point before or after one of its actions. The same scenario
without a fault says what there should be after each request.
"""

import json
import linecache
import sys
import sysconfig
import threading
from collections.abc import Collection, Iterator, Mapping
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
from .process import RESPOND, Point

IN_DOUBT = ("cannot be repeated safely", "in doubt: ")
LONGEST = 300  # characters of the report on an object
OUTSIDE = "outside of all steps"
HTTP_READS = ("http.GET.", "http.HEAD.", "http.OPTIONS.")
HOOKS = ("create", "update", "delete")
LIBRARIES = (
    str(Path(__file__).parent.parent),
    *(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib")),
    "<",
)


class ExternalApi(Protocol):
    """What `assert_safe` has to see of the API that the hooks call.

    It may have `created` as well, the ids of all that was made since `reset`, in order. Where it
    has none, an object is made when it is first seen; one that was gone in between, again.
    """

    @property
    def objects(self) -> Collection[str]:
        """The ids of what lives, best as a mapping to what each is."""

    def reset(self) -> None:
        """Forget all: the next run begins."""


class FaultKind(StrEnum):
    """The fault of a delivery."""

    NOTHING = "nothing"
    CRASH = "crash"
    CRASH_FOR_GOOD = "crash for good"  # and Lambda's other two deliveries, as they begin
    LATE = "late"  # a copy comes after this or a later request
    UNTOLD = "untold"  # the answer is lost
    REFUSED = "refused"  # the external API says no, for certain
    NO_ANSWER = "no answer"  # it says nothing: before the call it has not acted, after it it has
    TWIN = "twin"  # another delivery of the same, meanwhile
    CANCEL = "cancel"  # its Delete, under an invented id, meanwhile

    @property
    def holds_up(self) -> bool:
        """Whether a delivery is held up, and another one comes meanwhile."""
        return self in (FaultKind.TWIN, FaultKind.CANCEL)

    def may_befall(self, request_type: str, point: Point) -> bool:
        """Say whether it may happen to a request at a point of its first delivery."""
        only = {
            FaultKind.UNTOLD: point.name == RESPOND,
            FaultKind.REFUSED: point.is_call and not point.after,
            FaultKind.NO_ANSWER: point.is_call,
            FaultKind.TWIN: not point.after,
            FaultKind.CANCEL: not point.after and request_type == "Create",
        }
        return only.get(self, True)


@dataclass(frozen=True, slots=True)
class Fault:
    """The fault of one request."""

    kind: FaultKind = FaultKind.NOTHING
    request: int = -1  # its number
    at: int = -1  # the point of its first delivery
    until: int = -1  # the action that the other delivery waits for; a late copy, the request


class CodeLine(NamedTuple):
    """A line of the user's code, and the line of the hook that led there."""

    file: str
    line: int
    hook: "CodeLine | None" = None

    def __str__(self) -> str:
        path = Path(self.file)
        near = path.is_relative_to(Path.cwd())
        return f"{path.relative_to(Path.cwd()) if near else path}:{self.line}"

    @property
    def source(self) -> str:
        """Both lines, each with its number."""
        before = f"{self.hook.source}\n" if self.hook is not None else ""
        return f"{before}{self}\n    {linecache.getline(self.file, self.line).strip()}"


class SideEffect(NamedTuple):
    """What was made or asked for, during which request and call, and what it is."""

    id: str
    who: str
    request: int
    call: str | None
    place: CodeLine | None
    what: str


class StoryLine(NamedTuple):
    """One line of a story."""

    seconds: float
    who: str
    text: str
    place: CodeLine | None = None


class Checkpoint(NamedTuple):
    """How things stand after a request; `living` without what was there before the scenario."""

    request_type: str
    succeeded: bool
    living: int
    created: int
    reason: str
    at: float


class Terms(NamedTuple):
    """What is asked of all runs of a scenario.

    Attributes:
        allow_in_doubt: A FAILED answer may name what it left in doubt.
        may_remove: What was there before the scenario, and its hooks are to remove.
        service_timeout: What a default scenario sets; 0 for none.
    """

    allow_in_doubt: bool = False
    may_remove: frozenset[str] = frozenset()
    service_timeout: int = 0


class Broken(Exception):
    """A law is broken."""


class Witness:
    """Sees what is made and removed on the external API: by which delivery, and in which calls."""

    def __init__(self, external_api: ExternalApi, provider: Provider, clock: VirtualClock) -> None:
        self.effects, self.asked = list[SideEffect](), list[SideEffect]()  # asked: of a FakeApi
        self.lines, self.request = list[StoryLine](), 0
        self.who, self.inside = "", list[str]()  # at work, the innermost call last
        self.place: CodeLine | None = None  # of the last call
        self._external_api, self._clock, self._began = external_api, clock, clock.now()
        self.created, self._alive = 0, set[str]()  # so many were made
        self.removed: dict[str, SideEffect] = {}  # by id, the last time
        self._files, self._thread = _files_of(provider), threading.get_ident()

    def begin(self) -> frozenset[str]:
        """Begin to look; return what is there before the scenario."""
        self._alive = {str(name) for name in self._external_api.objects}
        return frozenset(self._alive)

    def note(self, text: str, place: CodeLine | None = None, *, who: str = "") -> None:
        self.lines.append(StoryLine(self._clock.now() - self._began, who or self.who, text, place))

    def listen(self, call: Any) -> None:
        """Take note of what a `FakeApi` is asked for, and by which line."""
        frames = sys._current_frames()  # noqa: SLF001 - the way there is
        self.place = _place_of(frames.get(self._thread), self._files)
        if call.operation == "create":
            self.asked.append(self._effect("", _spelt(call.properties)))

    def look_here(self) -> None:
        """Take note of the line that makes a call."""
        self.place = _place_of(sys._getframe(), self._files)  # noqa: SLF001 - the way there is

    @property
    def call(self) -> str | None:
        """The innermost call of the delivery at work."""
        return self.inside[-1] if self.inside else None

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let another delivery go on meanwhile."""
        self.look()
        at_work = self.who, self.inside, self.place
        yield
        self.who, self.inside, self.place = at_work

    def look(self) -> bool:
        """See what was made and removed since the last look; return whether anything was."""
        objects = self._external_api.objects
        alive = {str(name) for name in objects}
        made = self._made(objects)
        self.created += len(made)
        for name in made:
            what = _spelt(objects[name]) if isinstance(objects, Mapping) and name in objects else ""
            self.effects.append(self._effect(name, what))
            self.note(f"{self.call or OUTSIDE} makes {name}", self.place)
        removed, self._alive = sorted(self._alive - alive), alive
        for name in removed:
            self.removed[name] = self._effect(name, "")
            self.note(f"{self.call or OUTSIDE} removes {name}", self.place)
        return bool(made or removed)

    def _made(self, objects: Collection[str]) -> list[str]:
        """Return the ids of what was made since the last look."""
        created = getattr(self._external_api, "created", None)
        if created is None:
            return [str(name) for name in objects if str(name) not in self._alive]
        return [str(name) for name in created[self.created :]]

    def _effect(self, name: str, what: str) -> SideEffect:
        return SideEffect(name, self.who, self.request, self.call, self.place, what)


@dataclass
class Run:
    """One run: its fault, and what came of it."""

    provider: Provider
    external_api: ExternalApi
    fault: Fault = Fault()
    back_at: int | None = None  # the number of the update that is rolled back, as another one fails
    base: "Run | None" = None  # the same run without a fault
    terms: Terms = field(default_factory=Terms)
    points: list[list[Point]] = field(default_factory=list)  # of each request's first delivery
    checkpoints: list[Checkpoint] = field(default_factory=list)
    left: list[str] = field(default_factory=list)  # what lives where there should be less
    theirs: frozenset[str] = frozenset()  # what was there before the scenario
    gone: frozenset[str] = frozenset()  # of these, what is not there any more
    reached: bool = False  # the fault has happened
    updates: int = 0  # so often the scenario calls update
    broken: str = ""  # the law that is
    doubt: str = ""  # what a response named as in doubt, that may not be
    too_many: bool = False  # something was made that should not be there
    hangs: bool = False

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.began = self.clock.now()
        self.seen = Witness(self.external_api, self.provider, self.clock)

    @property
    def is_struck(self) -> bool:
        """Whether the fault happens to the request at work."""
        return self.fault.request == self.seen.request

    def check(self, request_type: str, answer: Answer) -> None:
        self.seen.look()
        then = Checkpoint(
            request_type,
            answer.succeeded,
            len(self.ours()),
            self.seen.created,
            answer.reason,
            self.clock.now(),
        )
        self.checkpoints.append(then)
        self.seen.request += 1
        if not answer.succeeded and not self._may_fail(answer):
            how = "where it could succeed" if self.base else "though no fault happens"
            failed = f"the {request_type} is FAILED, {how}: {answer.reason}"
            if not _tells_of_doubt(answer.reason):
                raise Broken(failed)
            self.doubt = self.doubt or failed  # what it leaves is seen at the end
        self.compare()

    def compare(self) -> None:
        """Compare how things stand with how they stood without the fault."""
        if self.base is None:
            return
        self.seen.look()
        usual, made = self.base.checkpoints, self.seen.created
        last = usual[len(self.checkpoints) - 1] if self._is_as_usual(self.base) else usual[-1]
        if made > last.created:
            self.too_many = True
            raise Broken(f"{_objects(made)} made, where there should be {last.created}")
        if self._is_as_usual(self.base):
            self.expect(last.living, f"after the {last.request_type}")

    def _is_as_usual(self, base: "Run") -> bool:
        """Tell whether all requests so far came and went as without the fault."""
        usual = base.checkpoints[: len(self.checkpoints)]
        return [then[:2] for then in self.checkpoints] == [then[:2] for then in usual]

    def expect(self, number: int, when: str) -> None:
        """See that so many objects of the scenario are there, and all that was there before."""
        self.expect_theirs(when)
        ours = self.ours()
        in_doubt = any(_tells_of_doubt(then.reason) for then in self.checkpoints)
        if len(ours) != number and not (self.terms.allow_in_doubt and in_doubt):
            if len(ours) > number:
                self.left, self.too_many = ours, True
            raise Broken(f"{_objects(len(ours))} there {when}, where there should be {number}")

    def expect_theirs(self, when: str) -> None:
        there = {str(name) for name in self.external_api.objects}
        self.gone = self.theirs - there
        if wrongly := sorted(self.gone - self.terms.may_remove):
            are = "was there before the scenario, and is" if len(wrongly) == 1 else "were, and are"
            raise Broken(f"{', '.join(wrongly)} {are} gone {when}")

    def expect_as_without_fault(self) -> None:
        """See that what the hooks are to remove of what was there before is gone as well."""
        if self.base is None or not self._is_as_usual(self.base):
            return
        if kept := sorted(self.base.gone - self.gone):
            raise Broken(f"{', '.join(kept)} should be gone, as it is without the fault")

    def ours(self) -> list[str]:
        return [str(name) for name in self.external_api.objects if str(name) not in self.theirs]

    def _may_fail(self, answer: Answer) -> bool:
        kind = self.fault.kind
        if kind is FaultKind.CRASH_FOR_GOOD and not answer.body:
            return True  # CloudFormation has waited for nobody
        if _tells_of_doubt(answer.reason):
            return self.terms.allow_in_doubt
        return self.reached and (
            kind is FaultKind.REFUSED or (kind is FaultKind.NO_ANSWER and self._only_read())
        )

    def _only_read(self) -> bool:
        """Say whether the fault happened to a call that changes nothing, by its name."""
        name = self.points[self.fault.request][self.fault.at].name
        service, _, operation = name.partition(".")
        return name.startswith(HTTP_READS) or bool(operation and is_read(service, operation))


def _files_of(provider: Provider) -> set[str]:
    """Return where a provider's hooks are written."""
    served = provider.classes
    hooks = [getattr(kind, name) for kind in served for name in HOOKS]
    codes = [getattr(hook, "__code__", None) for hook in hooks]
    files = {code.co_filename for code in codes if code is not None}
    return {file for file in files if not file.startswith(LIBRARIES)}


def _place_of(frame: FrameType | None, files: set[str]) -> CodeLine | None:
    """Return the innermost line of these files, or else of the user's code."""
    ours, others = list[CodeLine](), list[CodeLine]()
    while frame is not None:
        file = frame.f_code.co_filename
        if file in files:
            ours.append(CodeLine(file, frame.f_lineno))
            if frame.f_code.co_name in HOOKS:
                break
        elif not file.startswith(LIBRARIES):
            others.append(CodeLine(file, frame.f_lineno))
        frame = frame.f_back
    if len(ours) > 1:
        return ours[0]._replace(hook=ours[-1])
    return next(iter([*ours, *others]), None)


def _tells_of_doubt(reason: str) -> bool:
    return any(words in reason for words in IN_DOUBT)


def _objects(number: int) -> str:
    return "1 object is" if number == 1 else f"{number} objects are"


def _spelt(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=repr)[:LONGEST]
