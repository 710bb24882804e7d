"""What is done for a request, by what the ledger says: one table a kind of request.

Create   make it
Update   a replaced object was made of these properties     its kept answer: a replacement is undone
         held, and nothing that is declared differs         the kept answer
         held, made of these properties, would replace      the kept answer: a replacement failed
         a property of `replace_on` differs                 make a new one
         else                                               change it

Delete   the id is        nothing held        held, not acknowledged    held, acknowledged
         held             -                   delete it                 delete it
         replaced         delete that alone   delete that alone         delete that alone
         removed          clean up            nothing                   nothing
         any other        clean up            delete what is held       nothing
"""

import json
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from .._cloudformation.request import Request, RequestType
from .._cloudformation.response import Success
from ..ledger import Head, HeldObject


class Create(NamedTuple):
    """Make the resource: a new one, also where an Update replaces the old one."""

    replaces: bool = False


class Update(NamedTuple):
    """Change the resource in place."""


class Delete(NamedTuple):
    """Remove an object.

    Attributes:
        keeps_current: The object is one that was replaced: what is held stays, with all that is
            left to be cleaned up.
    """

    target: str
    keeps_current: bool = False


class Keep(NamedTuple):
    """Answer without a hook: what is held stays as it is.

    Attributes:
        misplaced: Of a Delete: nobody can place the id that it carries.
    """

    answer: Success
    misplaced: bool = False


class Cleanup(NamedTuple):
    """Remove what earlier requests have left: nothing is held."""


class Refuse(NamedTuple):
    """Answer FAILED without a hook."""

    reason: str


Decision = Create | Update | Delete | Keep | Cleanup | Refuse


class _Id(StrEnum):
    """What the ledger knows of the id in a Delete."""

    HELD = "held"
    REPLACED = "replaced"
    REMOVED = "removed"
    OTHER = "other"


def decide(
    head: Head,
    request: Request,
    *,
    unable: str = "",
    changed: bool = False,
    replaces: Callable[[], bool] = bool,
) -> Decision:
    """Decide what is done for a request.

    Args:
        head: What the ledger says, the request having been begun.
        request: What is asked for.
        unable: Why no class can serve the request; empty where one can.
        changed: An Update changes a property that is declared.
        replaces: Tells whether an Update needs a new resource; asked only where that decides.
    """
    if request.type is RequestType.DELETE:
        return _delete(head, request, unable)
    if unable:
        return Refuse(unable)
    if request.type is RequestType.CREATE:
        return Create()
    return _update(head, request, changed, replaces)


def _update(
    head: Head,
    request: Request,
    changed: bool,  # noqa: FBT001 - as above
    replaces: Callable[[], bool],
) -> Decision:
    asked, held = request.properties_fingerprint, head.held
    former = next((old for old in head.replaced if old.properties == asked), None)
    # Seeded bug: replaced-before
    if former is not None:
        return Keep(_kept(former))
    if held is not None and held.id == request.physical_resource_id:
        as_asked = held.properties == asked
        as_before = held.properties == request.old_properties_fingerprint
        if not changed and (as_asked or as_before):
            return Keep(_kept(held))
        if as_asked and changed and replaces():
            return Keep(_kept(held))
    return Create(replaces=True) if replaces() else Update()


def _delete(head: Head, request: Request, unable: str) -> Decision:
    event_id, held = str(request.physical_resource_id), head.held
    known, nothing = _placed(head, event_id), Keep(Success(physical_resource_id=event_id))
    # Seeded bug: unplaceable
    if known is _Id.REPLACED:
        decision: Decision = Delete(event_id, keeps_current=True)
    elif held is None:
        decision = Cleanup()
    elif known is _Id.REMOVED:
        return nothing
    elif known is _Id.HELD or not head.acknowledged:
        decision = Delete(held.id)  # what CloudFormation never heard of, it calls what it likes
    else:
        return nothing._replace(misplaced=True)
    if not unable:
        return decision
    if not _knows_nothing(head):
        return Refuse(unable)
    return nothing if known is _Id.REPLACED else Cleanup()


def _placed(head: Head, event_id: str) -> _Id:
    if event_id == head.held_id:
        return _Id.HELD
    # Seeded bug: cleanup-target
    if event_id in head.replaced_ids:
        return _Id.REPLACED
    return _Id.REMOVED if event_id in head.removed else _Id.OTHER


def _knows_nothing(head: Head) -> bool:
    """Tell whether nothing can be left of the resource, for all that the ledger knows."""
    is_new = len(head.recent) == 1 and not head.history
    return is_new or (head.held is None and not head.pending_cleanup)


def _kept(held: HeldObject) -> Success:
    """Return the answer that told CloudFormation of an object."""
    told = json.loads(held.response) if held.response is not None else {}
    return Success(
        physical_resource_id=held.id,
        attributes=told.get("Data", {}),
        no_echo=told.get("NoEcho", False),
    )
