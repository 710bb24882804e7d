"""The spaces: what CloudFormation sends, how much may go wrong, and what must be reached.

Each is named for what it is meant to reach; one that never reaches it shows nothing, and fails.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from importlib import import_module
from types import ModuleType
from typing import Any

from explore.explorer import Explorer
from explore.hooks import Code, Habits
from explore.scene import Scene
from explore.script import OTHER, Place, Script

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
# A replacement under the id that it replaces, its rollback, and the Delete of an id of nobody's.
SAME_ID = {
    "c": C._replace(good="u", bad="d", hears=True),
    "u": U._replace(good="d", bad="r"),
    "r": Place("U4", "Update", 4, "t", "d", properties="P", old="Q", hears=True),
    "t": Place("D5", "Delete", 5, "d", "d", id="stray", hears=True),
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
# Two are kept, the second one refused before its hook, and both are deleted, the second one first.
KEPT_BOTH = heard(
    {
        "c": C._replace(good="d", bad="k"),
        "k": Place("C3", "Create", 3, "p", "p", properties="Px"),
        "p": Place("D4", "Delete", 4, "d", "d", id="told:k", properties="P"),
        "d": D._replace(id="held:c", properties="P"),
    },
    "c",
)
# The same, and CloudFormation gives the Delete of the first one up.
KEPT_GIVEN_UP = {
    **KEPT_BOTH,
    "p": KEPT_BOTH["p"]._replace(id="told:c"),
    "d": D._replace(id="held:k", properties="P"),
}
# The ledger is lost after the first one: its placeholder comes to an item that does not know it.
KEPT_LOST = heard(
    {
        "c": C._replace(good="d", bad="k"),
        "k": Place("C3", "Create", 3, "p", "p", properties="P", loses=True),
        "p": Place("D4", "Delete", 4, "d", "d", id="told:c"),
        "d": D._replace(id="held:k"),
    },
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
ADOPTED_AND_SAME = heard(
    {
        "u": U._replace(begins=True, good="n", bad="r"),
        "n": Place("U5", "Update", 5, "q", "n", properties="P", old="Q"),
        "q": Place("D6", "Delete", 6, "v", "v", id="oldest", properties="Q"),
        "r": Place("U4", "Update", 4, "v", "d", properties="P", old="Q"),
        "v": Place("U7", "Update", 7, "d", "d", properties="P", old="P"),
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
# The rollback of one that never came looks like a replacement: what it replaces is cleaned up.
ADOPTED_NEVER = heard(
    {
        "u": U._replace(good="r", bad="r"),
        "r": Place("U4", "Update", 4, "o", "d", properties="P", old="Q"),
        "o": Place("D5", "Delete", 5, "d", "d", id="before", properties="Q"),
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
# One of another type under the same logical id: after one that was retained; after a failed one
# that is kept, and deleted before it; after one of whose clean-up CloudFormation has given up.
OTHER_RETAINED = heard(
    {
        "c": C._replace(good="x", bad="g"),
        "g": D._replace(request_id="D8", order=8),
        "x": Place("C3", "Create", 3, "d", "d", properties="P", resource_type=OTHER),
        "d": D._replace(resource_type=OTHER),
    },
    "x",
)
OTHER_KEPT = heard(
    {
        "c": KEPT._replace(good="g"),
        "g": D._replace(request_id="D8", order=8),
        "k": Place("C3", "Create", 3, "p", "p", properties="P", resource_type=OTHER),
        "p": Place("D4", "Delete", 4, "d", "d", id="told:c", properties="P"),
        "d": D._replace(id="held:k", resource_type=OTHER),
    },
    "c",
)
OTHER_GIVEN_UP = heard(
    {
        "c": C._replace(good="u", bad="g"),
        "u": U._replace(good="o", bad="g"),
        "o": Place("D3", "Delete", 3, "x", "x", id="before", properties="P"),
        "g": D._replace(request_id="D8", order=8),
        "x": Place("C4", "Create", 4, "d", "d", properties="P", resource_type=OTHER),
        "d": D._replace(resource_type=OTHER),
    },
)
# A rollback that dies, and another one: of an Update that is refused; of one that replaces.
REFUSED_TWICE = heard(
    {
        **REFUSED,
        "r": REFUSED["r"]._replace(bad="s", hears=False),
        "s": Place("U5", "Update", 5, "d", "d", properties="P", old="Px"),
    },
    "u",
    "r",
)
BACK_TWICE = heard(
    {
        "c": C._replace(good="u", bad="d"),
        "u": U._replace(good="r", bad="r"),
        "r": Place("U4", "Update", 4, "d", "s", properties="P", old="Q", id="swapped"),
        "s": Place("U5", "Update", 5, "d", "d", properties="P", old="Q"),
        "d": D,
    },
    "u",
    "r",
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
# The ledger is lost before an Update and its rollback, or before a clean-up.
LOST_UPDATE = heard(
    {
        "c": C._replace(good="u", bad="d"),
        "u": U._replace(properties="P2", good="r", bad="r", loses=True),
        "r": Place("U4", "Update", 4, "d", "d", properties="P", old="P2"),
        "d": D,
    },
)
LOST_REPLACEMENT = heard(
    {
        "c": C._replace(good="u", bad="d"),
        "u": U._replace(good="n", bad="r", loses=True),
        "n": Place("U5", "Update", 5, "q", "n", properties="P", old="Q"),
        "q": Place("D6", "Delete", 6, "d", "d", id="oldest", properties="Q"),
        "r": Place("U4", "Update", 4, "d", "d", properties="P", old="Q"),
        "d": D,
    },
)
LOST_CLEAN_UP = heard(
    {
        "c": C._replace(good="u", bad="d"),
        "u": U._replace(good="o", bad="d"),
        "o": Place("D3", "Delete", 3, "d", "d", id="before", properties="P", loses=True),
        "d": D,
    },
)
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

# Where `update` itself replaces, its rollback may do so too, and is cleaned up then.
REPLACED_BY_UPDATE = {
    **UPDATE,
    "r": UPDATE["r"]._replace(good="q"),
    "q": Place("D6", "Delete", 6, "d", "d", id="before", properties="P"),
}
ADOPTED_REPLACED_BY_UPDATE = {
    **ADOPTED_REPLACED,
    "r": ADOPTED_REPLACED["r"]._replace(good="o"),
    "o": Place("D7", "Delete", 7, "d", "d", id="before", properties="P", hears=True),
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
        holds: The id of what another handler has made before.
        code: The version of the class that each delivery has, by its number.
        deep: Only part of the long exploration.
    """

    name: str = ""
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
            Scene(kit, script, Habits(**self.options)),
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


