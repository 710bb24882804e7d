"""What is done for a request, by what the ledger says: one table for Updates, one for Deletes.

Update   the id is held, and the last success replaced
             an object made of these properties             its kept answer: a replacement is undone
             the same, and an Update may have touched it    `update`, under its id
         the id is held, untouched, of these properties     the kept answer: nothing is to be done
         the id is held, untouched, nothing differs         the same, unless `update` can add to it
         a property of `replace_on` differs                 make a new one
         else                                               change it

Delete   the id is    nothing is held     held, not acknowledged      held, acknowledged
         held         -                   delete all                  delete all
         replaced     delete that alone   delete that alone           delete that alone
         removed      nothing             nothing                     nothing
         placeholder  its own Create's    delete all if it is its     its own Create's
                                          Create's; else that alone
         invented     clean up all        held, if it must be that    nothing
         foreign      delete that         nothing                     nothing

What a Delete leaves, and CloudFormation may forget after it, is named in the answer.
"""

import json
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from .._cloudformation.request import Request, RequestType
from .._cloudformation.response import Success
from ..ledger import Head, HeldObject, Origin, Touched
from . import leftovers


class Create(NamedTuple):
    """Make the resource: a new one, also where an Update replaces the old one."""

    replaces: bool = False


class Update(NamedTuple):
    """Change an object in place.

    Attributes:
        target: Its id, where that is not the one in the event: one that had been replaced.
    """

    target: str | None = None


class Delete(NamedTuple):
    """Remove objects.

    Attributes:
        targets: Their ids.
        cleans: Whose leftovers are cleaned up: the name of a Create, all unless given, none for "".
        keeps_current: What is held stays.
        left: What is left and may be forgotten now, in words.
        stays: What is held in the place of what is removed, in words: no reason to fail.
    """

    targets: tuple[str, ...] = ()
    cleans: str | None = None
    keeps_current: bool = False
    left: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()


class Keep(NamedTuple):
    """Answer without a hook: what is held stays as it is.

    Attributes:
        untold: No hook of ours has ever returned its attributes.
    """

    answer: Success
    untold: bool = False


class Refuse(NamedTuple):
    """Answer FAILED without a hook."""

    reason: str


Decision = Create | Update | Delete | Keep | Refuse


class Hooks(NamedTuple):
    """What a class says of an Update; asked only where that decides.

    Attributes:
        unable: Why no class can serve the request; empty where one can.
        changed: Tells whether a property that is declared differs.
        replaces: Tells whether a new resource is needed.
        updates: Tells whether `update` is written.
        lacks: Tells whether a kept answer lacks an attribute that is declared.
    """

    unable: str = ""
    changed: Callable[[], bool] = bool
    replaces: Callable[[], bool] = bool
    updates: Callable[[], bool] = bool
    lacks: Callable[[Success], bool] = lambda _: False


class Id(StrEnum):
    """What is known of the id in a Delete."""

    HELD = "held"
    REPLACED = "replaced"
    REMOVED = "removed"
    PLACEHOLDER = "placeholder"  # ours: it names the Create that it stands for
    INVENTED = "invented"  # CloudFormation's, for a Create that nobody answered
    FOREIGN = "foreign"


class Holds(StrEnum):
    """What the ledger says of the held object."""

    NOTHING = "nothing"
    UNACKNOWLEDGED = "not acknowledged"  # CloudFormation has not carried its id back to us
    ACKNOWLEDGED = "acknowledged"


def decide(head: Head, request: Request, hooks: Hooks) -> Decision:
    """Decide what is done for a request, which has been begun."""
    match request.type:
        case RequestType.DELETE:
            return _delete(head, request, hooks.unable)
        case RequestType.UPDATE:
            return _update(head, request, hooks)
        case RequestType.CREATE:
            return Refuse(hooks.unable) if hooks.unable else Create()


# Updates


def _update(head: Head, request: Request, hooks: Hooks) -> Decision:
    held = head.held
    if held is not None and held.id == request.physical_resource_id:
        known = _of_known(head, held, request, hooks)
        if known is not None:
            return known
    if hooks.unable:
        return Refuse(hooks.unable)
    return Create(replaces=True) if hooks.replaces() else Update()


def _of_known(head: Head, held: HeldObject, request: Request, hooks: Hooks) -> Decision | None:
    """Decide where an object is, or was, of the properties asked for; None where none is."""
    asked = request.properties_fingerprint
    returns = (old for old in head.replaced if old.returns and old.properties == asked)
    former = next(returns, None)
    # Seeded bug: replaced-before
    if former is not None:
        return Update(former.id) if _is_touched(former, request, hooks) else _keep(former)
    is_rollback = held.properties == asked != request.old_properties_fingerprint
    # Seeded bug: rollback-of-nothing
    if is_rollback and not _is_touched(held, request, hooks):
        return _keep(held)
    # Seeded bug: touched-rollback
    if is_rollback and not hooks.unable:
        return Update()  # whatever replace_on says of what differs from the Update that failed
    # Seeded bug: touched-same
    if not is_rollback and held.touched is None and _is_as_before(held, request, hooks):
        return _keep(held)
    return None


