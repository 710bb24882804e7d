"""Seeded bugs: each is one substitution in the shipped source, loaded as a second copy of it."""

import ast
import importlib
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from textwrap import indent
from types import CodeType, ModuleType
from typing import Any

import cfn_once
from explore.scene import Place
from explore.spaces import (
    ADOPTED_REPLACED,
    AGAIN,
    BACK,
    BACK_UNHEARD,
    CREATE,
    DELETE,
    DELETE_TWICE,
    FOREIGN,
    FORGED,
    GIVEN_UP_BACK,
    HALF_DELETED,
    IN_PLACE,
    KEPT_CD,
    KEPT_CD_SAME,
    KEPT_NEVER,
    LESS,
    OTHER_CREATE,
    REASK,
    REFUSED,
    RESENT,
    RETAIN,
    RETAIN_LATE,
    RETAINED_BACK,
    TAKEN_BACK,
    TOUCHED_REFUSED_REPLACEMENT,
    TOUCHED_REPLACED,
    TOUCHED_SAME,
    UPDATE,
    WIDE,
    WIDER,
    Space,
    heard,
)

SOURCE = Path(cfn_once.__file__).parent


class _Loader(SourceFileLoader):
    """Compiles a module of the copy, from source that was changed or not."""

    def __init__(self, fullname: str, path: str, source: str | None) -> None:
        super().__init__(fullname, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType | None:
        source = self._source or Path(self.path).read_text(encoding="utf-8")
        return compile(source, self.path, "exec")


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


def place_of(seeded: str) -> tuple[Path, str]:
    """Return the one module that bears a mark, and its source.

    Raises:
        LookupError: No module bears it, or it stands in two places.
    """
    sources = {file: file.read_text(encoding="utf-8") for file in sorted(SOURCE.rglob("*.py"))}
    places = {file: source.count(f"{MARK}{seeded}\n") for file, source in sources.items()}
    if sum(places.values()) != 1:
        raise LookupError(f"{MARK}{seeded} stands in {sum(places.values())} places, not in one")
    file = max(places, key=places.__getitem__)
    return file, sources[file]


def broken(source: str, seeded: str, old: str, new: str) -> str:
    """Return a source with a bug in the statement below a mark.

    Args:
        source: That of the module.
        seeded: The mark's name.
        old: What to replace in the statement, which has it once; all of it unless given.
        new: What stands there instead.

    Raises:
        LookupError: The statement does not have `old`, or has it twice.
    """
    lines = source.splitlines(keepends=True)
    mark = [line.strip() for line in lines].index(MARK + seeded) + 1
    statements = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt))
    below = min((s for s in statements if s.lineno > mark), key=lambda s: s.lineno)
    first, last = below.lineno - 1, below.end_lineno
    text = "".join(lines[first:last])
    if old and text.count(old) != 1:
        raise LookupError(
            f"the statement of {seeded} has {old!r} {text.count(old)} times, not once"
        )
    changed = text.replace(old, new) if old else indent(new + "\n", " " * below.col_offset)
    return "".join([*lines[:first], changed, *lines[last:]])