def on(
    script: Mapping[str, Place],
    faults: str = "",
    reaches: str = "",
    *,
    copies: str = "",
    steps: int = 1,
    **how: Any,
) -> Space:
    """Return a space; what is said besides is a part of it, or else an option of its scene.

    Args:
        script: What CloudFormation sends.
        faults: How many of each kind may happen; each must. "crash:2 lost" are two and one.
        reaches: What it must come by besides.
        copies: How often a place is delivered: "c:2".
        steps: How many things a Create makes.
    """
    own = {name: how.pop(name) for name in PARTS if name in how}
    budgets = _counted(faults)
    return Space(
        script=script,
        reaches=[*reaches.split(), *budgets],
        copies=_counted(copies),
        budgets=budgets,
        options={"steps": steps, **how},
        **own,
    )


PARTS = [part.name for part in fields(Space)]


def _counted(text: str) -> dict[str, int]:
    """Read how many there are of each."""
    words = (word.partition(":") for word in text.split())
    return {name: int(number or 1) for name, _, number in words}


def _each(
    script: Mapping[str, Place],
    faults: str = "",
    reaches: str = "",
    *,
    strategies: Sequence[str] = STRATEGIES,
    deep: Sequence[str] = (),
    **how: Any,
) -> list[Space]:
    """Make a space for each strategy."""
    spaces = []
    for strategy in strategies:
        also = " find" if "find" in strategy and "takeover" in reaches else ""
        also += " start" if strategy == ONCE else ""
        is_deep = strategy in deep
        spaces.append(on(script, faults, reaches + also, strategy=strategy, deep=is_deep, **how))
    return spaces