def _is_touched(held: HeldObject, request: Request, hooks: Hooks) -> bool:
    """Tell whether an Update may have left an object otherwise than its properties say."""
    if held.touched is None:
        return False
    if hooks.unable:
        return True
    if not hooks.updates():  # what it did, `update` did, before it was lost
        return held.touched == Touched.SURELY
    # What was to replace it never acted on it; what an Update before that one did, nobody knows.
    # Seeded bug: undone
    is_undone = held.touched_by == request.old_properties_fingerprint
    # Seeded bug: touched-surely
    is_spared = is_undone and hooks.replaces() and held.touched == Touched.MAYBE
    # Seeded bug: touched-object
    return not is_spared


def _is_as_before(held: HeldObject, request: Request, hooks: Hooks) -> bool:
    """Tell whether an Update changes nothing, and `update` has nothing to add."""
    letters = (request.properties_fingerprint, request.old_properties_fingerprint)
    # Seeded bug: as-before
    if held.properties not in letters or hooks.unable or hooks.changed():
        return False
    is_first = held.response is None  # nothing of ours has answered it yet
    return not (hooks.updates() and (is_first or hooks.lacks(kept(held))))


def _keep(held: HeldObject) -> Keep:
    return Keep(kept(held), untold=held.response is None)


def kept(held: HeldObject) -> Success:
    """Return the response by which CloudFormation knows an object."""
    if held.response is None:
        reason = "made before there was a ledger: nothing is known of its attributes"
        return Success(physical_resource_id=held.id, reason=reason)
    response = json.loads(held.response)
    return Success(
        physical_resource_id=held.id,
        attributes=response.get("Data") or {},
        no_echo=response.get("NoEcho", False),
    )


# Deletes


def _delete(head: Head, request: Request, unable: str) -> Decision:
    known = place(head, request)
    # Seeded bug: other-type-deletes
    if request.resource_type != head.resource_type:
        return _of_another_type(head, request, known, unable)
    decision = DELETES[known](head, request)
    cleans_up = cleans_something(head, request, decision)
    if not unable or not (decision.targets or cleans_up):
        return decision
    is_ours = cleans_up or (head.held is not None and head.held.operation is not None)
    if not is_ours:
        event_id = request.physical_resource_id
        return Refuse(f"{event_id} is not known here: {unable}. Look for it by hand")
    return Refuse(unable)


def _of_another_type(head: Head, request: Request, known: Id, unable: str) -> Decision:
    """Remove what the request's own type has left in the head of another one, and nothing else."""
    kind = request.resource_type
    replaced = [old for old in head.replaced if old.resource_type == kind]
    forgotten = [old for old in head.forgotten if old.resource_type == kind]
    own = [old.id for old in (*replaced, *forgotten) if _is_named(old, request)]
    if known in (Id.HELD, Id.FOREIGN) and not own:
        return Refuse(
            unable
            or f"the ledger knows {request.logical_resource_id} as a {head.resource_type}:"
            f" {request.physical_resource_id} is none of its objects. Look for it by hand"
        )
    owes = own or any(left.cleanup.resource_type == kind for left in head.pending_cleanup)
    if unable and owes:
        return Refuse(unable)
    left = (
        *leftovers.replaced([old for old in replaced if old.id not in own]),
        *leftovers.forgotten([old for old in forgotten if old.id not in own]),
    )
    cleans = "" if request.placeholder is None else request.placeholder.operation
    cleans_all = known is Id.INVENTED
    return Delete(tuple(own), cleans=None if cleans_all else cleans, keeps_current=True, left=left)


def _is_named(old: HeldObject, request: Request) -> bool:
    """Tell whether a Delete names an object: by its id, or by the placeholder of its Create."""
    placeholder = request.placeholder
    is_placed = placeholder is not None and placeholder.operation == old.operation
    return is_placed or old.id == request.physical_resource_id


def place(head: Head, request: Request) -> Id:
    """Return what is known of the id in a Delete."""
    event_id = request.physical_resource_id
    if request.placeholder is not None:
        return Id.PLACEHOLDER
    if event_id == head.held_id:
        return Id.HELD
    # Seeded bug: cleanup-target
    if event_id in head.replaced_ids:
        return Id.REPLACED
    if event_id in head.removed:
        return Id.REMOVED
    if request.carries_other_placeholder and head.held is None:
        return Id.INVENTED  # it stands for no Create of ours: what is held is not meant
    # Seeded bug: invented
    return Id.INVENTED if request.carries_invented_id else Id.FOREIGN


def holds(head: Head) -> Holds:
    """Return what the ledger says of the held object."""
    if head.held is None:
        return Holds.NOTHING
    # Seeded bug: holds
    return Holds.ACKNOWLEDGED if head.acknowledged else Holds.UNACKNOWLEDGED


