"""The spaces: what CloudFormation sends, how much may go wrong, and what must be reached.

Each is named for what it is meant to reach; one that never reaches it shows nothing, and fails.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any

from explore.explorer import Explorer
from explore.scene import Place, Scene, Script

C = Place("C1", "Create", 1, None, None, properties="P")
D = Place("D9", "Delete", 9, None, None)
U = Place("U2", "Update", 2, None, None, properties="Q", old="P")

CREATE = {"c": C}
DELETE = {"c": C._replace(good="d", bad="d"), "d": D}
DELETE_BEGUN = {"c": C._replace(good="d", bad="d", begins=True), "d": D}
DELETE_SAME_SECOND = {**DELETE_BEGUN, "d": D._replace(order=1)}
DELETE_FAILS = {
    "c": C._replace(good="g", bad="g"),
    "g": Place("D2", "Delete", 2, None, "d"),
    "d": D._replace(id="same"),
}
# CloudFormation stops waiting soon; the next request cleans up.
DELETE_EXPIRED = {
    "c": DELETE["c"]._replace(timeout=60),
    "d": D._replace(timeout=150),
}
# A Create that is left in doubt and retained, and an Update of the next one.
RETAIN_UPDATE = {
    "c": C._replace(good="x", bad="x", hears=True),
    "x": Place("C3", "Create", 3, "v", "d", properties="Q", begins=True),
    "v": Place("U4", "Update", 4, "w", "d", properties="P", old="Q"),
    "w": Place("D5", "Delete", 5, "d", "d", id="before", properties="Q"),
    "d": D,
}
# Requests that are more than five minutes old when they arrive.
DELETE_OLD = {"c": DELETE["c"]._replace(order=-400), "d": D._replace(order=-399)}
REASK = {"c": C._replace(good=None, bad="e"), "e": C._replace(order=2)}
REASK_DELETE = {
    "c": C._replace(good="d", bad="e"),
    "e": C._replace(order=2, good="d", bad="d"),
    "d": D,
}
# A replacing Update, then the clean-up of what it replaced, or the rollback.
UPDATE = {
    "c": C._replace(good="u", bad="d"),
    "u": U._replace(good="o", bad="r"),
    "o": Place("D3", "Delete", 3, "d", "d", id="before", properties="P"),
    "r": Place("U4", "Update", 4, "d", "d", properties="P", old="Q"),
    "d": D,
}
UPDATE_BEGUN = {
    **UPDATE,
    "c": UPDATE["c"]._replace(begins=True),
    "u": UPDATE["u"]._replace(begins=True),
    "r": UPDATE["r"]._replace(begins=True),
    "o": UPDATE["o"]._replace(begins=True),
}
# A replacing Update over a replacing Update: the second starts from the first one's properties.
UPDATE_TWICE = {
    "c": C._replace(good="u", bad="d"),
    "u": U._replace(good="o", bad="v"),
    "o": Place("D3", "Delete", 3, "d", "d", id="before", properties="P"),
    "v": Place("U3", "Update", 3, "w", "r", properties="R", old="Q"),
    "w": Place("D4", "Delete", 4, "d", "d", id="before", properties="P"),
    "r": Place("U5", "Update", 5, "d", "d", properties="P", old="R"),
    "d": D,
}
# A replacing Update, and after its clean-up another one back.
THERE_AND_BACK = {
    "c": C._replace(good="u", bad="d"),
    "u": U._replace(good="o", bad="u"),
    "o": Place("D3", "Delete", 3, "v", "o", id="before", properties="P"),
    "v": Place("U4", "Update", 4, "q", "d", properties="P", old="Q"),
    "q": Place("D6", "Delete", 6, "d", "d", id="before", properties="Q"),
    "d": D,
}
# A second Update over a first one, and asked again: a round with a debt.
UPDATE_REASK = {
    "c": C._replace(good="u", bad="d"),
    "u": U._replace(good="o", bad="v"),
    "v": Place("U3", "Update", 3, "o", "w", properties="R", old="Q"),
    "w": Place("U3", "Update", 4, "o", "d", properties="R", old="Q"),
    "o": Place("D5", "Delete", 5, "d", "d", id="before", properties="P"),
    "d": D,
}
# Retained, and added again under its logical id.
RETAIN = {
    "c": C._replace(good="x", bad="d"),
    "x": Place("C3", "Create", 3, "d", "d", properties="Q", begins=True),
    "d": D,
}
# The clean-up Delete is sent again under a new RequestId.
RESENT = {
    "c": C._replace(good="u", bad="d"),
    "u": U._replace(good="o", bad="u"),
    "o": Place("D3", "Delete", 3, "p", "p", id="before", properties="P"),
    "p": Place("D4", "Delete", 4, "d", "d", id="before", properties="P"),
    "d": D,
}
# A replacement is rolled back: the rollback carries the new id, or the old one.
BACK = {
    "c": C._replace(good="u", bad="d"),
    "u": U._replace(good="n", bad="u"),
    "n": Place("U5", "Update", 5, "q", "n", properties="P", old="Q"),
    "q": Place("D6", "Delete", 6, "d", "d", id="oldest", properties="Q"),
    "d": D,
}
BACK_OLD = {
    "c": C._replace(good="u", bad="d"),
    "u": U._replace(good="R", bad="R"),
    "R": Place("U5", "Update", 5, "q", "R", id="swapped", properties="P", old="Q"),
    "q": Place("D6", "Delete", 6, "d", "d", id="oldest", properties="Q"),
    "d": D,
}
# The same, and nobody hears of the rollback: another one follows it.
BACK_UNHEARD = {
    **BACK,
    "n": BACK["n"]._replace(bad="m"),
    "m": Place("U7", "Update", 7, "q", "m", properties="P", old="Q"),
}
# A RequestId is used again, after a Delete.
AGAIN = {
    "c": C._replace(good="y", bad="y"),
    "y": Place("D2", "Delete", 2, "z", "y"),
    "z": C._replace(order=3, good=None, bad="d"),
    "d": D,
}
# A Delete fails, a second one follows, and it is made again under its name.
DELETE_TWICE = {
    "c": C._replace(good="y", bad="y", hears=True),
    "y": Place("D2", "Delete", 2, "z", "h", hears=True),
    "h": Place("D3", "Delete", 3, "z", "h", "same"),
    "z": Place("C4", "Create", 4, "v", "d", hears=True),
    "v": Place("U5", "Update", 5, "d", "d", properties="P2", old="P"),
    "d": D,
}
# An Update in place, and its rollback.
IN_PLACE = {
    "c": C._replace(good="u", bad="d"),
    "u": U._replace(properties="P2", good="d", bad="r"),
    "r": Place("U4", "Update", 4, "d", "d", properties="P", old="P2"),
    "d": D,
}
# An Update in place over an Update in place.
IN_PLACE_TWICE = {
    "c": C._replace(good="u", bad="d"),
    "u": U._replace(properties="P2", good="v", bad="v"),
    "v": Place("U3", "Update", 3, "d", "d", properties="P3", old="P2"),
    "d": D,
}

TOKEN, FIND, BOTH, ONCE = STRATEGIES = ("token", "find", "token+find", "once")


@dataclass(frozen=True, kw_only=True)
class Space:
    """One exploration.

    Attributes:
        reaches: Marks that it must come by.
        copies: Deliveries of a place, where there is more than one.
        guardians: Places of which the guardian hears that all deliveries have failed.
        budgets: How many faults of each kind.
        options: What the scene is besides.
        deep: Only part of the long exploration.
    """

    name: str
    script: Mapping[str, Place]
    reaches: Sequence[str] = ()
    copies: Mapping[str, int] = field(default_factory=dict)
    guardians: Sequence[str] = ()
    budgets: Mapping[str, int] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    dated: bool = True
    boxes: bool = False
    pace: str = ""
    skews: Sequence[float] = (0.0,)
    timeouts: Sequence[float] = ()
    deep: bool = False

    def explorer(self, kit: ModuleType | None = None) -> Any:
        """Set it up on the package, or on a copy of it with a seeded bug."""
        kit = kit or import_module("cfn_once")
        script = Script(next(iter(self.script)), dict(self.script), dated=self.dated)
        return Explorer(
            kit,
            Scene(kit, script, **self.options),
            copies=self.copies,
            guardians=self.guardians,
            budgets=self.budgets,
            timeouts=self.timeouts,
            boxes=self.boxes,
            pace=self.pace,
            skews=self.skews,
        )


def _each(
    name: str,
    script: Mapping[str, Place],
    *,
    strategies: Sequence[str] = STRATEGIES,
    deep: Sequence[str] = (),
    **how: Any,
) -> list[Space]:
    """Make one space a strategy."""
    options, reaches = how.pop("options", {}), how.pop("reaches", "").split()
    return [
        Space(
            name=f"{name}: {strategy}",
            script=script,
            options={**options, "strategy": strategy},
            reaches=[
                *reaches,
                *(["find"] if "find" in strategy and "takeover" in reaches else []),
                *(["start"] if strategy == ONCE else []),
            ],
            deep=strategy in deep,
            **how,
        )
        for strategy in strategies
    ]


ONE, SEVERAL = {"steps": 1}, {"c": 2}
SPACES = [
    *_each(
        "two copies of a Create, two steps, they die and lose answers",
        CREATE,
        copies=SEVERAL,
        budgets={"crash": 2, "lost": 1},
        reaches="takeover crash lost",
    ),
    *_each(
        "a Delete over a Create that dies, doubts, is in flight",
        DELETE,
        budgets={"crash": 1, "doubt": 1, "flight": 1},
        reaches="supersede takeover leave crash doubt flight landed",
        deep=[ONCE],
    ),
    *_each(
        "a Delete over a Create whose timed-out call lands late, or is refused",
        DELETE,
        budgets={"crash": 1, "late": 1, "fail": 1},
        reaches="supersede takeover leave crash late fail landed",
    ),
    *_each(
        "a Delete over two copies of a Create",
        DELETE,
        copies=SEVERAL,
        budgets={"crash": 1},
        options=ONE,
        reaches="supersede takeover leave crash",
    ),
    *_each(
        "two Deletes over a Create",
        DELETE,
        copies={"d": 2},
        budgets={"crash": 1},
        options=ONE,
        reaches="supersede takeover leave crash",
        deep=[ONCE],
    ),
    *_each(
        "asked again after a failure: a new round",
        REASK,
        budgets={"fail": 1, "crash": 1, "doubt": 1},
        reaches="round takeover fail crash doubt",
    ),
    *_each(
        "asked again, then deleted",
        REASK_DELETE,
        budgets={"fail": 1, "crash": 1},
        options=ONE,
        reaches="round supersede fail crash",
        deep=[ONCE],
    ),
    *_each(
        "a replacing Update, its clean-up or its rollback, a Delete",
        UPDATE,
        budgets={"crash": 1},
        options=ONE,
        reaches="supersede takeover crash",
        deep=[ONCE],
    ),
    *_each(
        "a replacing Update over a replacing Update",
        UPDATE_TWICE,
        strategies=[BOTH],
        options=ONE,
        reaches="supersede leave",
        deep=[BOTH],
    ),
    *_each(
        "an Update in place and its rollback",
        IN_PLACE,
        budgets={"crash": 1, "fail": 1},
        options=ONE,
        reaches="supersede takeover crash fail",
        deep=[FIND, ONCE],
    ),
    *_each(
        "retained and added again",
        RETAIN,
        budgets={"crash": 1},
        options=ONE,
        reaches="supersede takeover crash",
    ),
    *_each(
        "a clean-up Delete is sent again under a new RequestId",
        RESENT,
        budgets={"crash": 1},
        options=ONE,
        reaches="supersede takeover crash",
    ),
    *_each(
        "a replacement is rolled back under its new id",
        BACK,
        budgets={"crash": 1},
        options=ONE,
        reaches="supersede takeover crash",
    ),
    *_each(
        "a replacement is rolled back, and again, for nobody heard of it",
        BACK_UNHEARD,
        budgets={"crash": 1},
        options=ONE,
        reaches="supersede takeover crash",
    ),
    *_each(
        "a replacement is rolled back under the old id",
        BACK_OLD,
        budgets={"crash": 1},
        options=ONE,
        reaches="supersede takeover crash",
    ),
    *_each(
        "a RequestId is used again after a Delete",
        AGAIN,
        budgets={"crash": 1},
        options=ONE,
        reaches="supersede takeover crash",
        deep=[ONCE],
    ),
    *_each(
        "made, deleted and made again under one name",
        AGAIN,
        budgets={"crash": 1},
        options={"steps": 1, "named": True},
        reaches="supersede takeover crash",
        deep=[ONCE],
    ),
    *_each(
        "replaced, cleaned up and replaced back under one name",
        THERE_AND_BACK,
        budgets={"crash": 1},
        options={"steps": 1, "named": True},
        reaches="supersede takeover crash",
    ),
    *_each(
        "the far side forgets tokens after their window",
        CREATE,
        strategies=[TOKEN, BOTH],
        copies={"c": 3},
        budgets={"crash": 2},
        options={"window": 50.0, "forgets": True},
        pace="brisk",
        reaches="takeover forgot crash",
    ),
    *_each(
        "look-ups fail, or are made too early",
        DELETE,
        strategies=[FIND, BOTH],
        budgets={"crash": 1, "nolook": 1, "lag": 1},
        options={"steps": 1, "lag": 10.0},
        reaches="supersede takeover nolook lag",
    ),
    *_each(
        "copies in one sandbox, one after another",
        DELETE,
        copies={"c": 2, "d": 2},
        budgets={"crash": 2, "flight": 1},
        options=ONE,
        boxes=True,
        reaches="supersede takeover flight landed",
        deep=[ONCE, FIND],
    ),
    *_each(
        "hooks say: not now",
        DELETE,
        copies=SEVERAL,
        budgets={"later": 1, "crash": 1},
        options=ONE,
        reaches="supersede takeover park later",
        deep=[ONCE],
    ),
    *_each(
        "a stuck hook is answered for, and goes on; then a Delete",
        DELETE,
        budgets={"ring": 1, "crash": 1, "lost": 1},
        reaches="finish crash ring lost",
        deep=[ONCE],
    ),
    *_each(
        "a stuck hook is answered for, asked again, then deleted",
        REASK_DELETE,
        budgets={"ring": 1, "fail": 1},
        options=ONE,
        reaches="finish ring round",
        deep=[FIND, BOTH, ONCE],
    ),
    *_each(
        "a stuck hook of a replacing Update, its rollback, a Delete",
        UPDATE,
        budgets={"ring": 1},
        options=ONE,
        reaches="finish ring",
        deep=[TOKEN, ONCE],
    ),
    *_each(
        "a stuck Delete, a second one, and made again under its name",
        DELETE_TWICE,
        strategies=[BOTH],
        budgets={"ring": 1},
        options={"steps": 1, "named": True},
        reaches="finish ring",
    ),
    *_each(
        "stuck before its first step",
        DELETE,
        strategies=[TOKEN],
        budgets={"ring": 1, "crash": 1},
        options={"steps": 1, "reads": True},
        reaches="finish ring",
    ),
    *_each(
        "stuck in calls that are repeated at will",
        DELETE,
        strategies=[BOTH],
        budgets={"ring": 1, "crash": 1},
        options={"steps": 1, "tags": True},
        reaches="finish ring",
    ),
    *_each(
        "the guardian of a Create, which is dead or is not",
        DELETE,
        guardians=["c"],
        budgets={"crash": 1, "lost": 1},
        options=ONE,
        reaches="takeover finish leave crash lost",
        deep=[ONCE],
    ),
    *_each(
        "the guardian of a Create that has a copy",
        DELETE,
        copies=SEVERAL,
        guardians=["c"],
        budgets={"crash": 1},
        options=ONE,
        reaches="takeover finish crash",
        deep=STRATEGIES,
    ),
    *_each(
        "the guardian of a Delete, and it is made again under its name",
        DELETE_TWICE,
        guardians=["y"],
        budgets={"crash": 1},
        options={"steps": 1, "named": True},
        reaches="takeover finish crash",
        deep=[TOKEN, FIND, ONCE],
    ),
    *_each(
        "a Create that waits, and goes on in another invocation",
        CREATE,
        copies={"c": 3},
        budgets={"crash": 1, "lost": 1},
        options={"waits": 100.0},
        reaches="park crash lost",
        deep=[FIND, ONCE],
    ),
    *_each(
        "a Create that takes more than one invocation",
        CREATE,
        strategies=[FIND],
        copies=SEVERAL,
        timeouts=[26.0, 160.0],
        budgets={"doubt": 2, "crash": 1, "lost": 1},
        reaches="park doubt crash lost",
    ),
    *_each(
        "a Delete over a Create that takes more than one invocation",
        DELETE,
        strategies=[FIND],
        copies=SEVERAL,
        timeouts=[26.0, 160.0],
        budgets={"doubt": 1},
        reaches="park supersede doubt",
    ),
    *_each(
        "a Delete over a Create that takes more than one, and dies",
        DELETE,
        strategies=[FIND],
        copies=SEVERAL,
        timeouts=[26.0, 160.0],
        budgets={"doubt": 1, "crash": 1},
        reaches="park supersede doubt crash",
        deep=[FIND],
    ),
    *_each(
        "a Delete over a Create that waits",
        DELETE,
        copies=SEVERAL,
        budgets={"crash": 1},
        options={"waits": 100.0},
        reaches="park supersede crash",
        deep=[TOKEN, ONCE],
    ),
    *_each(
        "too little time to wait for the one before",
        DELETE,
        copies={"d": 2},
        timeouts=[60.0, 30.0, 150.0],
        budgets={"crash": 1},
        options=ONE,
        reaches="supersede takeover park",
        deep=[ONCE],
    ),
    *_each(
        "doubts that the step's own code raises",
        REASK_DELETE,
        budgets={"doubt": 1, "crash": 1},
        options={"steps": 1, "transient": False},
        reaches="supersede doubt round",
        deep=[TOKEN, FIND, ONCE],
    ),
    *_each(
        "a Delete that fails, and a second one",
        DELETE_FAILS,
        strategies=[BOTH],
        budgets={"slip": 1, "crash": 1},
        options=ONE,
        reaches="supersede slip",
    ),
    *_each(
        "answers that are not delivered, or look so",
        DELETE,
        copies=SEVERAL,
        strategies=[BOTH],
        budgets={"undelivered": 2},
        options=ONE,
        reaches="supersede undelivered",
    ),
    *_each(
        "a read before the first step, which fails",
        DELETE,
        copies=SEVERAL,
        budgets={"crash": 1, "nolook": 1},
        options={"steps": 1, "reads": True},
        reaches="supersede takeover nolook",
        deep=[ONCE],
    ),
    *_each(
        "a read before the first step, which says: not now",
        DELETE,
        budgets={"crash": 1, "later": 1},
        options={"steps": 1, "reads": True},
        reaches="supersede park later",
    ),
    *_each(
        "calls that are repeated at will, around a step",
        DELETE,
        strategies=[TOKEN, ONCE],
        budgets={"crash": 1, "lost": 1},
        options={"steps": 1, "tags": True},
        reaches="supersede takeover leave tag clear",
    ),
    *_each(
        "calls that are repeated at will, and no step",
        DELETE,
        strategies=[TOKEN],
        copies=SEVERAL,
        budgets={"crash": 1},
        options={"steps": 0, "tags": True},
        reaches="supersede takeover leave tag clear",
    ),
    *_each(
        "a piece with an undo, made before the object",
        DELETE,
        budgets={"crash": 1, "doubt": 1, "fail": 1},
        options={"steps": 1, "undo": "piece"},
        reaches="supersede takeover leave remove",
        deep=[ONCE],
    ),
    *_each(
        "parts with an undo that are left to it",
        DELETE,
        budgets={"crash": 1, "doubt": 1},
        options={"undo": "parts"},
        reaches="supersede takeover leave remove strip",
    ),
    *_each(
        "a hook that swallows errors, and sets another id on its way out",
        DELETE,
        budgets={"crash": 1, "fail": 1, "doubt": 1},
        options={"swallows": True},
        strategies=[TOKEN, FIND, BOTH],
        reaches="supersede takeover leave",
    ),
    *_each(
        "results that do not fit the head",
        DELETE,
        strategies=[BOTH, ONCE],
        budgets={"crash": 1, "lost": 1},
        options={"long": True},
        reaches="supersede takeover leave spill",
    ),
    *_each(
        "requests without a date",
        UPDATE_BEGUN,
        strategies=[BOTH],
        budgets={"crash": 1},
        options=ONE,
        dated=False,
        reaches="supersede takeover",
    ),
    *_each(
        "two requests of one second",
        DELETE_SAME_SECOND,
        strategies=[BOTH],
        copies=SEVERAL,
        budgets={"crash": 1},
        options=ONE,
        reaches="supersede takeover",
    ),
    *_each(
        "the ledger is out of reach of one delivery",
        DELETE,
        strategies=[BOTH],
        copies={"d": 2},
        budgets={"outage": 1},
        options=ONE,
        reaches="supersede takeover outage",
    ),
    *_each(
        "the ledger is out of reach, and the requests are old",
        DELETE_OLD,
        strategies=[BOTH],
        budgets={"outage": 2},
        options=ONE,
        reaches="supersede outage",
    ),
    *_each(
        "CloudFormation no longer waits",
        DELETE_EXPIRED,
        strategies=[FIND, ONCE],
        copies={"d": 2},
        budgets={"crash": 2},
        options=ONE,
        reaches="supersede takeover crash",
        deep=[ONCE],
    ),
    *_each(
        "a Create left in doubt, then another one and its Update",
        RETAIN_UPDATE,
        budgets={"crash": 1},
        options=ONE,
        reaches="supersede takeover crash",
    ),
    *_each(
        "a second Update over a first one, and asked again",
        UPDATE_REASK,
        strategies=[TOKEN],
        budgets={"fail": 1},
        options=ONE,
        reaches="supersede round fail",
        deep=[TOKEN],
    ),
    *_each(
        "clocks that differ, and calls that leave at the last moment",
        DELETE,
        strategies=[TOKEN, FIND, BOTH],
        budgets={"crash": 1, "flight": 1},
        pace="slow",
        skews=[-0.25, 0.25],
        reaches="supersede flight landed",
        deep=[BOTH],
    ),
    *_each(
        "an Update with a piece that has an undo, and its rollback",
        UPDATE_BEGUN,
        strategies=[BOTH],
        budgets={"crash": 1},
        options={"steps": 1, "undo": "piece"},
        reaches="supersede takeover crash",
    ),
    *_each(
        "a call in doubt lands when its execution has ended",
        DELETE,
        strategies=[TOKEN, FIND, ONCE],
        budgets={"late": 1, "crash": 1},
        options={"transient": False},
        reaches="supersede leave late landed",
    ),
    *_each(
        "answers of the ledger are lost when no time is left",
        DELETE,
        strategies=[BOTH, ONCE],
        budgets={"crash": 1, "lost": 1},
        options=ONE,
        pace="slow",
        reaches="supersede lost",
        deep=[ONCE],
    ),
]

# What takes minutes each: more deliveries, steps and faults at a time.
ALL_DEEP = [TOKEN, FIND, BOTH, ONCE]
SPACES += [
    *_each(
        "three copies of a Create, a Delete, two deaths",
        DELETE,
        strategies=[TOKEN, BOTH],
        copies={"c": 3},
        budgets={"crash": 2},
        options=ONE,
        reaches="supersede takeover leave crash",
        deep=ALL_DEEP,
    ),
    *_each(
        "two copies of a Create, two of its Delete, two steps",
        DELETE,
        strategies=[TOKEN],
        copies={"c": 2, "d": 2},
        budgets={"crash": 1},
        reaches="supersede takeover leave crash",
        deep=ALL_DEEP,
    ),
    *_each(
        "everything that can go wrong around a Create and its Delete",
        DELETE,
        strategies=[TOKEN, FIND, BOTH],
        budgets=dict.fromkeys(
            ["crash", "lost", "doubt", "fail", "flight", "later", "late", "undelivered"], 1
        ),
        reaches="supersede takeover leave landed park crash lost doubt fail flight undelivered",
        deep=ALL_DEEP,
    ),
    *_each(
        "two copies of a replacing Update, its clean-up or rollback",
        UPDATE,
        strategies=[TOKEN, BOTH],
        copies={"u": 2},
        budgets={"crash": 1},
        options=ONE,
        reaches="supersede takeover leave crash",
        deep=ALL_DEEP,
    ),
    *_each(
        "a replacing Update of two steps that dies, is refused or in doubt",
        UPDATE,
        strategies=[FIND, BOTH],
        budgets={"crash": 1, "fail": 1, "doubt": 1},
        reaches="supersede takeover leave crash fail doubt",
        deep=ALL_DEEP,
    ),
    *_each(
        "a replacing Update over a replacing Update, and a death",
        UPDATE_TWICE,
        strategies=[TOKEN],
        budgets={"crash": 1},
        options=ONE,
        reaches="supersede takeover leave crash",
        deep=ALL_DEEP,
    ),
    *_each(
        "asked again, every delivery twice",
        REASK,
        strategies=[TOKEN],
        copies={"c": 2, "e": 2},
        budgets={"crash": 1, "fail": 1},
        options=ONE,
        reaches="round takeover crash fail",
        deep=ALL_DEEP,
    ),
    *_each(
        "slow deliveries whose calls land late, and a Delete",
        DELETE,
        strategies=[TOKEN, FIND],
        copies=SEVERAL,
        budgets={"crash": 1, "flight": 1},
        pace="slow",
        options=ONE,
        reaches="supersede takeover leave landed",
        deep=ALL_DEEP,
    ),
    *_each(
        "a RequestId used again, slow deliveries",
        AGAIN,
        strategies=[TOKEN, FIND],
        budgets={"crash": 1},
        pace="slow",
        options=ONE,
        reaches="supersede takeover crash",
        deep=ALL_DEEP,
    ),
]