ROWS = {
    "two copies of a Create, two steps, they die and lose answers": _each(
        CREATE, "crash:2 lost", "takeover", copies="c:2", steps=2
    ),
    "a Delete over a Create that dies, doubts, is in flight": _each(
        DELETE, "crash doubt flight", "supersede takeover leave landed", deep=[ONCE], steps=2
    ),
    "a Delete over a Create whose timed-out call lands late, or is refused": _each(
        DELETE, "crash late fail", "supersede takeover leave landed", steps=2
    ),
    "a Delete over two copies of a Create": _each(
        DELETE, "crash", "supersede takeover leave", copies="c:2"
    ),
    "two Deletes over a Create": _each(
        DELETE, "crash", "supersede takeover leave", copies="d:2", deep=[ONCE]
    ),
    "asked again after a failure: a new round": _each(
        REASK, "fail crash doubt", "round takeover", steps=2
    ),
    "asked again, then deleted": _each(REASK_DELETE, "fail crash", "round supersede", deep=[ONCE]),
    "a replacing Update, its clean-up or its rollback, a Delete": _each(
        UPDATE, "crash", "supersede takeover", deep=[ONCE]
    ),
    "a replacing Update over a replacing Update": _each(
        UPDATE_TWICE, "", "supersede leave", strategies=[BOTH], deep=[BOTH]
    ),
    "an Update in place and its rollback": _each(
        IN_PLACE, "crash fail", "supersede takeover", deep=[FIND, ONCE]
    ),
    "retained and added again": _each(RETAIN, "crash", "supersede takeover"),
    "a clean-up Delete is sent again under a new RequestId": _each(
        RESENT, "crash", "supersede takeover"
    ),
    "a replacement is rolled back under its new id": _each(BACK, "crash", "supersede takeover"),
    "a replacement is rolled back, and again, for nobody heard of it": _each(
        BACK_UNHEARD, "crash", "supersede takeover"
    ),
    "a replacement is rolled back under the old id": _each(BACK_OLD, "crash", "supersede takeover"),
    "a RequestId is used again after a Delete": _each(
        AGAIN, "crash", "supersede takeover", deep=[ONCE]
    ),
    "made, deleted and made again under one name": _each(
        AGAIN, "crash", "supersede takeover", deep=[ONCE], named=True
    ),
    "replaced, cleaned up and replaced back under one name": _each(
        THERE_AND_BACK, "crash", "supersede takeover", named=True
    ),
    "the external API forgets tokens after their window": _each(
        CREATE,
        "crash:2",
        "takeover forgot",
        copies="c:3",
        strategies=[TOKEN, BOTH],
        pace="brisk",
        steps=2,
        window=50.0,
        forgets=True,
    ),
    "look-ups fail, or are made too early": _each(
        DELETE, "crash nolook lag", "supersede takeover", strategies=[FIND, BOTH], lag=10.0
    ),
    "copies in one sandbox, one after another": _each(
        DELETE,
        "crash:2 flight",
        "supersede takeover landed",
        copies="c:2 d:2",
        boxes=True,
        deep=[ONCE, FIND],
    ),
    "hooks say: not now": _each(
        DELETE, "later crash", "supersede takeover park", copies="c:2", deep=[ONCE]
    ),
    "a step is cut short once it has acted": _each(DELETE, "cut crash lost", deep=[ONCE]),
    "a stuck hook is answered for, and goes on; then a Delete": _each(
        DELETE, "ring crash lost", "finish", deep=[ONCE], steps=2
    ),
    "a stuck hook is answered for, asked again, then deleted": _each(
        REASK_DELETE, "ring fail", "finish round", deep=[FIND, BOTH, ONCE]
    ),
    "a stuck hook of a replacing Update, its rollback, a Delete": _each(
        UPDATE, "ring", "finish", deep=[TOKEN, ONCE]
    ),
    "a stuck Delete, a second one, and made again under its name": _each(
        DELETE_TWICE, "ring", "finish", strategies=[BOTH], named=True
    ),
    "stuck before its first step": _each(
        DELETE, "ring crash", "finish", strategies=[TOKEN], reads=True
    ),
    "stuck in calls that are repeated at will": _each(
        DELETE, "ring crash", "finish", strategies=[BOTH], tags=True
    ),
    "the guardian of a Create, which is dead or is not": _each(
        DELETE, "crash lost", "takeover finish leave", guardians=["c"], deep=[ONCE]
    ),
    "the guardian of a Create that has a copy": _each(
        DELETE, "crash", "takeover finish", copies="c:2", guardians=["c"], deep=STRATEGIES
    ),
    "the guardian of a Delete, and it is made again under its name": _each(
        DELETE_TWICE,
        "crash",
        "takeover finish",
        guardians=["y"],
        deep=[TOKEN, FIND, ONCE],
        named=True,
    ),
    "a Create that waits, and goes on in another invocation": _each(
        CREATE, "crash lost", "park", copies="c:3", deep=[FIND, ONCE], steps=2, waits=100.0
    ),
    "a Create that takes more than one invocation": _each(
        CREATE,
        "doubt:2 crash lost",
        "park",
        copies="c:2",
        strategies=[FIND],
        timeouts=[26.0, 160.0],
        steps=2,
    ),
    "a Delete over a Create that takes more than one invocation": _each(
        DELETE,
        "doubt",
        "park supersede",
        copies="c:2",
        strategies=[FIND],
        timeouts=[26.0, 160.0],
        steps=2,
    ),
    "a Delete over a Create that takes more than one, and dies": _each(
        DELETE,
        "doubt crash",
        "park supersede",
        copies="c:2",
        strategies=[FIND],
        timeouts=[26.0, 160.0],
        deep=[FIND],
        steps=2,
    ),
    "a Delete over a Create that waits": _each(
        DELETE, "crash", "park supersede", copies="c:2", deep=[TOKEN, ONCE], steps=2, waits=100.0
    ),
    "too little time to wait for the one before": _each(
        DELETE,
        "crash",
        "supersede takeover park",
        copies="d:2",
        timeouts=[60.0, 30.0, 150.0],
        deep=[ONCE],
    ),
    "doubts that the step's own code raises": _each(
        REASK_DELETE, "doubt crash", "supersede round", deep=[TOKEN, FIND, ONCE], transient=False
    ),
    "a Delete that fails, and a second one": _each(
        DELETE_FAILS, "slip crash", "supersede", strategies=[BOTH]
    ),
    "answers that are not delivered, or look so": _each(
        DELETE, "undelivered:2", "supersede", copies="c:2", strategies=[BOTH]
    ),
    "a read before the first step, which fails": _each(
        DELETE, "crash nolook", "supersede takeover", copies="c:2", deep=[ONCE], reads=True
    ),
    "a read before the first step, which says: not now": _each(
        DELETE, "crash later", "supersede park", reads=True
    ),
    "calls that are repeated at will, around a step": _each(
        DELETE,
        "crash lost",
        "supersede takeover leave tag clear",
        strategies=[TOKEN, ONCE],
        tags=True,
    ),
    "calls that are repeated at will, and no step": _each(
        DELETE,
        "crash",
        "supersede takeover leave tag clear",
        copies="c:2",
        strategies=[TOKEN],
        steps=0,
        tags=True,
    ),
    "calls that are repeated at will, in an Update in place that dies": _each(
        IN_PLACE, "crash", "takeover leave tag clear", strategies=[TOKEN, ONCE], tags=True
    ),
    "a piece with an undo, made before the object": _each(
        DELETE, "crash doubt fail", "supersede takeover leave remove", deep=[ONCE], undo="piece"
    ),
    "parts with an undo that makes steps": _each(
        DELETE,
        "crash fail",
        "supersede takeover leave remove",
        steps=3,
        undo="parts, by steps",
    ),
    "parts with an undo that are left to it": _each(
        DELETE, "crash doubt", "supersede takeover leave remove strip", steps=2, undo="parts"
    ),
    "a hook that swallows errors, and sets another id on its way out": _each(
        DELETE,
        "crash fail doubt",
        "supersede takeover leave",
        strategies=[TOKEN, FIND, BOTH],
        steps=2,
        swallows=True,
    ),
    "results that do not fit the head": _each(
        DELETE,
        "crash lost",
        "supersede takeover leave spill",
        strategies=[BOTH, ONCE],
        steps=2,
        long=True,
    ),
    "requests without a date": _each(
        UPDATE_BEGUN, "crash", "supersede takeover", strategies=[BOTH], dated=False
    ),
    "two requests of one second": _each(
        DELETE_SAME_SECOND, "crash", "supersede takeover", copies="c:2", strategies=[BOTH]
    ),
    "the ledger is out of reach of one delivery": _each(
        DELETE, "outage", "supersede takeover", copies="d:2", strategies=[BOTH]
    ),
    "the ledger is out of reach, and the requests are old": _each(
        DELETE_OLD, "outage:2", "supersede", strategies=[BOTH]
    ),
    "CloudFormation no longer waits": _each(
        DELETE_EXPIRED,
        "crash:2",
        "supersede takeover",
        copies="d:2",
        strategies=[FIND, ONCE],
        deep=[ONCE],
    ),
    "a Create left in doubt, then another one and its Update": _each(
        RETAIN_UPDATE, "crash", "supersede takeover"
    ),
    "a second Update over a first one, and asked again": _each(
        UPDATE_REASK, "fail", "supersede round", strategies=[TOKEN], deep=[TOKEN]
    ),
    "clocks that differ, and calls that leave at the last moment": _each(
        DELETE,
        "crash flight",
        "supersede landed",
        strategies=[TOKEN, FIND, BOTH],
        pace="slow",
        skews=[-0.25, 0.25],
        deep=[BOTH],
        steps=2,
    ),
    "an Update with a piece that has an undo, and its rollback": _each(
        UPDATE_BEGUN, "crash", "supersede takeover", strategies=[BOTH], undo="piece"
    ),
    "a call in doubt lands when its execution has ended": _each(
        DELETE,
        "late crash",
        "supersede leave landed",
        strategies=[TOKEN, FIND, ONCE],
        steps=2,
        transient=False,
    ),
    "answers of the ledger are lost when no time is left": _each(
        DELETE, "crash lost", "supersede", strategies=[BOTH, ONCE], pace="slow", deep=[ONCE]
    ),
}

