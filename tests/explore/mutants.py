"""Seeded bugs: each is one substitution in the shipped source, loaded as a second copy of it."""

import importlib
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import cfn_once
from explore.scene import Place
from explore.spaces import (
    AGAIN,
    BACK,
    BACK_UNHEARD,
    CREATE,
    DELETE,
    DELETE_TWICE,
    REASK,
    RESENT,
    RETAIN,
    UPDATE,
    Space,
)

SOURCE = Path(cfn_once.__file__).parent


class _Loader(SourceFileLoader):
    """Compiles a module of the copy, from source that was changed or not."""

    def __init__(self, fullname: str, path: str, change: tuple[str, str] | None) -> None:
        super().__init__(fullname, path)
        self._change = change

    def get_code(self, fullname: str) -> CodeType | None:
        source = Path(self.path).read_text(encoding="utf-8")
        if self._change is not None:
            old, new = self._change
            if source.count(old) != 1:
                raise LookupError(f"{self.path} has {old!r} {source.count(old)} times, not once")
            source = source.replace(old, new)
        return compile(source, self.path, "exec")


class _Finder:
    """Finds the modules of a copy of the package under the copy's name."""

    def __init__(self, name: str, module: str, change: tuple[str, str]) -> None:
        self._name, self._module, self._change = name, module, change

    def find_spec(
        self, fullname: str, path: object = None, target: object = None
    ) -> ModuleSpec | None:
        if fullname != self._name and not fullname.startswith(self._name + "."):
            return None
        below = fullname[len(self._name) + 1 :]
        place = SOURCE.joinpath(*below.split(".")) if below else SOURCE
        is_package = place.is_dir()
        file = place / "__init__.py" if is_package else place.with_suffix(".py")
        change = self._change if below == self._module else None
        return importlib.util.spec_from_file_location(
            fullname,
            file,
            loader=_Loader(fullname, str(file), change),
            submodule_search_locations=[str(place)] if is_package else None,
        )


