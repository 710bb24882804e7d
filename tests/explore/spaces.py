"""The spaces: what CloudFormation sends, how much may go wrong, and what must be reached.

Each is named for what it is meant to reach; one that never reaches it shows nothing, and fails.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any

from explore.explorer import Explorer
from explore.scene import Code, Place, Scene, Script

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


def heard(script: Mapping[str, Place], *but: str) -> dict[str, Place]:
    """Return a script in which CloudFormation waits for each answer, those of some places apart."""
    return {
        name: place if name in but else place._replace(hears=True) for name, place in script.items()
    }


# A Create that fails is kept by the stack, and the Delete of its placeholder comes before or after
# another Create, and after its Update; the answer may be lost, and the id then made up.
KEPT = C._replace(bad="k", good="d")
KEPT_CD = heard(
    {
        "c": KEPT,
        "k": Place("C3", "Create", 3, "p", "p", properties="Q"),
        "p": Place("D4", "Delete", 4, "d", "d", id="told:c", properties="P"),
        "d": D._replace(id="held:k", properties="Q"),
    },
    "c",
)
KEPT_CD_SAME = heard(
    {
        **KEPT_CD,
        "c": KEPT._replace(begins=True),
        "k": KEPT_CD["k"]._replace(properties="P"),
        "d": D._replace(id="held:k"),
    },
    "c",
)
KEPT_DC = heard(
    {
        "c": KEPT._replace(bad="p"),
        "p": Place("D2", "Delete", 2, "k", "k", id="told:c"),
        "k": Place("C3", "Create", 3, "d", "d", properties="P"),
        "d": D._replace(id="held:k"),
    },
    "c",
)
KEPT_CUD = heard(
    {
        **KEPT_CD_SAME,
        "k": KEPT_CD_SAME["k"]._replace(good="u", bad="p"),
        "u": Place("U4", "Update", 4, "p", "r", properties="P2", old="P"),
        "r": Place("U5", "Update", 5, "p", "p", properties="P", old="P2"),
        "p": Place("D6", "Delete", 6, "d", "d", id="told:c", properties="P"),
    },
    "c",
)
# A Create that never comes, kept under an id that is made up.
KEPT_NEVER = {**KEPT_CUD, "c": KEPT}
KEPT_CRD = heard(
    {
        **KEPT_CUD,
        "u": Place("U4", "Update", 4, "p", "r", properties="Q", old="P"),
        "r": Place("U5", "Update", 5, "p", "p", properties="P", old="Q"),
        "p": Place("D6", "Delete", 6, "o", "o", id="told:c", properties="P"),
        "o": Place("D7", "Delete", 7, "d", "d", id="before", properties="P"),
    },
    "c",
)
KEPT_CDD = heard(
    {
        **KEPT_CD_SAME,
        "p": Place("D4", "Delete", 4, "P", "P", id="told:c"),
        "P": Place("D5", "Delete", 5, "d", "d", id="told:c"),
    },
    "c",
)
# Two are kept, and both are deleted after a third one was good.
KEPT_TWO = heard(
    {
        "c": KEPT._replace(begins=True),
        "k": Place("C2", "Create", 2, "d", "l", properties="Q", begins=True),
        "l": Place("C3", "Create", 3, "p", "p", properties="P", begins=True),
        "p": Place("D4", "Delete", 4, "P", "P", id="told:c", properties="P"),
        "P": Place("D5", "Delete", 5, "d", "d", id="told:k", properties="Q"),
        "d": D._replace(id="held:l"),
    },
    "k",
)
# Retained, and made again with other properties; that Create may come late, or never.
RETAIN_LATE = heard(
    {**RETAIN, "x": RETAIN["x"]._replace(begins=False)},
    "x",
)
RETAIN_SAME = heard(
    {**RETAIN, "x": RETAIN["x"]._replace(properties="P")},
    "x",
)
# Another handler puts its own in the place of ours, and the Delete of that comes to us.
FOREIGN_NOTHING = {"d": D._replace(id="theirs", properties="P")}
FOREIGN = {
    "c": C._replace(good="d", bad="d", hears=True),
    "d": D._replace(id="theirs"),
}
FOREIGN_KNOWN = heard(
    {
        **FOREIGN,
        "g": D._replace(request_id="D8", order=8),
        "c": C._replace(good="u", bad="g", hears=True),
        "u": U._replace(properties="P2", good="d", bad="d"),
    },
    "u",
)
# What another handler has made is updated by us, and that is rolled back, heard of or not.
ADOPTED = heard(
    {
        "u": U._replace(begins=True, properties="P2", good="r", bad="r"),
        "r": Place("U4", "Update", 4, "d", "d", properties="P", old="P2"),
        "d": D,
    },
    "u",
)
ADOPTED_REPLACED = heard(
    {
        "u": U._replace(begins=True, good="n", bad="r"),
        "n": Place("U5", "Update", 5, "q", "n", properties="P", old="Q"),
        "q": Place("D6", "Delete", 6, "d", "d", id="oldest", properties="Q"),
        "r": Place("U4", "Update", 4, "d", "d", properties="P", old="Q"),
        "d": D,
    },
    "u",
)
ADOPTED_FOR_GOOD = heard(
    {
        "u": U._replace(begins=True, good="o", bad="r"),
        "o": Place("D3", "Delete", 3, "d", "d", id="before", properties="P"),
        "r": Place("U4", "Update", 4, "d", "d", properties="P", old="Q"),
        "d": D,
    },
    "u",
)
ADOPTED_TWICE = heard(
    {
        "u": U._replace(begins=True, properties="P2", good="v", bad="r"),
        "r": Place("U3", "Update", 3, "d", "d", properties="P", old="P2"),
        "v": Place("U4", "Update", 4, "n", "s", properties="Q", old="P2"),
        "n": Place("U5", "Update", 5, "q", "n", properties="P2", old="Q"),
        "q": Place("D6", "Delete", 6, "d", "d", id="oldest", properties="Q"),
        "s": Place("U7", "Update", 7, "d", "d", properties="P2", old="Q"),
        "d": D,
    },
    "v",
)
# Another handler replaces what is ours, and then its object is updated by us, and rolled back.
TAKEN_BACK = heard(
    {
        "c": C._replace(good="u", bad="g", hears=True),
        "u": U._replace(id="theirs", properties="Q", good="n", bad="r"),
        "n": Place("U5", "Update", 5, "q", "n", properties="P", old="Q"),
        "q": Place("D6", "Delete", 6, "d", "d", id="oldest", properties="Q"),
        "r": Place("U4", "Update", 4, "d", "d", properties="P", old="Q"),
        "d": D,
        "g": D._replace(request_id="D8", order=8),
    },
    "u",
)
# A property that does not fit: refused before its hook, then rolled back.
REFUSED = heard(
    {
        "c": C._replace(good="u", bad="d"),
        "u": U._replace(properties="Px", good="r", bad="r"),
        "r": Place("U4", "Update", 4, "d", "d", properties="P", old="Px"),
        "d": D,
    },
    "u",
)
REFUSED_CREATE = {"c": C._replace(properties="Px", good="d", bad="d"), "d": D}
REFUSED_REPLACEMENT = heard(
    {
        **REFUSED,
        "u": U._replace(properties="Qx", good="r", bad="r"),
        "r": Place("U4", "Update", 4, "d", "d", properties="P", old="Qx"),
    },
    "u",
)
TOUCHED_REFUSED = heard(
    {
        "c": C._replace(good="u", bad="d"),
        "u": U._replace(properties="P2", good="d", bad="v"),
        "v": Place("U3", "Update", 3, "r", "r", properties="Px", old="P"),
        "r": Place("U4", "Update", 4, "d", "d", properties="P", old="Px"),
        "d": D,
    },
    "u",
)
# The same where the refused one was to replace it; where one did; where nothing is to be changed.
TOUCHED_REFUSED_REPLACEMENT = {
    **TOUCHED_REFUSED,
    "v": Place("U3", "Update", 3, "r", "r", properties="Qx", old="P", hears=True),
    "r": Place("U4", "Update", 4, "o", "d", properties="P", old="Qx", hears=True),
    "o": Place("D5", "Delete", 5, "d", "d", id="before", hears=True),
}
TOUCHED_REPLACED = heard(
    {
        "c": C._replace(good="u", bad="d"),
        "u": U._replace(properties="P2", good="d", bad="v"),
        "v": Place("U3", "Update", 3, "n", "r", properties="Q", old="P"),
        "n": Place("U4", "Update", 4, "q", "n", properties="P", old="Q"),
        "q": Place("D6", "Delete", 6, "d", "d", id="oldest", properties="Q"),
        "r": Place("U5", "Update", 5, "o", "d", properties="P", old="Q"),
        "o": Place("D7", "Delete", 7, "d", "d", id="before"),
        "d": D,
    },
)
TOUCHED_SAME = {
    **TOUCHED_REFUSED,
    "v": Place("U3", "Update", 3, "d", "d", properties="P", old="P", hears=True),
}
# A replaced object whose Delete has begun and failed, and an Update back to its properties.
HALF_DELETED = heard(
    {
        "c": C._replace(good="u", bad="d"),
        "u": U._replace(good="o", bad="d"),
        "o": Place("D3", "Delete", 3, "v", "v", id="before", properties="P"),
        "v": Place("U4", "Update", 4, "q", "d", properties="P", old="Q"),
        "q": Place("D6", "Delete", 6, "d", "d", id="before", properties="Q"),
        "d": D,
    },
    "o",
)
# Replaced twice, retained each time, and then back to the properties of the first.
RETAINED_BACK = heard(
    {
        "c": C._replace(good="u", bad="d"),
        "u": U._replace(good="v", bad="d"),
        "v": Place("U3", "Update", 3, "w", "d", properties="R", old="Q", retains=True),
        "w": Place("U4", "Update", 4, "o", "d", properties="P", old="R", retains=True),
        "o": Place("D5", "Delete", 5, "d", "d", id="before", properties="R"),
        "d": D,
    },
    "w",
)
# A replacing Update and its rollback; the clean-up of what it replaced fails for good.
GIVEN_UP = heard(
    {**UPDATE, "r": UPDATE["r"]._replace(good="d", bad="d")},
    "u",
)
GIVEN_UP_BACK = heard(
    {**BACK, "q": BACK["q"]._replace(good="d", bad="d")},
    "u",
)
# The first RequestId comes again, signed later, and asks for something else.
OTHER_CREATE = heard(
    {
        "c": C._replace(good="d", bad="e"),
        "e": Place("C1", "Create", 2, "d", "d", properties="Q"),
        "d": D,
    },
    "c",
)
OTHER_UPDATE = heard(
    {
        "c": C._replace(good="u", bad="d"),
        "u": U._replace(properties="P2", good="v", bad="v"),
        "v": Place("U2", "Update", 3, "d", "r", properties="P3", old="P2"),
        "r": Place("U4", "Update", 4, "d", "d", properties="P", old="P3"),
        "d": D,
    },
    "u",
)
OTHER_TYPE = heard(
    {
        "c": C._replace(good="d", bad="d"),
        "d": Place("C1", "Delete", 2, None, None),
    },
    "c",
)
# A copy of it with other properties, of the same second: somebody else has made it up.
FORGED = {
    "c": C._replace(good="d", bad="d"),
    "f": C._replace(properties="Q", forged=True),
    "d": D,
}
# An Update that one version of the code makes in place and another one by a replacement.
WIDE = heard(
    {
        "c": C._replace(good="u", bad="d"),
        "u": U._replace(properties="P2", good="o", bad="r"),
        "r": Place("U4", "Update", 4, "o", "d", properties="P", old="P2"),
        "o": Place("D5", "Delete", 5, "d", "d", id="before"),
        "d": D,
    },
    "u",
)
# Requests that are old, and of which one delivery does not reach the ledger.
OLD_HEARD = {**DELETE_OLD, "c": DELETE_OLD["c"]._replace(hears=True)}
OLD_KEPT = heard(
    {
        "c": KEPT._replace(order=-400, hears=True),
        "k": Place("C3", "Create", -398, "p", "p", properties="P", hears=True),
        "p": Place("D4", "Delete", -397, "d", "d", id="told:c"),
        "d": D._replace(id="held:k", order=-396),
    },
    "c",
)

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
        holds: The id of what another handler has made before.
        code: The version of the class that each delivery has, by its number.
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
    holds: str = ""
    code: Sequence[int] = ()
    deep: bool = False

    def explorer(self, kit: ModuleType | None = None, *, full: bool = False) -> Any:
        """Set it up on the package, or on a copy of it with a seeded bug."""
        kit = kit or import_module("cfn_once")
        first, places = next(iter(self.script)), dict(self.script)
        script = Script(first, places, dated=self.dated, holds=self.holds)
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
            code=self.code,
            full=full,
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
        "the external API forgets tokens after their window",
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

# What stands in no ledger: ids that stand for nothing, what others have made, what is refused.
SPACES += [
    *_each(
        "a failed Create is kept; another one, then the Delete of the first",
        KEPT_CD,
        budgets={"fail": 1, "crash": 1},
        options=ONE,
        reaches="supersede fail crash",
    ),
    *_each(
        "the same, and the second has the properties of the first",
        KEPT_CD_SAME,
        budgets={"fail": 1, "crash": 1},
        options=ONE,
        reaches="supersede fail crash",
    ),
    *_each(
        "a failed Create of two steps is kept; another one, then the Delete of the first",
        KEPT_CD_SAME,
        budgets={"fail": 1, "doubt": 1},
        reaches="supersede fail doubt",
        deep=[ONCE],
    ),
    *_each(
        "a failed Create is kept; its Delete, then another Create",
        KEPT_DC,
        budgets={"fail": 1, "crash": 1},
        options=ONE,
        reaches="supersede fail crash",
    ),
    *_each(
        "a failed Create is kept; another one and its Update, then the Delete of the first",
        KEPT_CUD,
        budgets={"fail": 1},
        options=ONE,
        reaches="supersede fail",
    ),
    *_each(
        "a Create that never came is kept; another one and its Update, then its Delete",
        KEPT_NEVER,
        strategies=[TOKEN, FIND, ONCE],
        copies={"c": 0},
        budgets={"fail": 1},
        options=ONE,
        reaches="fail",
    ),
    *_each(
        "a failed Create is kept; another one is replaced, then the Delete of the first",
        KEPT_CRD,
        budgets={"fail": 1},
        options=ONE,
        reaches="supersede fail",
    ),
    *_each(
        "a failed Create is kept; another one, then two Deletes of the first",
        KEPT_CDD,
        budgets={"fail": 1},
        options=ONE,
        reaches="supersede fail",
    ),
    *_each(
        "two failed Creates are kept; a third one, then their Deletes",
        KEPT_TWO,
        budgets={"fail": 1},
        options=ONE,
        reaches="supersede fail",
    ),
    *_each(
        "a Create that never came, and the Delete of an id that was made up for it",
        DELETE,
        strategies=[TOKEN],
        copies={"c": 0},
        budgets={"crash": 1},
        reaches="begin crash",
    ),
    *_each(
        "retained and added again, by a Create that comes late or never",
        RETAIN_LATE,
        budgets={"crash": 1},
        options=ONE,
        reaches="supersede takeover crash",
    ),
    *_each(
        "retained and added again with equal properties",
        RETAIN_SAME,
        budgets={"crash": 1},
        options=ONE,
        reaches="supersede takeover crash",
    ),
    *_each(
        "the Delete of what another handler made, and nothing of ours",
        FOREIGN_NOTHING,
        strategies=[TOKEN],
        copies={"d": 2},
        budgets={"crash": 1},
        reaches="remove crash",
    ),
    *_each(
        "another handler takes the place of ours, and its Delete comes to us",
        FOREIGN,
        budgets={"crash": 1, "fail": 1},
        options=ONE,
        reaches="takeover crash fail",
    ),
    *_each(
        "another handler takes the place of what we have updated",
        FOREIGN_KNOWN,
        budgets={"crash": 1},
        options=ONE,
        reaches="takeover crash",
    ),
    *_each(
        "another handler takes the place of ours, and an Update and its rollback come to us",
        TAKEN_BACK,
        budgets={"crash": 1},
        options=ONE,
        reaches="takeover crash",
    ),
    *_each(
        "an older object is changed in place, and back",
        ADOPTED,
        holds="old",
        budgets={"crash": 1, "fail": 1, "lost": 1},
        options=ONE,
        reaches="supersede takeover crash fail",
        deep=[ONCE],
    ),
    *_each(
        "an older object is replaced, and that is rolled back",
        ADOPTED_REPLACED,
        holds="old",
        budgets={"crash": 1, "fail": 1},
        options=ONE,
        reaches="supersede takeover crash fail",
    ),
    *_each(
        "an older object is replaced for good",
        ADOPTED_FOR_GOOD,
        holds="old",
        budgets={"crash": 1, "slip": 1},
        options=ONE,
        reaches="supersede takeover crash slip",
    ),
    *_each(
        "an older object is changed, replaced, and that is rolled back",
        ADOPTED_TWICE,
        holds="old",
        budgets={"fail": 1},
        options=ONE,
        reaches="supersede fail",
    ),
    *_each(
        "an Update is refused before its hook, and rolled back",
        REFUSED,
        budgets={"crash": 1, "fail": 1},
        options=ONE,
        reaches="supersede takeover crash fail",
    ),
    *_each(
        "a replacing Update is refused before its hook, and rolled back",
        REFUSED_REPLACEMENT,
        budgets={"crash": 1},
        options=ONE,
        reaches="supersede takeover crash",
    ),
    *_each(
        "a Create is refused before its hook",
        REFUSED_CREATE,
        strategies=[TOKEN],
        copies=SEVERAL,
        budgets={"crash": 1, "lost": 1},
        options=ONE,
        reaches="supersede takeover crash lost",
    ),
    *_each(
        "no update is written, and one is rolled back",
        IN_PLACE,
        strategies=[TOKEN],
        budgets={"crash": 1},
        options={"steps": 1, "updates": False},
        reaches="supersede takeover crash",
    ),
    *_each(
        "an Update that may have acted, one that is refused, and a rollback",
        TOUCHED_REFUSED,
        budgets={"crash": 1, "fail": 1},
        options=ONE,
        reaches="supersede takeover crash fail",
    ),
    *_each(
        "an Update that may have acted, a replacement that is refused, and a rollback",
        TOUCHED_REFUSED_REPLACEMENT,
        budgets={"crash": 1, "fail": 1, "doubt": 1},
        options=ONE,
        reaches="supersede takeover crash fail doubt",
        deep=[FIND, BOTH, ONCE],
    ),
    *_each(
        "an Update that may have acted, a replacement, and a rollback",
        TOUCHED_REPLACED,
        budgets={"doubt": 1, "fail": 1},
        options=ONE,
        reaches="doubt fail",
    ),
    *_each(
        "an Update that may have acted, and one that changes nothing",
        TOUCHED_SAME,
        budgets={"crash": 1, "fail": 1},
        options=ONE,
        reaches="supersede crash fail",
    ),
    *_each(
        "what was replaced is half deleted, and an Update goes back to its properties",
        HALF_DELETED,
        budgets={"slip": 1},
        options=ONE,
        reaches="slip",
    ),
    *_each(
        "replaced twice and retained, and back to the properties of the first",
        RETAINED_BACK,
        budgets={"crash": 1},
        options=ONE,
        reaches="takeover crash",
    ),
    *_each(
        "a replacement under the id that it replaces",
        heard(UPDATE, "u"),
        budgets={"crash": 1},
        options={"steps": 1, "named": "twins"},
        reaches="supersede takeover crash",
    ),
    *_each(
        "the clean-up of what was replaced fails for good",
        GIVEN_UP,
        budgets={"slip": 1},
        options=ONE,
        reaches="supersede slip",
    ),
    *_each(
        "the clean-up after a rollback fails for good",
        GIVEN_UP_BACK,
        budgets={"slip": 1},
        options=ONE,
        reaches="slip",
    ),
    *_each(
        "a RequestId asks for another Create, signed later",
        OTHER_CREATE,
        budgets={"crash": 1, "fail": 1},
        options=ONE,
        reaches="supersede crash fail",
    ),
    *_each(
        "a RequestId asks for another Update, signed later",
        OTHER_UPDATE,
        budgets={"crash": 1},
        options=ONE,
        reaches="supersede crash",
    ),
    *_each(
        "a Create's RequestId comes as a Delete, signed later",
        OTHER_TYPE,
        budgets={"crash": 1},
        options=ONE,
        reaches="supersede crash",
    ),
    *_each(
        "somebody else's copy of a Create asks for something else",
        FORGED,
        budgets={"crash": 1},
        options=ONE,
        reaches="supersede takeover crash",
    ),
    *_each(
        "a step whose result is secret, and one that fails after it",
        DELETE,
        budgets={"fail": 1, "crash": 1},
        options={"secret": "a"},
        reaches="supersede takeover leave fail crash",
    ),
    *_each(
        "a part whose result is secret, and one that fails after it",
        DELETE,
        budgets={"fail": 1, "crash": 1},
        options={"secret": "b", "steps": 3, "undo": "parts"},
        reaches="supersede takeover leave fail crash",
        deep=[ONCE],
    ),
    *_each(
        "a step whose result cannot be kept",
        DELETE,
        budgets={"crash": 1},
        options={"steps": 1, "odd": "a"},
        reaches="supersede takeover leave crash",
    ),
    *_each(
        "a part whose result cannot be kept",
        DELETE,
        budgets={"crash": 1},
        options={"odd": "b", "undo": "parts"},
        reaches="supersede takeover leave crash",
    ),
    *_each(
        "one delivery makes something, a later one has no ledger and is answered",
        OLD_HEARD,
        copies={"c": 2},
        budgets={"outage": 1, "crash": 1},
        options=ONE,
        reaches="supersede outage crash",
        deep=[ONCE],
    ),
    *_each(
        "answered without the ledger and kept; another Create, then its Delete",
        OLD_KEPT,
        copies={"c": 2},
        budgets={"outage": 1, "crash": 1},
        options=ONE,
        reaches="supersede outage crash",
        deep=[ONCE],
    ),
]

# New code between two requests, and between two deliveries where a step has a mark before its call;
# without one nobody knows which step the dead may have called. Calls that are not taken for now.
MORE, LESS = [Code("a"), Code("ab")], [Code("ab"), Code("a")]
OTHER_ORDER, NO_UPDATE = [Code("abc"), Code("acb")], [Code("a"), Code("a", updates=False)]
WIDER = [Code("a"), Code("a", replace_on=frozenset({"Kind", "Size"}))]
IN_FLIGHT, OVER = [ONCE], [TOKEN, FIND, BOTH]
SPACES += [
    *_each(
        "new code with one step more takes over, and deletes",
        DELETE,
        copies=SEVERAL,
        budgets={"crash": 1},
        options={"code": MORE, "undo": "parts"},
        code=[0, 1],
        reaches="supersede takeover crash",
        deep=[FIND, ONCE],
    ),
    *_each(
        "new code with one step less deletes what is in flight or over",
        DELETE,
        strategies=IN_FLIGHT,
        budgets={"crash": 1},
        options={"code": LESS, "undo": "parts"},
        code=[0, 1],
        reaches="supersede crash",
    ),
    *_each(
        "new code with one step less deletes",
        DELETE,
        strategies=OVER,
        budgets={"doubt": 1, "fail": 1},
        options={"code": LESS, "undo": "parts"},
        code=[0, 1],
        reaches="supersede doubt fail",
    ),
    *_each(
        "new code with another order deletes what is in flight or over",
        DELETE,
        strategies=IN_FLIGHT,
        budgets={"crash": 1},
        options={"code": OTHER_ORDER, "undo": "parts"},
        code=[0, 1],
        reaches="supersede crash",
    ),
    *_each(
        "new code with another order deletes",
        DELETE,
        strategies=OVER,
        budgets={"doubt": 1, "fail": 1},
        options={"code": OTHER_ORDER, "undo": "parts"},
        code=[0, 1],
        reaches="supersede doubt fail",
        deep=[FIND],
    ),
    *_each(
        "new code without an update rolls one back, which is in flight or over",
        heard(IN_PLACE, "u"),
        strategies=IN_FLIGHT,
        budgets={"fail": 1, "crash": 1},
        options={"code": NO_UPDATE},
        code=[0, 0, 1],
        reaches="supersede crash fail",
    ),
    *_each(
        "new code without an update rolls one back",
        heard(IN_PLACE),
        strategies=OVER,
        budgets={"fail": 1, "doubt": 1},
        options={"code": NO_UPDATE},
        code=[0, 0, 1],
        reaches="doubt fail",
    ),
    *_each(
        "new code replaces where the old one updates, in flight or over, and rolls that back",
        WIDE,
        strategies=IN_FLIGHT,
        budgets={"crash": 1, "fail": 1},
        options={"code": WIDER},
        code=[0, 0, 1],
        reaches="supersede crash fail",
    ),
    *_each(
        "new code replaces where the old one updated, and rolls that back",
        heard(WIDE),
        strategies=OVER,
        budgets={"doubt": 1, "fail": 1},
        options={"code": WIDER},
        code=[0, 0, 1],
        reaches="doubt fail",
    ),
    *_each(
        "new code updates where the old one replaces, in flight or over, and rolls that back",
        WIDE,
        strategies=IN_FLIGHT,
        budgets={"crash": 1, "fail": 1},
        options={"code": WIDER[::-1]},
        code=[0, 0, 1],
        reaches="supersede crash fail",
    ),
    *_each(
        "new code updates where the old one replaced, and rolls that back",
        heard(WIDE),
        strategies=OVER,
        budgets={"doubt": 1, "fail": 1},
        options={"code": WIDER[::-1]},
        code=[0, 0, 1],
        reaches="doubt fail",
    ),
    *_each(
        "a call in doubt is made again, and throttled until time is over",
        DELETE,
        budgets={"doubt": 1, "throttle": 1},
        options={"steps": 1, "throttles": True},
        reaches="supersede doubt throttle",
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