# What stands in no ledger: ids that stand for nothing, what others have made, what is refused.
ROWS |= {
    "a failed Create is kept; another one, then the Delete of the first": _each(
        KEPT_CD, "fail crash", "supersede"
    ),
    "the same, and the second has the properties of the first": _each(
        KEPT_CD_SAME, "fail crash", "supersede"
    ),
    "a failed Create of two steps is kept; another one, then the Delete of the first": _each(
        KEPT_CD_SAME, "fail doubt", "supersede", deep=[ONCE], steps=2
    ),
    "a failed Create is kept; its Delete, then another Create": _each(
        KEPT_DC, "fail crash", "supersede"
    ),
    "a failed Create is kept; another one and its Update, then the Delete of the first": _each(
        KEPT_CUD, "fail", "supersede"
    ),
    "a Create that never came is kept; another one and its Update, then its Delete": _each(
        KEPT_NEVER, "fail", copies="c:0", strategies=[TOKEN, FIND, ONCE]
    ),
    "a failed Create is kept; another one is replaced, then the Delete of the first": _each(
        KEPT_CRD, "fail", "supersede"
    ),
    "a failed Create is kept; another one, then two Deletes of the first": _each(
        KEPT_CDD, "fail", "supersede"
    ),
    "two failed Creates are kept; a third one, then their Deletes": _each(
        KEPT_TWO, "fail", "supersede"
    ),
    "two failed Creates are kept, the second one refused, then their Deletes": _each(
        KEPT_BOTH, "fail crash", undo="piece"
    ),
    "two failed Creates are kept, and the Delete of the first fails for good": _each(
        KEPT_GIVEN_UP, "fail slip", undo="piece"
    ),
    "a failed Create is kept, the ledger is lost; another one, then the Delete of the first": _each(
        KEPT_LOST, "fail:2", "loss", undo="piece"
    ),
    "a Create that never came, and the Delete of an id that was made up for it": _each(
        DELETE, "crash", "begin", copies="c:0", strategies=[TOKEN], steps=2
    ),
    "retained and added again, by a Create that comes late or never": _each(
        RETAIN_LATE, "crash", "supersede takeover"
    ),
    "retained and added again with equal properties": _each(
        RETAIN_SAME, "crash", "supersede takeover"
    ),
    "the Delete of what another handler made, and nothing of ours": _each(
        FOREIGN_NOTHING, "crash", "remove", copies="d:2", strategies=[TOKEN], steps=2
    ),
    "another handler takes the place of ours, and its Delete comes to us": _each(
        FOREIGN, "crash fail", "takeover"
    ),
    "another handler takes the place of what we have updated": _each(
        FOREIGN_KNOWN, "crash", "takeover"
    ),
    "another handler takes the place of ours, and an Update and its rollback come to us": _each(
        TAKEN_BACK, "crash", "takeover"
    ),
    "an older object is changed in place, and back": _each(
        ADOPTED, "crash fail lost", "supersede takeover", holds="old", deep=[ONCE]
    ),
    "an older object is replaced, and that is rolled back": _each(
        ADOPTED_REPLACED, "crash fail", "supersede takeover", holds="old"
    ),
    "an older object is replaced, that is rolled back, and an Update changes nothing": _each(
        ADOPTED_AND_SAME, "crash", "supersede takeover", holds="old", told=1
    ),
    "an older object is replaced for good": _each(
        ADOPTED_FOR_GOOD, "crash slip", "supersede takeover", holds="old"
    ),
    "an older object is changed, replaced, and that is rolled back": _each(
        ADOPTED_TWICE, "fail", "supersede", holds="old"
    ),
    "an Update is refused before its hook, and rolled back": _each(
        REFUSED, "crash fail", "supersede takeover"
    ),
    "a replacing Update is refused before its hook, and rolled back": _each(
        REFUSED_REPLACEMENT, "crash", "supersede takeover"
    ),
    "an Update is refused before its hook, and its rollback dies": _each(
        REFUSED_TWICE, "crash", "supersede takeover"
    ),
    "a replacing Update dies, and its rollback dies": _each(
        BACK_TWICE, "crash:2", "supersede takeover"
    ),
    "a Create is refused before its hook": _each(
        REFUSED_CREATE, "crash lost", "supersede takeover", copies="c:2", strategies=[TOKEN]
    ),
    "no update is written, and one is rolled back": _each(
        IN_PLACE, "crash", "supersede takeover", strategies=[TOKEN], updates=False
    ),
    "an Update that may have acted, one that is refused, and a rollback": _each(
        TOUCHED_REFUSED, "crash fail", "supersede takeover"
    ),
    "an Update that may have acted, a replacement that is refused, and a rollback": _each(
        TOUCHED_REFUSED_REPLACEMENT,
        "crash fail doubt",
        "supersede takeover",
        deep=[FIND, BOTH, ONCE],
    ),
    "an Update that may have acted, a replacement, and a rollback": _each(
        TOUCHED_REPLACED, "doubt fail"
    ),
    "an Update that may have acted, and one that changes nothing": _each(
        TOUCHED_SAME, "crash fail", "supersede"
    ),
    "what was replaced is half deleted, and an Update goes back to its properties": _each(
        HALF_DELETED, "slip"
    ),
    "replaced twice and retained, and back to the properties of the first": _each(
        RETAINED_BACK, "crash", "takeover"
    ),
    "a replacement under the id that it replaces": _each(
        SAME_ID, "crash", "supersede takeover", named="twins"
    ),
    "a replacement that changes what it replaces, under one id": _each(
        SAME_ID,
        "crash",
        "supersede takeover",
        strategies=[TOKEN, FIND, BOTH],
        named="upsert",
    ),
    "the clean-up of what was replaced fails for good": _each(GIVEN_UP, "slip", "supersede"),
    "the clean-up after a rollback fails for good": _each(GIVEN_UP_BACK, "slip"),
    "retained, and one of another type is added under its logical id": _each(
        OTHER_RETAINED, "crash", "supersede takeover"
    ),
    "a failed Create is kept; one of another type, then the Delete of the first": _each(
        OTHER_KEPT, "fail crash", "supersede takeover"
    ),
    "a clean-up fails for good, and one of another type is added": _each(OTHER_GIVEN_UP, "slip"),
    "a RequestId asks for another Create, signed later": _each(
        OTHER_CREATE, "crash fail", "supersede"
    ),
    "a RequestId asks for another Update, signed later": _each(OTHER_UPDATE, "crash", "supersede"),
    "a Create's RequestId comes as a Delete, signed later": _each(OTHER_TYPE, "crash", "supersede"),
    "somebody else's copy of a Create asks for something else": _each(
        FORGED, "crash", "supersede takeover"
    ),
    "the ledger is lost, then an Update in place and its rollback": _each(
        LOST_UPDATE, "fail doubt", "loss"
    ),
    "the ledger is lost, then a replacement and its rollback": _each(
        LOST_REPLACEMENT, "fail doubt", "loss"
    ),
    "the ledger is lost, then the clean-up of what was replaced": _each(
        LOST_CLEAN_UP, "slip", "loss"
    ),
    "an older object, whose Update in place never came, and its rollback": _each(
        {**ADOPTED, "u": ADOPTED["u"]._replace(begins=False)},
        "crash fail",
        "takeover",
        strategies=[TOKEN, ONCE],
        holds="old",
        copies="u:0",
    ),
    "an older object, whose replacement never came, and its rollback": _each(
        ADOPTED_NEVER,
        "crash fail",
        "takeover",
        strategies=[TOKEN, ONCE],
        holds="old",
        copies="u:0",
    ),
    "a step whose result is secret, and one that fails after it": _each(
        DELETE, "fail crash", "supersede takeover leave", steps=2, secret="a"
    ),
    "a part whose result is secret, and one that fails after it": _each(
        DELETE,
        "fail crash",
        "supersede takeover leave",
        deep=[ONCE],
        secret="b",
        steps=3,
        undo="parts",
    ),
    "a part whose function cannot be called": _each(
        DELETE, "crash", "supersede takeover leave", steps=2, unusable="b"
    ),
    "a step whose result cannot be kept": _each(
        DELETE, "crash", "supersede takeover leave", odd="a"
    ),
    "a step that acts, and returns what stands for work": _each(
        DELETE, "crash", "supersede takeover leave", lazy="a"
    ),
    "a part whose result cannot be kept": _each(
        DELETE, "crash", "supersede takeover leave", steps=2, odd="b", undo="parts"
    ),
    "one delivery makes something, a later one has no ledger and is answered": _each(
        OLD_HEARD, "outage crash", "supersede", copies="c:2", deep=[ONCE]
    ),
    "answered without the ledger and kept; another Create, then its Delete": _each(
        OLD_KEPT, "outage crash", "supersede", copies="c:2", deep=[ONCE]
    ),
}