def copy_of_the_package(number: int, module: str, old: str, new: str) -> ModuleType:
    """Import the package once more, with one substitution that must match exactly once."""
    name = f"cfn_once_seeded_{number}"
    finder = _Finder(name, module, (old, new))
    sys.meta_path.insert(0, finder)
    try:
        copy = importlib.import_module(name)
        importlib.import_module(f"{name}._provider")
        if f"{name}.{module}" not in sys.modules:
            raise LookupError(f"nothing imports {module}")
    finally:
        sys.meta_path.remove(finder)
    return copy


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A seeded bug.

    Attributes:
        module: Where in the package it is.
        old, new: The substitution; the old text stands there exactly once.
        laws: Which laws may be the first to see it.
        script, copies, budgets, options, how: The space that shows it.
    """

    name: str
    module: str
    old: str
    new: str
    laws: tuple[str, ...]
    script: Mapping[str, Place]
    copies: Mapping[str, int] = field(default_factory=dict)
    budgets: Mapping[str, int] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    how: Mapping[str, Any] = field(default_factory=dict)

    def explorer(self) -> Any:
        """Set up its space on a copy of the package that has the bug."""
        number = [one.name for one in MUTANTS].index(self.name)
        return self.space().explorer(copy_of_the_package(number, self.module, self.old, self.new))

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
        module="ledger.ledger",
        old="return head.owner == me.owner and head.state == State.RUN",
        new="return False",
        laws=("L1",),
        script=CREATE,
        budgets={"lost": 1},
    ),
    Mutant(
        name="a result does not know its own earlier success",
        module="ledger.ledger",
        old="if written.applied or (head is not None and self._is_ours(head) and applied(head)):",
        new="if written.applied:",
        laws=("L1",),
        script=CREATE,
        budgets={"lost": 1},
    ),
    Mutant(
        name="no fence",
        module="ledger.transitions",
        old="""            Equals(("own",), owner),
            Equals(("f",), fence),
            Equals(("st",), State.RUN.value),""",
        new="""            Equals(("st",), State.RUN.value),""",
        laws=("I3",),
        script=DELETE,
    ),
    Mutant(
        name="a lease is taken, and its owner thought dead, while it lives",
        module="ledger.claim",
        old="""    if me.now > over:
        return Claim(_writes.take_over(head, request, me), owner_gone=over)""",
        new="""    if me.now:
        return Claim(_writes.take_over(head, request, me), owner_gone=0)""",
        laws=("I1",),
        script=CREATE,
        copies=TWICE,
        options=FIND,
    ),
    Mutant(
        name="what a debt made is sought under the id in the event",
        module="_hooks.cleanup",
        old="id=debt.id or (made if",
        new="id=self.request.physical_resource_id or (made if",
        laws=("I5",),
        script=DELETE,
        budgets=CRASH,
    ),
    Mutant(
        name="no outbox: a recorded answer is not told again",
        module="_provider",
        old='told the same again", request)\n                    return body',
        new='told the same again", request)\n                    return None',
        laws=("L1",),
        script=CREATE,
        copies=TWICE,
        budgets=CRASH,
    ),
    Mutant(
        name="an answer is told before it is recorded",
        module="_provider",
        old="        execution.finish(outcome, body)\n        return body\n",
        new="        self._delivery.put(request, body, deadline)\n"
        "        execution.finish(outcome, body)\n        return body\n",
        laws=("I6",),
        script=CREATE,
    ),
    Mutant(
        name="a once step leaves no mark before its call",
        module="_steps.steps",
        old="        if attempt.call.is_once and not in_doubt:",
        new="        if False:",
        laws=("I1",),
        script=CREATE,
        copies=TWICE,
        budgets=CRASH,
        options=ONCE,
    ),
    Mutant(
        name="a token differs from execution to execution",
        module="_steps.steps",
        old="Token.of(self._request.operation, key, generation)",
        new="Token.of(self._request.operation, key + self._granted.head.owner, generation)",
        laws=("I1",),
        script=CREATE,
        copies=TWICE,
        budgets=CRASH,
    ),
    Mutant(
        name="a result is recorded after the next call has left",
        module="_steps.steps",
        old="            self._pending[attempt.key] = attempt.record\n        self.flush()\n",
        new="            self._pending[attempt.key] = attempt.record\n",
        laws=("I1", "I3", "I5"),
        script=CREATE,
        copies=TWICE,
        budgets=CRASH,
        options={"strategy": "find", "steps": 3},
    ),
    Mutant(
        name="an older request is begun over a newer one",
        module="ledger.claim",
        old="    if not newer:\n",
        new="    if False:\n",
        laws=("I4",),
        script=DELETE,
    ),
    Mutant(
        name="an older request is begun blindly over a newer one",
        module="ledger.transitions",
        old="""        Below(("hi",), issued(request, me.now)),
        Lacks""",
        new="""        Lacks""",
        laws=("I4",),
        script=DELETE,
    ),
    Mutant(
        name="a Delete does not wait for the dead",
        module="_hooks.execution",
        old="            self._granted.wait_for_the_dead()\n",
        new="",
        laws=("I5",),
        script=DELETE,
    ),
    Mutant(
        name="no settling: what is on its way is not waited for",
        module="ledger.transitions",
        old="SETTLE = 5.0 ",
        new="SETTLE = 0.0 ",
        laws=("I5",),
        script=DELETE,
        budgets={"flight": 1},
        how={"pace": "slow"},
    ),
    Mutant(
        name="a token is repeated after its window",
        module="_steps.steps",
        old="self._clock.now() - first < call.window",
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
        module="_steps.steps",
        old="believed = SETTLE if window_open else self._visible_after",
        new="believed = SETTLE",
        laws=("I1",),
        script=CREATE,
        budgets={"lag": 1},
        options={"strategy": "find", "steps": 1, "lag": 10.0},
    ),
    Mutant(
        name="a begin forgets a failed operation",
        module="ledger.transitions",
        old="    owes = not settled and not head.went_back and leaves_something(head)\n",
        new="    owes = not settled and head.is_good\n",
        laws=("I5", "I7"),
        script=DELETE,
        budgets={"fail": 1},
    ),
    Mutant(
        name="the last fact of a superseded execution is dropped",
        module="ledger.transitions",
        old="""        (*debt, "steps", key): one.to_doc() for key, one in progress.steps.items()
""",
        new="""        (*debt, "steps", key): one.to_doc() for key, one in {}.items()
""",
        laws=("I5",),
        script=DELETE,
        options={"steps": 1, "undo": "piece"},
    ),
    Mutant(
        name="leaving, an execution forgets the doubt it took over",
        module="ledger.transitions",
        old='(*debt, "edge"): in_doubt,',
        new='(*debt, "edge"): False,',
        laws=("I5",),
        script=DELETE,
        copies=TWICE,
        budgets={"crash": 1, "nolook": 1},
        options={"steps": 1, "reads": True},
    ),
    Mutant(
        name="leaving, an execution forgets its unrecorded calls",
        module="ledger.transitions",
        old='        values[*debt, "act"] = True\n',
        new="        pass\n",
        laws=("I5",),
        script=DELETE,
        options={"steps": 0, "tags": True},
    ),
    Mutant(
        name="a supersede is computed from an old look",
        module="ledger.transitions",
        old="""                Equals(("w",), head.writes),
