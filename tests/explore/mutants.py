"""Seeded bugs: each is one substitution in the shipped source, loaded as a second copy of it."""

import ast
import importlib
import importlib.util
import re
import sys
from dataclasses import KW_ONLY, dataclass, replace
from functools import cache
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from textwrap import indent
from types import CodeType, ModuleType
from typing import Any

import cfn_once
from explore.spaces import (
    ADOPTED_AND_SAME,
    ADOPTED_REPLACED,
    AGAIN,
    BACK,
    BACK_TWICE,
    BACK_UNHEARD,
    CREATE,
    DELETE,
    DELETE_TWICE,
    FOREIGN,
    FORGED,
    FULL,
    GIVEN_UP_BACK,
    HALF_DELETED,
    IN_PLACE,
    KEPT_BOTH,
    KEPT_CD,
    KEPT_CD_SAME,
    KEPT_GIVEN_UP,
    KEPT_LOST,
    KEPT_NEVER,
    LESS,
    LOST_CLEAN_UP,
    OTHER_CREATE,
    OTHER_KEPT,
    REASK,
    REFUSED,
    REFUSED_TWICE,
    REPLACED_BY_UPDATE,
    RESENT,
    RETAIN,
    RETAIN_LATE,
    RETAINED_BACK,
    SAME_ID,
    SECRET,
    TAKEN_BACK,
    TOUCHED_REFUSED_REPLACEMENT,
    TOUCHED_REPLACED,
    TOUCHED_SAME,
    UPDATE,
    WIDE,
    WIDER,
    Space,
    heard,
    on,
)

SOURCE = Path(cfn_once.__file__).parent


@cache
def text(file: Path) -> str:
    """Return the source of a module: a hundred copies of the package have the same."""
    return file.read_text(encoding="utf-8")


@cache
def statements(file: Path) -> list[ast.stmt]:
    """Return the statements of a module that is as it is shipped, by their lines."""
    found = (node for node in ast.walk(ast.parse(text(file))) if isinstance(node, ast.stmt))
    return sorted(found, key=lambda statement: statement.lineno)