# What a class says of hooks that do more than their steps tell.
ROWS |= {
    "hooks act outside their steps: a Create, its Delete": _each(
        DELETE, "crash fail", "supersede takeover leave tag clear", outside=True
    ),
    "hooks act outside their steps: an Update in place and its rollback": _each(
        IN_PLACE, "fail", "supersede reshape", strategies=[TOKEN, ONCE], outside=True
    ),
    "update itself makes a new object: its clean-up, or its rollback": _each(
        REPLACED_BY_UPDATE, "crash fail", "supersede takeover", may_replace=True
    ),
    "update itself makes a new object, and that is rolled back under its id": _each(
        BACK, "crash", "supersede takeover", deep=[FIND], may_replace=True
    ),
    "update itself makes a new object of an older one, and that is rolled back": _each(
        ADOPTED_REPLACED_BY_UPDATE,
        "crash",
        "supersede takeover",
        holds="old",
        may_replace=True,
    ),
}

# New code between two requests, and between two deliveries where a step has a mark before its call;
# without one nobody knows which step the dead may have called. Calls that are not taken for now.
MORE, LESS = [Code("a"), Code("ab")], [Code("ab"), Code("a")]
OTHER_ORDER, NO_UPDATE = [Code("abc"), Code("acb")], [Code("a"), Code("a", updates=False)]
WIDER = [Code("a"), Code("a", replace_on=frozenset({"Kind", "Size"}))]
SECRET = [Code("a"), Code("a", no_echo=True)]
FULL = 3891  # characters of attributes that make the longest answer to a Create: 4,082 bytes
IN_FLIGHT, OVER = [ONCE], [TOKEN, FIND, BOTH]
ROWS |= {
    "new code with one step more takes over, and deletes": _each(
        DELETE,
        "crash",
        "supersede takeover",
        copies="c:2",
        code=[0, 1],
        deep=[FIND, ONCE],
        versions=MORE,
        undo="parts",
    ),
    "new code with one step less deletes what is in flight or over": _each(
        DELETE, "crash", "supersede", strategies=IN_FLIGHT, code=[0, 1], versions=LESS, undo="parts"
    ),
    "new code with one step less deletes": _each(
        DELETE, "doubt fail", "supersede", strategies=OVER, code=[0, 1], versions=LESS, undo="parts"
    ),
    "new code with another order deletes what is in flight or over": _each(
        DELETE,
        "crash",
        "supersede",
        strategies=IN_FLIGHT,
        code=[0, 1],
        versions=OTHER_ORDER,
        undo="parts",
    ),
    "new code with another order deletes": _each(
        DELETE,
        "doubt fail",
        "supersede",
        strategies=OVER,
        code=[0, 1],
        deep=[FIND],
        versions=OTHER_ORDER,
        undo="parts",
    ),
    "new code without an update rolls one back, which is in flight or over": _each(
        heard(IN_PLACE, "u"),
        "fail crash",
        "supersede",
        strategies=IN_FLIGHT,
        code=[0, 0, 1],
        versions=NO_UPDATE,
    ),
    "new code without an update rolls one back": _each(
        heard(IN_PLACE), "fail doubt", strategies=OVER, code=[0, 0, 1], versions=NO_UPDATE
    ),
    "new code replaces where the old one updates, in flight or over, and rolls that back": _each(
        WIDE, "crash fail", "supersede", strategies=IN_FLIGHT, code=[0, 0, 1], versions=WIDER
    ),
    "new code replaces where the old one updated, and rolls that back": _each(
        heard(WIDE), "doubt fail", strategies=OVER, code=[0, 0, 1], versions=WIDER
    ),
    "new code updates where the old one replaces, in flight or over, and rolls that back": _each(
        WIDE, "crash fail", "supersede", strategies=IN_FLIGHT, code=[0, 0, 1], versions=WIDER[::-1]
    ),
    "new code updates where the old one replaced, and rolls that back": _each(
        heard(WIDE), "doubt fail", strategies=OVER, code=[0, 0, 1], versions=WIDER[::-1]
    ),
    "the longest answer, told again by new code that says that it is secret": _each(
        CREATE,
        "crash lost",
        "takeover finish",
        strategies=[TOKEN],
        copies="c:2",
        code=[0, 1],
        versions=SECRET,
        told=FULL,
    ),
    "the longest answer, told to a rollback by new code that says that it is secret": _each(
        heard(REFUSED, "u"),
        "crash",
        "supersede",
        strategies=[TOKEN],
        code=[0, 0, 1],
        versions=SECRET,
        told=FULL,
    ),
    "a name that is drawn, and an object that is put there at will": _each(
        DELETE,
        "crash slip",
        "supersede takeover leave",
        copies="c:2",
        strategies=[TOKEN],
        drawn=True,
    ),
    "the external API refuses in its own way": _each(
        DELETE, "fail crash doubt", "supersede takeover leave", steps=2, refuses=True, deep=[ONCE]
    ),
    "a call in doubt is made again, and throttled until time is over": _each(
        DELETE, "doubt throttle", "supersede", throttles=True
    ),
}