""",
        new="",
        laws=("I5", "I7"),
        script=DELETE,
    ),
    Mutant(
        name="a replay ignores the step in doubt",
        module="ledger.transitions",
        old="edge=head.state == State.RUN or head.took_over",
        new="edge=False",
        laws=("I5",),
        script=DELETE,
        budgets=CRASH,
    ),
    Mutant(
        name="a doubt is forgotten when the lease is given back",
        module="ledger.transitions",
        old='"lu": 0, "took": in_doubt,',
        new='"lu": 0, "took": False,',
        laws=("I1", "I5"),
        script=CREATE,
        copies={"c": 3},
        budgets={"crash": 1, "later": 1},
        options={"steps": 1, "reads": True, "strategy": "find"},
    ),
    Mutant(
        name="a clean-up Delete is taken for the Delete",
        module="_hooks.execution",
        old="clean_up_of_old = event_id != held and event_id in",
        new="clean_up_of_old = False and event_id in",
        laws=("I5",),
        script=UPDATE,
        options=ONE,
    ),
    Mutant(
        name="a doubt that nobody could resolve is forgotten",
        module="_hooks.cleanup",
        old="            if found.doubts:\n",
        new="            if False:\n",
        laws=("I5", "I7"),
        script=UPDATE,
        budgets=CRASH,
        options=ONCE,
    ),
    Mutant(
        name="a retained object is taken for a result that was not heard",
        module="ledger.transitions",
        old="    if request.type is RequestType.CREATE or head.seen:\n        return True",
        new="    if head.seen:\n        return True",
        laws=("I5",),
        script=RETAIN,
        options=ONE,
    ),
    Mutant(
        name="an id that nobody can place reaches what lives",
        module="_hooks.execution",
        old="            if head.seen or event_id in head.removed:\n                self._spares = True",  # noqa: E501 - as it stands in the source
        new="            if False:\n                self._spares = True",
        laws=("I5",),
        script=RESENT,
        options=ONE,
    ),
    Mutant(
        name="a replacement that is rolled back is made a third time",
        module="_hooks.execution",
        old="        if former is not None:  #",
        new="        if False:  #",
        laws=("I5",),
        script=BACK,
        options=ONE,
    ),
    Mutant(
        name="what replaced the held object counts as heard of",
        module="ledger.transitions",
        old='"seen": head.seen and phys == head.physical_id,',
        new='"seen": head.seen,',
        laws=("I5",),
        script=UPDATE,
        options=ONE,
    ),
    Mutant(
        name="a RequestId that is used again has its old tokens",
        module="ledger.transitions",
        old='values |= {"g0": head.fence + 1, "rnd": head.fence + 1}',
        new='values |= {"rnd": head.fence + 1}',
        laws=("I1", "I5"),
        script=AGAIN,
        options=ONE,
    ),
    Mutant(
        name="asked again, an old failure is told",
        module="ledger.claim",
        old="again = request.issued_at is not None and request.issued_at > head.issued_at",
        new="again = False",
        laws=("L1",),
        script=REASK,
        budgets={"fail": 1},
        options=ONE,
    ),
    Mutant(
        name="a failed step's token is used again",
        module="_steps.steps",
        old="            generation += 1\n",
        new="            generation += 0\n",
        laws=("L1",),
        script=REASK,
        budgets={"fail": 1},
        options=ONE,
    ),
    Mutant(
        name="a replay reads the physical id after the hook has unwound",
        module="_hooks.cleanup",
        old="made = steps.id_at_end or resource.physical_resource_id",
        new="made = resource.physical_resource_id",
        laws=("I5",),
        script=DELETE,
        budgets=CRASH,
        options={"swallows": True},
    ),
    Mutant(
        name="a step with an undo is not asked for what to undo",
        module="_hooks.cleanup",
        old="(self._debt.id is None or call.undo is not None)",
        new="self._debt.id is None",
        laws=("I5",),
        script=DELETE,
        budgets=CRASH,
        options={"undo": "parts"},
    ),
    Mutant(
        name="a replay goes on although what it learned could not be kept",
        module="_hooks.cleanup",
        old="        except LedgerUnavailable:\n            raise  # what was learned",
        new="        except ZeroDivisionError:\n            raise  # what was learned",
        laws=("I5",),
        script=DELETE,
        budgets={"crash": 1, "lost": 1},
        options={"strategy": "token+find", "steps": 1},
        how={"pace": "slow"},
    ),
    Mutant(
        name="a call that timed out is not waited for where its execution has ended",
        module="ledger.ledger",
        old="    return debt.ended / 1000 + SETTLE if debt.is_in_doubt else 0.0",
        new="    return 0.0",
        laws=("I5",),
        script=DELETE,
        budgets={"late": 1},
        options={"transient": False},
    ),
    Mutant(
        name="a replay takes what it cannot read now for what the hook decided",
        module="_hooks.cleanup",
        old="isinstance(error, HookError) and not isinstance(error, TemporaryError)",
        new="isinstance(error, HookError)",
        laws=("I5",),
        script=DELETE,
        budgets={"crash": 1, "later": 1},
        options={"steps": 1, "reads": True},
    ),
    Mutant(
        name="a rollback that nobody heard of is cleaned up like a replacement",
        module="ledger.transitions",
        old="owes = not settled and not head.went_back and",
        new="owes = not settled and",
        laws=("I5",),
        script=BACK_UNHEARD,
        budgets=CRASH,
        options={"steps": 1},
    ),
    Mutant(
        name="what a rollback went back to is forgotten when nobody heard of it",
        module="ledger.transitions",
        old="olds = [*(old for old in olds if old is not before), _held(head)]",
        new="olds = [old for old in olds if old is not before]",
        laws=("I5",),
        script=BACK_UNHEARD,
        budgets=CRASH,
        options={"steps": 1},
    ),
    Mutant(
        name="who answers for a stuck hook forgets the call it is in",
        module="ledger.ledger",
        old="            if flying is not None:\n",
        new="            if False:\n",
        laws=("I1", "I5"),
        script=DELETE,
        budgets={"ring": 1},
    ),
    Mutant(
        name="a Delete does not wait for a hook that was answered for",
        module="ledger.claim",
        old="if head.is_cut_short and me.now <= quiet:",
        new="if False:",
        laws=("I5",),
        script=DELETE_TWICE,
        budgets={"ring": 1},
        options={"steps": 1, "named": True},
    ),
    Mutant(
        name="a hook that was answered for begins further steps",
        module="ledger.ledger",
        old="""            self.go_on()
            self._in_the_air = (key, record)""",
        new="""            self._in_the_air = (key, record)""",
        laws=("I3", "I5"),
        script=DELETE,
        budgets={"ring": 1},
        options={"steps": 1, "reads": True},
    ),
    Mutant(
        name="the guardian takes for dead who may yet act",
        module="ledger.ledger",
        old="_milliseconds(max(self._deadline.clock.now(), self.owner_gone))",
        new="_milliseconds(self._deadline.clock.now())",
        laws=("I1", "I5"),
        script=DELETE,
        how={"guardians": ["c"], "timeouts": [200.0, 100.0, 400.0]},
        options={**FIND, "steps": 1},
    ),
    Mutant(
        name="a hook that is handed over forgets what its steps came to",
        module="_steps.steps",
        old="        self._granted.park(self.progress(), due=until)\n",
        new="        self._granted.park(Progress(), due=until)\n",
        laws=("I1", "I5"),
        script=CREATE,
        copies=TWICE,
        budgets={"doubt": 1},
        how={"timeouts": [26.0, 160.0]},
        options=FIND,
    ),
    Mutant(
        name="a look-up that is left to another delivery ends without an error",
        module="_steps.steps",
        old="            raise Superseded(text, again=True)\n",
        new="            raise Superseded(text, again=False)\n",
        laws=("L1",),
        script=CREATE,
        budgets={"doubt": 2},
        how={"timeouts": [26.0]},
        options={**FIND, "steps": 1},
    ),
    Mutant(
        name="who answers for a stuck hook does not record it",
        module="_hooks.execution",
        old="            self._granted.finish(ending, self._steps.progress(), cut_short=True)\n",
        new="",
        laws=("I6",),
        script=CREATE,
        budgets={"ring": 1},
    ),
    Mutant(
        name="undo is not called",
        module="_hooks.cleanup",
        old="            found.undo()\n",
        new="",
        laws=("I5",),
        script=DELETE,
        budgets=CRASH,
        options={"steps": 1, "undo": "piece"},
    ),
    Mutant(
        name="the head tells of a result that is not yet spilled",
        module="_steps.results",
        old="        self._granted.spill(self._spill_name(key, record), text)",
        new="        pass",
        laws=("I7",),
        script=CREATE,
        options={"long": True},
    ),
    Mutant(
        name="what lives may expire",
        module="ledger.transitions",
        old="        if head.type == RequestType.DELETE and not ending.spares:",
        new="        if head.type != RequestType.UPDATE and not ending.spares:",
        laws=("I1",),
        script=DELETE,
    ),
]