def _all(head: Head) -> Delete:
    """Delete what is held, and what a clean-up has failed to; name what may have been retained."""
    # Seeded bug: failed-cleanup
    again = [old.id for old in head.replaced if old.deleting]
    held = [] if head.held is None else [head.held.id]
    # Seeded bug: replaced-named
    rest = [old for old in head.replaced if not old.deleting]
    # Seeded bug: other-type-named
    others = leftovers.pending_of_another_type(head)
    left = (*leftovers.replaced(rest), *leftovers.forgotten(head.forgotten), *others)
    return Delete((*held, *again), left=left)


def _of_replaced(head: Head, request: Request) -> Delete:
    left, stays = leftovers.around(head, request)
    targets = (str(request.physical_resource_id),)
    return Delete(targets, cleans="", keeps_current=True, left=left, stays=stays)


def _of_removed(head: Head, request: Request) -> Delete:
    left, stays = leftovers.around(head, request)
    # Seeded bug: unplaceable
    return Delete(cleans="", keeps_current=True, left=left, stays=stays)


def _of_placeholder(head: Head, request: Request) -> Delete:
    placeholder, held = request.placeholder, head.held
    operation = "" if placeholder is None else placeholder.operation
    # Seeded bug: own-placeholder
    if held is not None and held.operation == operation and _is_of_unheard_create(head, held):
        return _all(head)
    own = tuple(old.id for old in head.forgotten if old.operation == operation)
    left = (*leftovers.unknown(head, request), *leftovers.besides(head, request, operation))
    # Seeded bug: placeholder-cleans
    return Delete(own, cleans=operation, keeps_current=True, left=left)


def _is_of_unheard_create(head: Head, held: HeldObject) -> bool:
    return held.made_by == Origin.CREATED and not head.acknowledged


def _of_invented(head: Head, request: Request) -> Delete:
    held, asked = head.held, request.properties_fingerprint
    forgotten = leftovers.forgotten(head.forgotten)
    match holds(head):
        case Holds.NOTHING:
            others = (*forgotten, *leftovers.pending_of_another_type(head))
            left = (*leftovers.unknown(head, request), *leftovers.replaced(head.replaced), *others)
            return Delete(left=left)
        case Holds.ACKNOWLEDGED:
            left = (leftovers.stands_for_nothing(request), *forgotten, *leftovers.twins(head))
            return Delete(cleans="", keeps_current=True, left=left)
        case Holds.UNACKNOWLEDGED:
            pass
    # Seeded bug: guess
    if held is not None and _must_be_that(head, held, asked):
        return _all(head)
    if held is not None and held.properties == asked:
        return Delete(keeps_current=True, left=leftovers.besides(head, request))
    return _of_forgotten(head, request)


def _of_forgotten(head: Head, request: Request) -> Delete:
    """Delete what an earlier Create made, where an invented id can stand for no other."""
    asked = request.properties_fingerprint
    matching = [old for old in head.forgotten if old.properties == asked]
    if len(matching) != 1:
        return Delete(keeps_current=True, left=leftovers.besides(head, request))
    rest = leftovers.forgotten([old for old in head.forgotten if old is not matching[0]])
    left = (*leftovers.unheard(head), *rest, *leftovers.twins(head))
    return Delete((matching[0].id,), keeps_current=True, left=left)


def _must_be_that(head: Head, held: HeldObject, asked: str) -> bool:
    """Tell whether an id that CloudFormation made up can stand for nothing but the held object."""
    # Seeded bug: must-be-alone
    alone = not head.forgotten and set(head.unconfirmed) <= {held.operation}
    # Seeded bug: must-be-equal
    return held.made_by == Origin.CREATED and held.properties == asked and alone


def _of_foreign(head: Head, request: Request) -> Delete:
    event_id = str(request.physical_resource_id)
    if head.held is None:
        rest = [old for old in head.forgotten if old.id != event_id]
        others = (*leftovers.forgotten(rest), *leftovers.pending_of_another_type(head))
        return Delete((event_id,), left=(*leftovers.replaced(head.replaced), *others))
    left = f"{event_id} is not known here: look whether it is still there"
    # Seeded bug: foreign
    return Delete(cleans="", keeps_current=True, left=(left, *leftovers.besides(head, request)))


DELETES: dict[Id, Callable[[Head, Request], Delete]] = {
    Id.HELD: lambda head, _: _all(head),
    Id.REPLACED: _of_replaced,
    Id.REMOVED: _of_removed,
    Id.PLACEHOLDER: _of_placeholder,
    Id.INVENTED: _of_invented,
    Id.FOREIGN: _of_foreign,
}


def cleans_something(head: Head, request: Request, decision: Delete) -> bool:
    """Tell whether a Delete would clean up what an earlier request left."""
    if decision.cleans is None:
        return bool(head.pending_cleanup)
    names = [request.operation_name_of(left.request_id) for left in head.pending_cleanup]
    return decision.cleans in names