# An operator looks at a step in doubt, and writes what he has seen: perhaps too late.
SETTLED_ONCE = {"strategies": [ONCE], "steps": 2}
FAILED_LOOK_UP = {"strategies": [FIND, BOTH], "transient": False}
ROWS |= {
    "an operator settles a step of a Create that is delivered again": _each(
        CREATE, "crash settle", "takeover settle-refused", copies="c:2", **SETTLED_ONCE
    ),
    "an operator settles a step of a Create that is asked again": _each(
        REASK, "doubt settle", "round settle-refused", **SETTLED_ONCE
    ),
    "an operator settles a step whose look-up failed, and that is asked again": _each(
        REASK, "doubt nolook settle", "round settle-refused", **FAILED_LOOK_UP
    ),
    "an operator settles a step before its Delete, or while that cleans up": _each(
        DELETE, "crash doubt settle", "supersede settle-refused", **SETTLED_ONCE
    ),
    "an operator settles a step whose look-up failed, before its Delete": _each(
        DELETE, "doubt nolook settle", "supersede", **FAILED_LOOK_UP
    ),
    "an operator settles two steps of a replacing Update and its rollback": _each(
        UPDATE, "doubt settle:2", "supersede settle-refused", strategies=[ONCE]
    ),
    "an operator settles a step among calls that are repeated at will": _each(
        DELETE, "crash settle", "supersede settle-refused tag", strategies=[ONCE], tags=True
    ),
    "an operator settles a step of an Update in place that has such calls": _each(
        IN_PLACE, "fail doubt settle", "tag", strategies=[ONCE], tags=True
    ),
    "an operator removes all by hand, and forgets a Create that is asked again": _each(
        REASK, "fail doubt forget", "round", strategies=[TOKEN, ONCE], steps=2
    ),
    "an operator forgets a Create that is asked again, then deleted": _each(
        REASK_DELETE, "fail forget", "round", strategies=[FIND], copies="c:2"
    ),
    "an operator removes all by hand, and forgets a Create before its Delete": _each(
        DELETE, "crash fail doubt forget", "supersede", strategies=[TOKEN, ONCE], steps=2
    ),
    "an operator forgets a RequestId that is used again": _each(
        AGAIN, "crash forget", "supersede", strategies=[TOKEN]
    ),
}