def copy_of_the_package(number: int, seeded: str, old: str, new: str) -> ModuleType:
    """Import the package once more, with one bug in it."""
    name = f"cfn_once_seeded_{number}"
    file, source = place_of(seeded)
    finder = _Finder(name, file, broken(source, seeded, old, new))
    sys.meta_path.insert(0, finder)
    try:
        copy = importlib.import_module(name)
        importlib.import_module(f"{name}._provider")
        below = file.relative_to(SOURCE).with_suffix("").parts
        if ".".join([name, *below]) not in sys.modules:
            raise LookupError(f"nothing imports {file}")
    finally:
        sys.meta_path.remove(finder)
    return copy


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A seeded bug.

    Attributes:
        seeded: The name of the mark above the statement that it is in.
        old, new: The substitution in that statement; without `old`, all of it.
        laws: Which laws may be the first to see it.
        script, copies, budgets, options, how: The space that shows it.
    """

    name: str
    seeded: str
    new: str
    old: str = ""
    laws: tuple[str, ...]
    script: Mapping[str, Place]
    copies: Mapping[str, int] = field(default_factory=dict)
    budgets: Mapping[str, int] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    how: Mapping[str, Any] = field(default_factory=dict)

    def explorer(self) -> Any:
        """Set up its space on a copy of the package that has the bug."""
        number = [mutant.name for mutant in MUTANTS].index(self.name)
        return self.space().explorer(copy_of_the_package(number, self.seeded, self.old, self.new))

    def space(self) -> Space:
        """Return the space that shows it; without the bug, all laws hold there."""
        return Space(
            name=self.name,
            script=self.script,
            copies=self.copies,
            budgets=self.budgets,
            options=self.options,
            **self.how,
        )


TWICE, CRASH = {"c": 2}, {"crash": 1}
ONE, FIND, BOTH = {"steps": 1}, {"strategy": "find"}, {"strategy": "token+find"}
ONCE = {"strategy": "once", "steps": 1}
MUTANTS = [
    Mutant(
        name="a write does not know its own earlier success",
        seeded="claim-recognised",
        new="return False",
        laws=("L1",),
        script=CREATE,
        budgets={"lost": 1},
    ),
    Mutant(
        name="a result does not know its own earlier success",
        seeded="write-recognised",
        old=" or (head is not None and self._is_ours(head) and applied(head))",
        new="",
        laws=("L1",),
        script=CREATE,
        budgets={"lost": 1},
    ),
    Mutant(
        name="no fence",
        seeded="held-by",
        old='Equals((*at, "own"), owner), ',
        new="",
        laws=("I3",),
        script=DELETE,
    ),
    Mutant(
        name="a lease is taken, and its owner thought dead, while it lives",
        seeded="lease-runs",
        new="if candidate.now:\n    return Claim(resumed, 0, goes_on=True)",
        laws=("I1",),
        script=CREATE,
        copies=TWICE,
        options=FIND,
    ),
    Mutant(
        name="what a debt made is sought under the id in the event",
        seeded="leftover-id",
        old="left.assigned_id or",
        new="self.journal.request.physical_resource_id or",
        laws=("I8",),
        script=DELETE,
        budgets=CRASH,
    ),
    Mutant(
        name="no outbox: a recorded answer is not told again",
        seeded="replay-response",
        new="return None",
        laws=("L1",),
        script=CREATE,
        copies=TWICE,
        budgets=CRASH,
    ),
    Mutant(
        name="an answer is told before it is recorded",
        seeded="record-first",
        new="respond(encode(self._request, outcome)[1])\nreturn self._recorded(outcome)",
        laws=("I6",),
        script=CREATE,
    ),
    Mutant(
        name="a once step leaves no mark before its call",
        seeded="once-mark",
        old="if attempt.call.is_once:",
        new="if False:",
        laws=("I1",),
        script=CREATE,
        copies=TWICE,
        budgets=CRASH,
        options=ONCE,
    ),
    Mutant(
        name="a token differs from execution to execution",
        seeded="token",
        old="key, generation",
        new="key + self.journal.operation.owner, generation",
        laws=("I1",),
        script=CREATE,
        copies=TWICE,
        budgets=CRASH,
    ),
    Mutant(
        name="a result is recorded after the next call has left",
        seeded="pending-before-call",
        new="pass",
        laws=("I1", "I3", "I5"),
        script=CREATE,
        copies=TWICE,
        budgets=CRASH,
        options={"strategy": "find", "steps": 3},
    ),
    Mutant(
        name="an older request is begun over a newer one",
        seeded="newer",
        new="newer = True",
        laws=("I4",),
        script=DELETE,
    ),
    Mutant(
        name="an older request is begun blindly over a newer one",
        seeded="newer-blind",
        old='Below((*OPERATION, "iss"), issued(request, candidate.now)),',
        new="",
        laws=("I4",),
        script=DELETE,
    ),
    Mutant(
        name="a Delete does not wait for the dead",
        seeded="previous-owners",
        new="pass",
        laws=("I5",),
        script=DELETE,
    ),
    Mutant(
        name="no settling: what is on its way is not waited for",
        seeded="in-flight-grace",
        old="5.0",
        new="0.0",
        laws=("I5",),
        script=DELETE,
        budgets={"flight": 1},
        how={"pace": "slow"},
    ),
    Mutant(
        name="a token is repeated after its window",
        seeded="token-window",
        old="self._clock.now() - first_used < call.window",
        new="True",
        laws=("I1",),
        script=CREATE,
        copies={"c": 3},
        budgets={"crash": 2},
        options={"window": 50.0, "forgets": True, "steps": 1},
        how={"pace": "brisk"},
    ),
    Mutant(
        name="an absent look-up is believed at once",
        seeded="absent-believed",
        old="self._visible_after",
        new="IN_FLIGHT_GRACE",
        laws=("I1",),
        script=CREATE,
        budgets={"lag": 1},
        options={"strategy": "find", "steps": 1, "lag": 10.0},
    ),
    Mutant(
        name="a begin forgets a failed operation",
        seeded="leftovers-kept",
        old="leaves_something(operation)",
        new="operation.state == State.SUCCEEDED",
        laws=("I5", "I7"),
        script=DELETE,
        budgets={"fail": 1},
    ),
    Mutant(
        name="the last fact of a superseded execution is dropped",
        seeded="last-facts",
        old="_recorded(progress, head, at)",
        new="_recorded(progress if at == OPERATION else progress._replace(steps={}), head, at)",
        laws=("I5",),
        script=DELETE,
        options={"steps": 1, "undo": "piece"},
    ),
    Mutant(
        name="leaving, an execution forgets the doubt it took over",
        seeded="park",
        old="progress.tail_in_doubt",
        new="progress.tail_in_doubt and at == OPERATION",
        laws=("I5",),
        script=DELETE,
        copies=TWICE,
        budgets={"crash": 1, "nolook": 1},
        options={"steps": 1, "reads": True},
    ),
    Mutant(
        name="leaving, an execution forgets its unrecorded calls",
        seeded="last-facts",
        old="_recorded(progress, head, at)",
        new="_recorded(progress if at == OPERATION else Progress(progress.steps), head, at)",
        laws=("I5",),
        script=DELETE,
        options={"steps": 0, "tags": True},
    ),
    Mutant(
        name="a supersede is computed from an old look",
        seeded="begin-over-guard",
        old='Equals(("w",), head.revision), ',
        new="",
        laws=("I5", "I7"),
        script=DELETE,
    ),
    Mutant(
        name="a replay ignores the step in doubt",
        seeded="tail-in-doubt",
        new="return False",
        laws=("I5",),
        script=DELETE,
        budgets=CRASH,
    ),
    Mutant(
        name="a doubt is forgotten when the lease is given back",
        seeded="park",
        old="progress.tail_in_doubt",
        new="progress.tail_in_doubt and at != OPERATION",
        laws=("I1", "I5"),
        script=CREATE,
        copies={"c": 3},
        budgets={"crash": 1, "later": 1},
        options={"steps": 1, "reads": True, "strategy": "find"},
    ),
    Mutant(
        name="a clean-up Delete is taken for the Delete",
        seeded="cleanup-target",
        old="return Id.REPLACED",
        new="return Id.HELD",
        laws=("I8",),
        script=UPDATE,
        options=ONE,
    ),
    Mutant(
        name="a doubt that nobody could resolve is forgotten",
        seeded="unresolved-kept",
        old="if found:",
        new="if False:",
        laws=("I5", "I7"),
        script=UPDATE,
        budgets=CRASH,
        options=ONCE,
    ),
    Mutant(
        name="a retained object is taken for a result that was not heard",
        seeded="retained",
        old="is_same and ",
        new="",
        laws=("I5",),
        script=RETAIN,
        options=ONE,
    ),
    Mutant(
        name="an id that nobody can place reaches what lives",
        seeded="unplaceable",
        new="return _all(head)",
        laws=("I8",),
        script=RESENT,
        options=ONE,
    ),
    Mutant(
        name="a replacement that is rolled back is made a third time",
        seeded="replaced-before",
        old="if former is not None:",
        new="if False:",
        laws=("I1", "I5"),
        script=BACK,
        options=ONE,
    ),
    Mutant(
        name="what replaced the held object counts as heard of",
        seeded="acknowledged",
        old=" and held.id == head.held_id",
        new="",
        laws=("I1", "I5"),
        script=UPDATE,
        options=ONE,
    ),
    Mutant(
        name="a RequestId that is used again has its old tokens",
        seeded="reused-request-id",
        old="generation=head.revision + 1, ",
        new="",
        laws=("I1", "I5"),
        script=AGAIN,
        options=ONE,
    ),
    Mutant(
        name="asked again, an old failure is told",
        seeded="asked-again",
        new="again = False",
        laws=("L1",),
        script=REASK,
        budgets={"fail": 1},
        options=ONE,
    ),
    Mutant(
        name="a failed step's token is used again",
        seeded="next-generation",
        old="+= 1",
        new="+= 0",
        laws=("L1",),
        script=REASK,
        budgets={"fail": 1},
        options=ONE,
    ),
    Mutant(
        name="a replay reads the physical id after the hook has unwound",
        seeded="id-at-end",
        old="replay.id_at_end or ",
        new="",
        laws=("I5",),
        script=DELETE,
        budgets=CRASH,
        options={"swallows": True},
    ),
    Mutant(
        name="a step with an undo is not asked for what to undo",
        seeded="undo-asked",
        old=" or call.undo is not None",
        new="",
        laws=("I5",),
        script=DELETE,
        budgets=CRASH,
        options={"undo": "parts"},
    ),
    Mutant(
        name="a replay goes on although what it learned could not be kept",
        seeded="unrecorded-learning",
        old="except LedgerUnavailable:",
        new="except ZeroDivisionError:",
        laws=("I5",),
        script=DELETE,
        budgets={"crash": 1, "lost": 1},
        options={"strategy": "token+find", "steps": 1},
        how={"pace": "slow"},
    ),
    Mutant(
        name="a call that timed out is not waited for where its execution has ended",
        seeded="timed-out-call",
        old="left.is_in_doubt",
        new="left.state == State.RUNNING",
        laws=("I5",),
        script=DELETE,
        budgets={"late": 1},
        options={"transient": False},
    ),
    Mutant(
        name="a replay takes what it cannot read now for what the hook decided",
        seeded="undecided",
        old=" and not isinstance(error, TemporaryError)",
        new="",
        laws=("I5",),
        script=DELETE,
        budgets={"crash": 1, "later": 1},
        options={"steps": 1, "reads": True},
    ),
    Mutant(
        name="a rollback that nobody heard of is cleaned up like a replacement",
        seeded="returned",
        old="held.made_by == Origin.RETURNED",
        new="False",
        laws=("I1", "I5"),
        script=BACK_UNHEARD,
        budgets=CRASH,
        options={"steps": 1},
    ),
    Mutant(
        name="what a rollback went back to is forgotten when nobody heard of it",
        seeded="restored-replaced",
        new="pass",
        laws=("I1", "I5"),
        script=BACK_UNHEARD,
        budgets=CRASH,
        options={"steps": 1},
    ),
    Mutant(
        name="who answers for a stuck hook forgets the call it is in",
        seeded="time-out-call",
        old="if in_flight is not None and in_flight[1] is not None:",
        new="if False:",
        laws=("I1", "I5"),
        script=DELETE,
        budgets={"ring": 1},
    ),
    Mutant(
        name="a Delete does not wait for a hook that was answered for",
        seeded="time-out-wait",
        old="if head.operation.state != State.RUNNING and candidate.now < ended:",
        new="if False:",
        laws=("I5",),
        script=DELETE_TWICE,
        budgets={"ring": 1},
        options={"steps": 1, "named": True},
    ),
    Mutant(
        name="a hook that was answered for begins further steps",
        seeded="call-after-end",
        old="self.lease.ensure_held()",
        new="pass",
        laws=("I3", "I5"),
        script=DELETE,
        budgets={"ring": 1},
        options={"steps": 1, "reads": True},
    ),
    Mutant(
        name="the guardian takes for dead who may yet act",
        seeded="guardian-end",
        new="return milliseconds(self._deadline.clock.now())",
        laws=("I1", "I5"),
        script=DELETE,
        how={"guardians": ["c"], "timeouts": [200.0, 100.0, 400.0]},
        options={**FIND, "steps": 1},
    ),
    Mutant(
        name="a hook that is handed over forgets what its steps came to",
        seeded="hand-over",
        old="journal.progress()",
        new="type(journal.progress())()",
        laws=("I1", "I5"),
        script=CREATE,
        copies=TWICE,
        budgets={"doubt": 1},
        how={"timeouts": [26.0, 160.0]},
        options=FIND,
    ),
    Mutant(
        name="a look-up that is left to another delivery ends without an error",
        seeded="left-to-another",
        old="again=True",
        new="again=False",
        laws=("L1",),
        script=CREATE,
        budgets={"doubt": 2},
        how={"timeouts": [26.0]},
        options={**FIND, "steps": 1},
    ),
    Mutant(
        name="who answers for a stuck hook does not record it",
        seeded="time-out-record",
        old="self._lease.finish",
        new="timed_out or self._lease.finish",
        laws=("I6",),
        script=CREATE,
        budgets={"ring": 1},
    ),
    Mutant(
        name="undo is not called",
        seeded="undo-called",
        new="pass",
        laws=("I5",),
        script=DELETE,
        budgets=CRASH,
        options={"steps": 1, "undo": "piece"},
    ),
    Mutant(
        name="the head tells of a result that is not yet spilled",
        seeded="spill-first",
        new="pass",
        laws=("I7",),
        script=CREATE,
        options={"long": True},
    ),
    Mutant(
        name="what lives may expire",
        seeded="live-no-ttl",
        old="deletes and",
        new="operation.type != RequestType.UPDATE and",
        laws=("I1",),
        script=DELETE,
    ),
    # Ids that stand for nothing
    Mutant(
        name="a placeholder stands for whatever is held",
        seeded="own-placeholder",
        old="held.operation == operation and ",
        new="",
        laws=("I8",),
        script=KEPT_CD,
        budgets={"fail": 1},
        options=ONE,
    ),
    Mutant(
        name="an id that CloudFormation made up stands for whatever is held",
        seeded="guess",
        old=" and _must_be_that(head, held, asked)",
        new="",
        laws=("I8",),
        script=RETAIN_LATE,
        options=ONE,
    ),
    Mutant(
        name="the same, where another Create may have been answered",
        seeded="must-be-alone",
        new="alone = True",
        laws=("I8",),
        script=KEPT_CD_SAME,
        budgets=CRASH,
        options=ONE,
    ),
    Mutant(
        name="the same, where the properties differ",
        seeded="must-be-equal",
        old="held.properties == asked and ",
        new="",
        laws=("I8",),
        script=RETAIN_LATE,
        options=ONE,
    ),
    Mutant(
        name="the same, where CloudFormation knows what is held",
        seeded="holds",
        old="Holds.ACKNOWLEDGED if head.acknowledged else ",
        new="",
        laws=("I8",),
        script=KEPT_NEVER,
        copies={"c": 0},
        budgets={"fail": 1},
        options=ONE,
    ),
    Mutant(
        name="a Create is confirmed before CloudFormation has said so",
        seeded="unconfirmed",
        new="left = []",
        laws=("I8",),
        script=KEPT_CD_SAME,
        budgets=CRASH,
        options=ONE,
    ),
    Mutant(
        name="an id that CloudFormation made up is taken for another handler's",
        seeded="invented",
        new="return Id.FOREIGN",
        laws=("I8",),
        script=DELETE,
        options=ONE,
    ),
    Mutant(
        name="what another handler made is taken for nothing",
        seeded="invented",
        new="return Id.INVENTED",
        laws=("I8",),
        script=FOREIGN,
        budgets={"fail": 1},
        options=ONE,
    ),
    Mutant(
        name="a hook runs for an id that CloudFormation made up",
        seeded="stands-for-nothing",
        new="return True",
        laws=("I8",),
        script=DELETE,
        copies={"c": 0},
    ),
    Mutant(
        name="another handler's id stands for what is held",
        seeded="foreign",
        new="return _all(head)",
        laws=("I8",),
        script=FOREIGN,
        options=ONE,
    ),
    Mutant(
        name="what another handler made is not named",
        seeded="foreign",
        old="left=(left, *_unheard(head))",
        new="left=()",
        laws=("I5",),
        script=FOREIGN,
        options=ONE,
    ),
    Mutant(
        name="what is held and was never heard of is not named",
        seeded="unheard-named",
        new="return ()",
        laws=("I5",),
        script=FOREIGN,
        options=ONE,
    ),
    Mutant(
        name="what was displaced is not named",
        seeded="replaced-named",
        new="rest = []",
        laws=("I5",),
        script=TAKEN_BACK,
        options=ONE,
    ),
    Mutant(
        name="what was forgotten is not named",
        seeded="forgotten-named",
        new="return ()",
        laws=("I5",),
        script=KEPT_CD_SAME,
        options=ONE,
    ),
    Mutant(
        name="a Create forgets what was held and never heard of",
        seeded="retained",
        old="forgotten = [*forgotten, held][-MOST_FORGOTTEN:]",
        new="pass",
        laws=("I5",),
        script=KEPT_CD_SAME,
        options=ONE,
    ),
    Mutant(
        name="an Update forgets a replacement that nobody heard of",
        seeded="unheard",
        new="pass",
        laws=("I5",),
        script=UPDATE,
        options=ONE,
    ),
    Mutant(
        name="a clean-up that failed for good is not tried again, or named",
        seeded="failed-cleanup",
        new="again = []",
        laws=("I5",),
        script=GIVEN_UP_BACK,
        budgets={"slip": 1},
        options=ONE,
    ),
    # Older objects, and Updates that touched something or nothing
    Mutant(
        name="a first Update of an older object does not adopt it",
        seeded="begin-adopts",
        new="pass",
        laws=("I1", "I5"),
        script=ADOPTED_REPLACED,
        options=ONE,
        how={"holds": "old"},
    ),
    Mutant(
        name="an adopted object takes the place of what nobody names",
        seeded="adopted",
        old="replaced=displaced",
        new="replaced=others",
        laws=("I5",),
        script=TAKEN_BACK,
        options=ONE,
    ),
    Mutant(
        name="what an Update in place may have done is forgotten",
        seeded="touched",
        new="touched = None",
        laws=("I10",),
        script=IN_PLACE,
        budgets={"doubt": 1},
        options=ONE,
    ),
    Mutant(
        name="an Update that died is taken for one that did nothing",
        seeded="touched-object",
        new="return False",
        laws=("I10",),
        script=IN_PLACE,
        budgets=CRASH,
        options=ONE,
    ),
    Mutant(
        name="an Update that acted is taken for a replacement that did nothing to the object",
        seeded="touched-surely",
        old=" and held.touched == Touched.MAYBE",
        new="",
        laws=("I10",),
        script=heard(WIDE),
        budgets={"doubt": 1},
        how={"code": [0, 0, 1]},
        options={"code": WIDER, "strategy": "once"},
    ),
    Mutant(
        name="the Update that died is taken for the one that is rolled back",
        seeded="undone",
        new="is_undone = True",
        laws=("I10",),
        script=TOUCHED_REFUSED_REPLACEMENT,
        budgets=CRASH,
        options=ONE,
    ),
    Mutant(
        name="a touched object is replaced by a third one when a replacement is rolled back",
        seeded="touched-rollback",
        new="pass",
        laws=("I1", "I5"),
        script=heard(UPDATE),
        options={"steps": 1, "named": "twins"},
    ),
    Mutant(
        name="a replacement is rolled back to what was touched before it, as it is",
        seeded="replaced-before",
        old="Update(former.id) if _is_touched(former, request, hooks) else ",
        new="",
        laws=("I10",),
        script=TOUCHED_REPLACED,
        budgets={"doubt": 1},
        options=ONCE,
    ),
    Mutant(
        name="a touched object is as it was, for nothing is to be changed",
        seeded="touched-same",
        old="held.touched is None and ",
        new="",
        laws=("I10",),
        script=TOUCHED_SAME,
        budgets=CRASH,
        options=ONE,
    ),
    Mutant(
        name="a changed property is overlooked",
        seeded="as-before",
        old=" or hooks.changed()",
        new="",
        laws=("I10",),
        script=IN_PLACE,
        options=ONE,
    ),
    Mutant(
        name="the rollback of an Update that touched nothing runs its hook",
        seeded="rollback-of-nothing",
        old="not _is_touched(held, request, hooks)",
        new="False",
        laws=("L2",),
        script=REFUSED,
        budgets={"fail": 1},
        options=ONE,
    ),
    Mutant(
        name="a rollback returns to what is half deleted",
        seeded="half-deleted",
        new="pass",
        laws=("I5",),
        script=HALF_DELETED,
        budgets={"slip": 1},
        options=ONE,
    ),
    Mutant(
        name="an Update returns to what was replaced long ago",
        seeded="returns",
        old="replace(old, returns=False)",
        new="old",
        laws=("I5",),
        script=RETAINED_BACK,
        options=ONE,
    ),
    Mutant(
        name="what was made under the id that it was to replace is not named",
        seeded="kept-id",
        new="if found.id == left.event_physical_id:\n    return found.doubts",
        laws=("I5",),
        script=heard(UPDATE, "u"),
        budgets=CRASH,
        options={"steps": 1, "named": "twins"},
    ),
    Mutant(
        name="what an Update does is not recorded before it does it",
        seeded="deed",
        new="pass",
        laws=("I10",),
        script=heard(WIDE),
        budgets={"doubt": 1},
        how={"code": [0, 0, 1]},
        options={"code": WIDER, "strategy": "once"},
    ),
    # Requests that are not what they were
    Mutant(
        name="a recorded answer goes to an event of other content",
        seeded="other-content",
        new="pass",
        laws=("I9",),
        script=OTHER_CREATE,
        budgets={"fail": 1},
        options=ONE,
    ),
    Mutant(
        name="somebody else's copy of a request is begun over it",
        seeded="other-content",
        old="if again else REUSED",
        new="if not expired else REUSED",
        laws=("I5",),
        script=FORGED,
        options=ONE,
    ),
    # Results that are nowhere, and calls that are not taken
    Mutant(
        name="what a repeated call returns cannot be kept, and is taken for nothing",
        seeded="not-kept-learned",
        new="pass",
        laws=("I5",),
        script=DELETE,
        budgets=CRASH,
        options={"steps": 1, "odd": "a"},
    ),
    Mutant(
        name="a step whose result is secret is where a replay ends",
        seeded="not-kept",
        new="pass",
        laws=("I5",),
        script=DELETE,
        budgets={"fail": 1},
        options={"secret": "b", "steps": 3, "undo": "parts"},
    ),
    Mutant(
        name="a step whose result could not be kept is not named",
        seeded="not-kept-named",
        new="pass",
        laws=("I5",),
        script=DELETE,
        options={"steps": 1, "odd": "a"},
    ),
    Mutant(
        name="a step that new code does not come by has no undo, for all we know",
        seeded="undo-recorded",
        new="pass",
        laws=("I5",),
        script=DELETE,
        budgets={"fail": 1},
        options={"code": LESS, "undo": "parts"},
        how={"code": [0, 1]},
    ),
    Mutant(
        name="a call in doubt that is throttled did not happen",
        seeded="throttled-doubt",
        new="pass",
        laws=("I1", "I5"),
        script=DELETE,
        budgets={"doubt": 1, "throttle": 1},
        options={"steps": 1, "throttles": True},
    ),
]