class _Loader(SourceFileLoader):
    """Loads a module of the copy: what Python keeps compiled, but for the one that was changed."""

    def __init__(self, fullname: str, path: str, source: str | None) -> None:
        super().__init__(fullname, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType | None:
        if self._source is None:
            return super().get_code(fullname)
        # For itself: without the `from __future__` of this module.
        return compile(self._source, self.path, "exec", dont_inherit=True)


class _Finder:
    """Finds the modules of a copy of the package under the copy's name."""

    def __init__(self, name: str, file: Path, source: str) -> None:
        self._name, self._file, self._source = name, file, source

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> ModuleSpec | None:
        if fullname != self._name and not fullname.startswith(self._name + "."):
            return None
        below = fullname[len(self._name) + 1 :]
        place = SOURCE.joinpath(*below.split(".")) if below else SOURCE
        is_package = place.is_dir()
        file = place / "__init__.py" if is_package else place.with_suffix(".py")
        return importlib.util.spec_from_file_location(
            fullname,
            file,
            loader=_Loader(fullname, str(file), self._source if file == self._file else None),
            submodule_search_locations=[str(place)] if is_package else None,
        )


MARK = "# Seeded bug: "
"""Begins a comment above a statement of the shipped source; a bug is seeded there, by its name."""


@cache
def marks() -> list[tuple[Path, list[str]]]:
    """Return each module, and the names of its marks."""
    mark = re.compile(rf"^ *{MARK}(.*)$", re.MULTILINE)
    return [(file, mark.findall(text(file))) for file in SOURCE.rglob("*.py")]


def place_of(seeded: str) -> Path:
    """Return the one module that bears a mark.

    Raises:
        LookupError: No module bears it, or it stands in two places.
    """
    places = [file for file, names in marks() for name in names if name == seeded]
    if len(places) != 1:
        raise LookupError(f"{MARK}{seeded} stands in {len(places)} places, not in one")
    return places[0]


def broken(file: Path, seeded: str, old: str, new: str) -> str:
    """Return the source of a module with a bug in the statement below a mark.

    Args:
        file: The module.
        seeded: The mark's name.
        old: What to replace in the statement, which has it once; all of it unless given.
        new: What stands there instead.

    Raises:
        LookupError: The statement does not have `old`, or has it twice.
    """
    lines = text(file).splitlines(keepends=True)
    mark = [line.strip() for line in lines].index(MARK + seeded) + 1
    below = next(statement for statement in statements(file) if statement.lineno > mark)
    first, last = below.lineno - 1, below.end_lineno
    shipped = "".join(lines[first:last])
    if old and shipped.count(old) != 1:
        raise LookupError(
            f"the statement of {seeded} has {old!r} {shipped.count(old)} times, not once"
        )
    changed = shipped.replace(old, new) if old else indent(new + "\n", " " * below.col_offset)
    return "".join([*lines[:first], changed, *lines[last:]])


def copy_of_the_package(number: int, seeded: str, old: str, new: str) -> ModuleType:
    """Import the package once more, with one bug in it."""
    name = f"cfn_once_seeded_{number}"
    file = place_of(seeded)
    finder = _Finder(name, file, broken(file, seeded, old, new))
    sys.meta_path.insert(0, finder)
    try:
        copy = importlib.import_module(name)
        importlib.import_module(f"{name}._provider")
        below = file.relative_to(SOURCE).with_suffix("").parts
        importlib.import_module(".".join([name, *below]))  # it may be loaded late by the package
    finally:
        sys.meta_path.remove(finder)
    return copy


@dataclass(frozen=True)
class Mutant:
    """A seeded bug.

    Attributes:
        laws: Which laws may be the first to see it.
        seeded: The name of the mark above the statement that it is in.
        old, new: The substitution in that statement; without `old`, all of it.
        space: Shows it; without the bug, all laws hold there.
    """

    laws: str
    seeded: str
    _: KW_ONLY
    new: str
    old: str = ""
    space: Space
    name: str = ""

    def explorer(self) -> Any:
        """Set up its space on a copy of the package that has the bug."""
        number = [mutant.name for mutant in MUTANTS].index(self.name)
        return self.space.explorer(copy_of_the_package(number, self.seeded, self.old, self.new))

    def is_seen_by(self, law: str) -> bool:
        """Tell whether it is one of its laws that was broken."""
        return law.startswith(tuple(self.laws.split()))


ROWS = {
    "a write does not know its own earlier success": Mutant(
        "L1", "claim-recognised", new="return False", space=on(CREATE, "lost", steps=2)
    ),
    "a result does not know its own earlier success": Mutant(
        "L1",
        "write-recognised",
        old=" or (head is not None and self._is_ours(head) and applied(head))",
        new="",
        space=on(CREATE, "lost", steps=2),
    ),
    "no fence": Mutant(
        "I3", "held-by", old='Equals((*at, "own"), owner), ', new="", space=on(DELETE, steps=2)
    ),
    "a lease is taken, and its owner thought dead, while it lives": Mutant(
        "I1",
        "lease-runs",
        new="if candidate.now:\n    return Claim(resumed, 0, goes_on=True)",
        space=on(CREATE, copies="c:2", steps=2, strategy="find"),
    ),
    "what a debt made is sought under the id in the event": Mutant(
        "I8",
        "leftover-id",
        old="left.assigned_id or",
        new="self.journal.request.physical_resource_id or",
        space=on(DELETE, "crash", steps=2),
    ),
    "no outbox: a recorded answer is not told again": Mutant(
        "L1", "replay-response", new="return None", space=on(CREATE, "crash", copies="c:2", steps=2)
    ),
    "an answer is told before it is recorded": Mutant(
        "I6",
        "record-first",
        new="respond(encode(self._request, outcome)[1])\nreturn self._recorded(outcome)",
        space=on(CREATE, steps=2),
    ),
    "a once step leaves no mark before its call": Mutant(
        "I1",
        "once-mark",
        old="if attempt.call.is_once:",
        new="if False:",
        space=on(CREATE, "crash", copies="c:2", strategy="once"),
    ),
    "a token differs from execution to execution": Mutant(
        "I1",
        "token",
        old="key, generation",
        new="key + self.journal.operation.execution.owner, generation",
        space=on(CREATE, "crash", copies="c:2", steps=2),
    ),
    "a result is recorded after the next call has left": Mutant(
        "I1 I3 I5",
        "pending-before-call",
        new="pass",
        space=on(CREATE, "crash", copies="c:2", strategy="find", steps=3),
    ),
    "an older request is begun over a newer one": Mutant(
        "I4", "newer", new="newer = True", space=on(DELETE, steps=2)
    ),
    "an older request is begun blindly over a newer one": Mutant(
        "I4",
        "newer-blind",
        old='Below((*OPERATION, "iss"), issued(request, candidate.now)),',
        new="",
        space=on(DELETE, steps=2),
    ),
    "a Delete does not wait for the dead": Mutant(
        "I5", "previous-owners", new="pass", space=on(DELETE, steps=2)
    ),
    "no settling: what is on its way is not waited for": Mutant(
        "I5",
        "in-flight-grace",
        old="5.0",
        new="0.0",
        space=on(DELETE, "flight", pace="slow", steps=2),
    ),
    "a token is repeated after its window": Mutant(
        "I1",
        "token-window",
        old="self._clock.now() - first_used < call.window",
        new="True",
        space=on(CREATE, "crash:2", copies="c:3", pace="brisk", window=50.0, forgets=True),
    ),
    "an absent look-up is believed at once": Mutant(
        "I1",
        "absent-believed",
        old="self._visible_after",
        new="IN_FLIGHT_GRACE",
        space=on(CREATE, "lag", strategy="find", lag=10.0),
    ),
    "a begin forgets a failed operation": Mutant(
        "I5 I7",
        "leftovers-kept",
        old="leaves_something(operation)",
        new="operation.state == State.SUCCEEDED",
        space=on(DELETE, "fail", steps=2),
    ),
    "the last fact of a superseded execution is dropped": Mutant(
        "I5",
        "last-facts",
        old="_recorded(progress, head, at)",
        new="_recorded(progress if at == OPERATION else progress._replace(steps={}), head, at)",
        space=on(DELETE, undo="piece"),
    ),
    "leaving, an execution forgets the doubt it took over": Mutant(
        "I5",
        "park",
        old="progress.tail_in_doubt",
        new="progress.tail_in_doubt and at == OPERATION",
        space=on(DELETE, "crash nolook", copies="c:2", reads=True),
    ),
    "leaving, an execution forgets its unrecorded calls": Mutant(
        "I5",
        "last-facts",
        old="_recorded(progress, head, at)",
        new="_recorded(progress if at == OPERATION else Progress(progress.steps), head, at)",
        space=on(DELETE, steps=0, tags=True),
    ),
    "a supersede is computed from an old look": Mutant(
        "I5 I7",
        "begin-over-guard",
        old='Equals(("w",), head.revision), ',
        new="",
        space=on(DELETE, steps=2),
    ),
    "a replay ignores the step in doubt": Mutant(
        "I5", "tail-in-doubt", new="return False", space=on(DELETE, "crash", steps=2)
    ),
    "a doubt is forgotten when the lease is given back": Mutant(
        "I1 I5",
        "park",
        old="progress.tail_in_doubt",
        new="progress.tail_in_doubt and at != OPERATION",
        space=on(CREATE, "crash later", copies="c:3", reads=True, strategy="find"),
    ),
    "a clean-up Delete is taken for the Delete": Mutant(
        "I8", "cleanup-target", old="return Id.REPLACED", new="return Id.HELD", space=on(UPDATE)
    ),
    "a doubt that nobody could resolve is forgotten": Mutant(
        "I5 I7",
        "unresolved-kept",
        old="if doubts else",
        new="if False else",
        space=on(UPDATE, "crash", strategy="once"),
    ),
    "a retained object is taken for a result that was not heard": Mutant(
        "I5", "retained", old="is_same and ", new="", space=on(RETAIN)
    ),
    "an id that nobody can place reaches what lives": Mutant(
        "I8", "unplaceable", new="return _all(head)", space=on(RESENT)
    ),
    "a replacement that is rolled back is made a third time": Mutant(
        "I1 I5", "replaced-before", old="if former is not None:", new="if False:", space=on(BACK)
    ),
    "what replaced the held object counts as heard of": Mutant(
        "I1 I5", "acknowledged", old=" and held.id == head.held_id", new="", space=on(UPDATE)
    ),
    "a RequestId that is used again has its old tokens": Mutant(
        "I1 I5", "reused-request-id", old="generation=head.revision + 1, ", new="", space=on(AGAIN)
    ),
    "asked again, an old failure is told": Mutant(
        "L1", "asked-again", new="again = False", space=on(REASK, "fail")
    ),
    "a failed step's token is used again": Mutant(
        "L1", "next-generation", old="+= 1", new="+= 0", space=on(REASK, "fail")
    ),
    "a replay reads the physical id after the hook has unwound": Mutant(
        "I5",
        "id-at-end",
        old="replay.id_at_end or ",
        new="",
        space=on(DELETE, "crash", steps=2, swallows=True),
    ),
    "a step with an undo is not asked for what to undo": Mutant(
        "I5",
        "undo-asked",
        old=" or call.undo is not None",
        new="",
        space=on(DELETE, "crash", steps=2, undo="parts"),
    ),
    "a replay goes on although what it learned could not be kept": Mutant(
        "I5",
        "unrecorded-learning",
        old="except LedgerUnavailable:",
        new="except ZeroDivisionError:",
        space=on(DELETE, "crash lost", pace="slow", strategy="token+find"),
    ),
    "a call that timed out is not waited for where its execution has ended": Mutant(
        "I5",
        "timed-out-call",
        old="left.is_in_doubt",
        new="left.state == State.RUNNING",
        space=on(DELETE, "late", steps=2, transient=False),
    ),
    "a replay takes what it cannot read now for what the hook decided": Mutant(
        "I5",
        "undecided",
        old=" and not isinstance(error, TemporaryError)",
        new="",
        space=on(DELETE, "crash later", reads=True),
    ),
    "a rollback that nobody heard of is cleaned up like a replacement": Mutant(
        "I1 I5",
        "returned",
        old="held.made_by == Origin.RETURNED",
        new="False",
        space=on(BACK_UNHEARD, "crash"),
    ),
    "what a rollback went back to is forgotten when nobody heard of it": Mutant(
        "I1 I5", "restored-replaced", new="pass", space=on(BACK_UNHEARD, "crash")
    ),
    "who answers for a stuck hook forgets the call it is in": Mutant(
        "I1 I5",
        "time-out-call",
        old="if in_flight is not None and in_flight[1] is not None:",
        new="if False:",
        space=on(DELETE, "ring", steps=2),
    ),
    "a Delete does not wait for a hook that was answered for": Mutant(
        "I5",
        "time-out-wait",
        old="if head.operation.state != State.RUNNING and candidate.now < ended:",
        new="if False:",
        space=on(DELETE_TWICE, "ring", named=True),
    ),
    "a hook that was answered for begins further steps": Mutant(
        "I3 I5",
        "call-after-end",
        old="self.lease.ensure_held()",
        new="pass",
        space=on(DELETE, "ring", reads=True),
    ),
    "the guardian takes for dead who may yet act": Mutant(
        "I1 I5",
        "guardian-end",
        new="return milliseconds(self._deadline.clock.now())",
        space=on(DELETE, guardians=["c"], timeouts=[200.0, 100.0, 400.0], strategy="find"),
    ),
    "a hook that is handed over forgets what its steps came to": Mutant(
        "I1 I5",
        "hand-over",
        old="journal.progress()",
        new="type(journal.progress())()",
        space=on(CREATE, "doubt", copies="c:2", timeouts=[26.0, 160.0], steps=2, strategy="find"),
    ),
    "a look-up that is left to another delivery ends without an error": Mutant(
        "L1",
        "left-to-another",
        old="again=True",
        new="again=False",
        space=on(CREATE, "doubt:2", timeouts=[26.0], strategy="find"),
    ),
    "who answers for a stuck hook does not record it": Mutant(
        "I6",
        "time-out-record",
        old="self._lease.finish",
        new="timed_out or self._lease.finish",
        space=on(CREATE, "ring", steps=2),
    ),
    "undo is not called": Mutant(
        "I5", "undo-called", new="pass", space=on(DELETE, "crash", undo="piece")
    ),
    "an undo finds the steps of its hook ended": Mutant(
        "L1",
        "undo-steps",
        new="journal.lease.ensure_held()",
        space=on(DELETE, "fail", steps=2, undo="parts, by steps"),
    ),
    "two undos share the keys of their steps": Mutant(
        "I5",
        "undo-scope",
        new="scope = '~undo'",
        space=on(DELETE, "crash", steps=3, undo="parts, by steps"),
    ),
    "the head tells of a result that is not yet spilled": Mutant(
        "I7", "spill-first", new="pass", space=on(CREATE, steps=2, long=True)
    ),
    "what lives may expire": Mutant(
        "I1",
        "live-no-ttl",
        old="deletes and",
        new="operation.type != RequestType.UPDATE and",
        space=on(DELETE, steps=2),
    ),
    # Ids that stand for nothing
    "a placeholder stands for whatever is held": Mutant(
        "I8",
        "own-placeholder",
        old="held.operation == operation and ",
        new="",
        space=on(KEPT_CD, "fail"),
    ),
    "an id that CloudFormation made up stands for whatever is held": Mutant(
        "I8", "guess", old=" and _must_be_that(head, held, asked)", new="", space=on(RETAIN_LATE)
    ),
    "the same, where another Create may have been answered": Mutant(
        "I8", "must-be-alone", new="alone = True", space=on(KEPT_CD_SAME, "crash")
    ),
    "the same, where the properties differ": Mutant(
        "I8", "must-be-equal", old="held.properties == asked and ", new="", space=on(RETAIN_LATE)
    ),
    "the same, where CloudFormation knows what is held": Mutant(
        "I8",
        "holds",
        old="Holds.ACKNOWLEDGED if head.acknowledged else ",
        new="",
        space=on(KEPT_NEVER, "fail", copies="c:0"),
    ),
    "a Create is confirmed before CloudFormation has said so": Mutant(
        "I8", "unconfirmed", new="left = []", space=on(KEPT_CD_SAME, "crash")
    ),
    "an id that CloudFormation made up is taken for another handler's": Mutant(
        "I8", "invented", new="return Id.FOREIGN", space=on(DELETE)
    ),
    "what another handler made is taken for nothing": Mutant(
        "I8", "invented", new="return Id.INVENTED", space=on(FOREIGN, "fail")
    ),
    "a Delete of what is not known makes it what is held": Mutant(
        "I5 I8",
        "update-adopts",
        old="request.type is RequestType.UPDATE and ",
        new="",
        space=on(LOST_CLEAN_UP, "slip"),
    ),
    "what a Delete has failed to remove is not named, where nothing else was known of it": Mutant(
        "I5",
        "failed-unknown",
        old="not replace(request, physical_resource_id=event_id).carries_an_object",
        new="True",
        space=on(LOST_CLEAN_UP, "slip"),
    ),
    "another handler's id stands for what is held": Mutant(
        "I8", "foreign", new="return _all(head)", space=on(FOREIGN)
    ),
    "what another handler made is not named": Mutant(
        "I5",
        "foreign",
        old="left=(left, *leftovers.besides(head, request))",
        new="left=()",
        space=on(FOREIGN),
    ),
    "what is held and was never heard of is not named": Mutant(
        "I5", "unheard-named", new="return ()", space=on(FOREIGN)
    ),
    "what is held in the place of a removed object is not named": Mutant(
        "I5", "in-its-place", new="in_its_place = ()", space=on(UPDATE, "crash")
    ),
    "what waits for the Delete of an unheard object is not named": Mutant(
        "I5",
        "waiting-named",
        new="return ()",
        space=on(REPLACED_BY_UPDATE, "crash", strategy="once", may_replace=True),
    ),
    "what was displaced is not named": Mutant(
        "I5", "replaced-named", new="rest = []", space=on(TAKEN_BACK)
    ),
    "what was forgotten is not named": Mutant(
        "I5", "forgotten-named", new="return ()", space=on(KEPT_CD_SAME)
    ),
    "a Create forgets what was held and never heard of": Mutant(
        "I5",
        "retained",
        old="forgotten = [*forgotten, held][-MOST_FORGOTTEN:]",
        new="pass",
        space=on(KEPT_CD_SAME),
    ),
    "an Update forgets a replacement that nobody heard of": Mutant(
        "I5", "unheard", new="pass", space=on(UPDATE)
    ),
    "a clean-up that failed for good is not tried again, or named": Mutant(
        "I5", "failed-cleanup", new="again = []", space=on(GIVEN_UP_BACK, "slip")
    ),
    "a placeholder cleans up what another Create left": Mutant(
        "I8",
        "placeholder-cleans",
        old="cleans=operation",
        new="cleans=None",
        space=on(KEPT_BOTH, "fail", undo="piece"),
    ),
    "what another Create left is not named": Mutant(
        "I5", "pending-named", new="return ()", space=on(KEPT_GIVEN_UP, "fail slip", undo="piece")
    ),
    "a placeholder of a Create that is not known is SUCCESS without a word": Mutant(
        "I5",
        "unknown-named",
        old="placeholder is None or head.has_begun(placeholder.operation)",
        new="True",
        space=on(KEPT_LOST, "fail:2", undo="piece"),
    ),
    # Older objects, and Updates that touched something or nothing
    "a first Update of an older object does not adopt it": Mutant(
        "I1 I5", "begin-adopts", new="pass", space=on(ADOPTED_REPLACED, holds="old")
    ),
    "an answer that tells no attributes passes for one of ours": Mutant(
        "I10",
        "untold",
        old="None if ending.untold else ",
        new="",
        space=on(ADOPTED_AND_SAME, holds="old", told=1),
    ),
    "an adopted object takes the place of what nobody names": Mutant(
        "I5", "adopted", old="replaced=displaced", new="replaced=others", space=on(TAKEN_BACK)
    ),
    "what an Update in place may have done is forgotten": Mutant(
        "I10", "touched", new="touched = None", space=on(IN_PLACE, "doubt")
    ),
    "an Update that died is taken for one that did nothing": Mutant(
        "I10", "touched-object", new="return False", space=on(IN_PLACE, "crash")
    ),
    "an Update that acted is taken for a replacement that did nothing to the object": Mutant(
        "I10",
        "touched-surely",
        old=" and held.touched == Touched.MAYBE",
        new="",
        space=on(heard(WIDE), "doubt", code=[0, 0, 1], versions=WIDER, strategy="once"),
    ),
    "the Update that died is taken for the one that is rolled back": Mutant(
        "I10", "undone", new="is_undone = True", space=on(TOUCHED_REFUSED_REPLACEMENT, "crash")
    ),
    "a touched object is replaced by a third one when a replacement is rolled back": Mutant(
        "I1 I5", "touched-rollback", new="pass", space=on(heard(UPDATE), named="twins")
    ),
    "a replacement is rolled back to what was touched before it, as it is": Mutant(
        "I10",
        "replaced-before",
        old="Update(former.id) if _is_touched(former, request, hooks) else ",
        new="",
        space=on(TOUCHED_REPLACED, "doubt", strategy="once"),
    ),
    "a touched object is as it was, for nothing is to be changed": Mutant(
        "I10",
        "touched-same",
        old="held.touched is None and ",
        new="",
        space=on(TOUCHED_SAME, "crash"),
    ),
    "a changed property is overlooked": Mutant(
        "I10", "as-before", old=" or hooks.changed()", new="", space=on(IN_PLACE)
    ),
    "the rollback of an Update that touched nothing runs its hook": Mutant(
        "L2",
        "rollback-of-nothing",
        old="not _is_touched(held, request, hooks)",
        new="False",
        space=on(REFUSED, "fail"),
    ),
    "a rollback that died is taken for an Update that did something": Mutant(
        "L2", "rollback-that-dies", new="return False", space=on(REFUSED_TWICE, "crash")
    ),
    "the clean-up of a rollback that ran no hook runs one": Mutant(
        "I1 L2", "rollback-that-kept", new="pass", space=on(BACK_TWICE, "crash:2")
    ),
    "a rollback returns to what is half deleted": Mutant(
        "I5", "half-deleted", new="pass", space=on(HALF_DELETED, "slip")
    ),
    "an Update returns to what was replaced long ago": Mutant(
        "I5", "returns", old="replace(old, returns=False)", new="old", space=on(RETAINED_BACK)
    ),
    "what was made under the id that it was to replace is not named": Mutant(
        "I5",
        "kept-id",
        new="if is_twin:\n    return found",
        space=on(SAME_ID, "crash", named="twins"),
    ),
    "the same, by the rollback of one that has ended": Mutant(
        "I5", "twin-named", new="return left, ()", space=on(SAME_ID, named="twins")
    ),
    "the same, by the Delete of another id": Mutant(
        "I5", "twins-named", new="return ()", space=on(SAME_ID, named="twins")
    ),
    "what a replacement that died has changed is as it was, for all we know": Mutant(
        "I10",
        "dirty",
        old="kept_id in self._dirty",
        new="False",
        space=on(SAME_ID, "crash", named="upsert"),
    ),
    "what an Update does is not recorded before it does it": Mutant(
        "I10",
        "deed",
        new="pass",
        space=on(heard(WIDE), "doubt", code=[0, 0, 1], versions=WIDER, strategy="once"),
    ),
    # Requests that are not what they were
    # Another resource type under the same logical id
    "what another type left is taken over as one's own": Mutant(
        "I5 I8",
        "other-type-begins",
        old="head.resource_type != request.resource_type",
        new="False",
        space=on(OTHER_KEPT, "fail crash"),
    ),
    "another type's Delete is for what is held": Mutant(
        "I8",
        "other-type-deletes",
        old="request.resource_type != head.resource_type",
        new="False",
        space=on(OTHER_KEPT, "fail crash"),
    ),
    "what another type left is cleaned up by one's own hooks": Mutant(
        "I8",
        "other-type-left",
        old="kind != request.resource_type",
        new="False",
        space=on(OTHER_KEPT, "fail crash"),
    ),
    "what another type left is not named": Mutant(
        "I5", "other-type-named", new="others = ()", space=on(OTHER_KEPT, "fail crash")
    ),
    "a recorded answer goes to an event of other content": Mutant(
        "I9", "other-content", new="pass", space=on(OTHER_CREATE, "fail")
    ),
    "somebody else's copy of a request is begun over it": Mutant(
        "I9",
        "other-content",
        old="if again else REUSED",
        new="if not expired else REUSED",
        space=on(FORGED),
    ),
    "an answer leaves no room for the mark that new code puts on it": Mutant(
        "I12",
        "room-for-no-echo",
        new="return LIMIT",
        space=on(CREATE, copies="c:2", code=[0, 1], versions=SECRET, told=FULL + 1),
    ),
    # Results that are nowhere, and calls that are not taken
    "a function that cannot be called is called all the same": Mutant(
        "I11", "unusable", new="pass", space=on(DELETE, steps=2, unusable="b")
    ),
    "a step that returned what stands for work is taken for one that did nothing": Mutant(
        "I5", "returned-undone", new="pass", space=on(DELETE, lazy="a")
    ),
    "what a repeated call returns cannot be kept, and is taken for nothing": Mutant(
        "I5", "not-kept-learned", new="pass", space=on(DELETE, "crash", odd="a")
    ),
    "a step whose result is secret is where a replay ends": Mutant(
        "I5", "not-kept", new="pass", space=on(DELETE, "fail", secret="b", steps=3, undo="parts")
    ),
    "a step whose result could not be kept is not named": Mutant(
        "I5", "not-kept-named", new="pass", space=on(DELETE, odd="a")
    ),
    "a step that new code does not come by has no undo, for all we know": Mutant(
        "I5",
        "undo-recorded",
        old="call.undo is not None",
        new="False",
        space=on(DELETE, "fail", code=[0, 1], versions=LESS, undo="parts"),
    ),
    "a value is not recorded before it is used": Mutant(
        "I1 I5", "value-at-once", new="pass", space=on(DELETE, "crash", copies="c:2", drawn=True)
    ),
    "any error of a step that names refusals is one": Mutant(
        "I1 I5",
        "refused",
        new="is_refused = bool(call.refused)",
        space=on(DELETE, "doubt", refuses=True),
    ),
    "a call in doubt that is throttled did not happen": Mutant(
        "I1 I5", "throttled-doubt", new="pass", space=on(DELETE, "doubt throttle", throttles=True)
    ),
    # Hooks that do more than their steps tell
    "what a Create did outside its steps is never removed": Mutant(
        "I5",
        "always-delete",
        old=" or resource.always_delete",
        new="",
        space=on(DELETE, "crash", outside=True, strategy="once"),
    ),
    "what an Update did outside its steps is not undone": Mutant(
        "I5 I10", "acts-outside-steps", new="pass", space=on(IN_PLACE, "fail", outside=True)
    ),
    "another id that update has set is not recorded": Mutant(
        "I1 I5",
        "replaced-by-update",
        old=" or value != held",
        new="",
        space=on(REPLACED_BY_UPDATE, "fail", steps=2, may_replace=True),
    ),
    "what update has made in its place is not removed": Mutant(
        "I5",
        "update-has-made",
        old=" or (resource.update_may_replace and made != left.event_physical_id)",
        new="",
        space=on(REPLACED_BY_UPDATE, "crash", may_replace=True),
    ),
    "an Update that was to replace the object is taken for one in place": Mutant(
        "I1",
        "update-replaces",
        old=" or self.assigned_id is not None",
        new="",
        space=on(REPLACED_BY_UPDATE, "fail", steps=2, may_replace=True),
    ),
    "what a step that was cut short has made is not in doubt": Mutant(
        "I5", "cut-short", new="pass", space=on(DELETE, "cut", strategy="find")
    ),
    # Operators
    "an operator's write is not guarded by what he has looked at": Mutant(
        "I7",
        "operator-guard",
        new='guard = Equals(("v",), head.version)',
        space=on(REASK, "doubt nolook settle", strategy="find", transient=False),
    ),
    "what is forgotten is gone on with by who has looked before": Mutant(
        "L1",
        "forgotten-owner",
        old='f"forgotten-{head.revision}"',
        new="operation.execution.owner",
        space=on(REASK, "fail forget"),
    ),
    "what is forgotten is gone on with where it is asked again": Mutant(
        "L1",
        "forgotten-again",
        old="head.operation.cleanup.forgotten",
        new="False",
        space=on(REASK, "fail forget"),
    ),
}
MUTANTS = [
    replace(mutant, name=name, space=replace(mutant.space, name=name))
    for name, mutant in ROWS.items()
]