# What takes minutes each: more deliveries, steps and faults at a time.
ALL_DEEP = [TOKEN, FIND, BOTH, ONCE]
ROWS |= {
    "three copies of a Create, a Delete, two deaths": _each(
        DELETE,
        "crash:2",
        "supersede takeover leave",
        copies="c:3",
        strategies=[TOKEN, BOTH],
        deep=ALL_DEEP,
    ),
    "two copies of a Create, two of its Delete, two steps": _each(
        DELETE,
        "crash",
        "supersede takeover leave",
        copies="c:2 d:2",
        strategies=[TOKEN],
        deep=ALL_DEEP,
        steps=2,
    ),
    "everything that can go wrong around a Create and its Delete": _each(
        DELETE,
        "crash lost doubt fail flight later late undelivered",
        "supersede takeover leave landed park",
        strategies=[TOKEN, FIND, BOTH],
        deep=ALL_DEEP,
        steps=2,
    ),
    "two copies of a replacing Update, its clean-up or rollback": _each(
        UPDATE,
        "crash",
        "supersede takeover leave",
        copies="u:2",
        strategies=[TOKEN, BOTH],
        deep=ALL_DEEP,
    ),
    "a replacing Update of two steps that dies, is refused or in doubt": _each(
        UPDATE,
        "crash fail doubt",
        "supersede takeover leave",
        strategies=[FIND, BOTH],
        deep=ALL_DEEP,
        steps=2,
    ),
    "a replacing Update over a replacing Update, and a death": _each(
        UPDATE_TWICE, "crash", "supersede takeover leave", strategies=[TOKEN], deep=ALL_DEEP
    ),
    "asked again, every delivery twice": _each(
        REASK, "crash fail", "round takeover", copies="c:2 e:2", strategies=[TOKEN], deep=ALL_DEEP
    ),
    "slow deliveries whose calls land late, and a Delete": _each(
        DELETE,
        "crash flight",
        "supersede takeover leave landed",
        copies="c:2",
        strategies=[TOKEN, FIND],
        pace="slow",
        deep=ALL_DEEP,
    ),
    "a RequestId used again, slow deliveries": _each(
        AGAIN, "crash", "supersede takeover", strategies=[TOKEN, FIND], pace="slow", deep=ALL_DEEP
    ),
}
SPACES = [
    replace(space, name=f"{name}: {space.options['strategy']}")
    for name, spaces in ROWS.items()
    for space in spaces
]
