"""What the ledger keeps of one resource: its head, read and written whole or by path.

    Head ── operation         the newest request begun on the resource, and what it came to
         ├─ held              the object that CloudFormation uses, as far as we know
         ├─ replaced          objects that an Update replaced and CloudFormation has not removed yet
         └─ pending_cleanup   operations moved here whole: what they left is not cleaned up yet

Attribute names in the store are short, for a write costs by the kilobyte; here they are words, and
what has its default value is left out. Times are milliseconds since 1970, issue times seconds.
Results and responses are JSON *text*, so that no engine's idea of a number comes near them.
"""

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from .._cloudformation.identity import SHORT_NAME
from .document import NOTHING_KNOWN, SECONDS, CorruptHead, Kept, Known, kept_among, kept_as
from .step_record import StepRecord, StepState

VERSION = 2


class State(StrEnum):
    """How far an operation is."""

    RUNNING = "RUNNING"  # an execution holds it
    PARKED = "PARKED"  # its execution ended and gave the lease back
    SUCCEEDED = "SUCCEEDED"  # its response is recorded
    FAILED = "FAILED"  # the same


class Origin(StrEnum):
    """How an object came to be held."""

    CREATED = "C"
    REPLACED = "U"  # an Update made it in the place of another
    RETURNED = "R"  # an Update went back to it: it had been replaced
    ADOPTED = ""  # somebody else made it


class Touched(StrEnum):
    """What an Update may have done to an object without saying so; the worst sorts last."""

    MAYBE = "M"  # it was an Update in place, or it was to replace the object: it had not recorded
    REPLACED = "R"  # it was to replace the object, and what it made bears the same id
    SURELY = "S"  # it was an Update in place, and may have acted


class Deed(StrEnum):
    """What an Update does, recorded before it does it.

    One in place may replace the object all the same, where the class says so: it sets another id.
    """

    IN_PLACE = "U"
    MAKES = "C"


class OtherVersion(CorruptHead):
    """An item in the ledger is a head that another version of the package has written.

    Attributes:
        version: The version of its schema.
    """

    def __init__(self, version: int) -> None:
        super().__init__(f"its schema version is {version}, this provider knows {VERSION}")
        self.version = version


class HeldObject(Kept):
    """An object under a physical id: the one that CloudFormation uses, or one that was replaced.

    Attributes:
        properties: The fingerprint of the properties that it was made of, or last changed to.
        response: The response that named it to CloudFormation, without the ids of its request; None
            where no hook of ours has returned its attributes.
        operation: The name of the operation that made it; None where none of ours did.
        made_by: What that one did: an `Origin`.
        touched: An Update may have acted on it, and none has succeeded since: a `Touched`.
        touched_by: The fingerprint of that one's properties; None where there were several.
        returns: Of a replaced one: the last Create or Update that succeeded replaced it, and a
            rollback may return to it.
        deleting: Of a replaced one: its Delete has begun.
        resource_type: Where it is not that of the head: a Create of another type has begun since.
    """

    id: str = kept_as("id", "")
    properties: str | None = kept_as("pfp")
    response: str | None = kept_as("out")
    operation: str | None = kept_as("op")
    made_by: str = kept_as("by", "")
    touched: str | None = kept_as("tch")
    touched_by: str | None = kept_as("tfp")
    returns: bool = kept_as("ret", default=False)
    deleting: bool = kept_as("del", default=False)
    resource_type: str | None = kept_as("rt")


class ExecutionRecord(Kept):
    """The execution of an operation that is at work, or the last one that was.

    Attributes:
        owner: Its nonce.
        lease: From this time on it certainly begins no call. While it runs, Lambda's deadline and
            the slack of clocks; once it has ended, when it ended.
        sandbox_id: Where it runs, if being there proves that an earlier owner is dead.
        invocation: Lambda's request id of the invocation at work.
        deliveries: How often the operation was begun or resumed since its last round or long wait.
        due: Until when its hook waits, the lease given back; a continuation resumes it.
        guarded: The guardian began it: no delivery of it had come to the ledger.
    """

    always = ("own",)

    owner: str = kept_as("own", "")
    lease: int = kept_as("lu", 0)
    sandbox_id: str | None = kept_as("box")
    invocation: str | None = kept_as("inv")
    deliveries: int = kept_as("dlv", 0)
    due: int | None = kept_as("due")
    guarded: bool = kept_as("gua", default=False)


class CleanupRecord(Kept):
    """What a later request, or an operator, has cleaned up of an operation.

    Attributes:
        by: The request that has cleaned up all that can be known of it.
        doubts: What that one could not tell, in words.
        resource_type: The type whose requests clean it up, where that is not the head's: a Create
            of another type has begun since.
        forgotten: An operator has removed what it made: asked again, it begins with new tokens.
    """

    by: str | None = kept_as("cln")
    doubts: tuple[str, ...] = kept_as("dbt", ())
    resource_type: str | None = kept_as("rt")
    forgotten: bool = kept_as("fgt", default=False)


class Operation(Kept):
    """One request and what its executions came to: at work, answered, or left to be cleaned up.

    Attributes:
        issued_at: The latest issue time seen for it; never lower than an earlier operation's.
        undated: Its event bore no date: it was issued when it was first seen, for all we know.
        properties: The fingerprint of its properties.
        old_properties: Of an Update, the same of the properties before it.
        event_physical_id: The id in its event.
        response: What was answered, without the request's ids; None after a Create or Update that
            succeeded, where its response lies with the held object.
        execution: The one at work, or the last one.
        tail_in_doubt: The first step without a record may have happened.
        has_unrecorded_calls: Its hook made repeatable calls, which are never recorded.
        round: How often CloudFormation has asked again after a failure.
        begun: When it was begun, or its last round.
        generation: The first generation of its steps; above every one of an earlier life of the
            same RequestId.
        assigned_id: The physical id that its hook has set so far.
        deed: What an Update does: a `Deed`; None before it has begun its hook.
        given: JSON text of its properties; only where it made something under the id that it was to
            replace, which its resource's own Delete removes.
        cleanup: What was cleaned up of it.
    """

    always = ("rid", "st", "steps")

    request_id: str = kept_as("rid", "")
    type: str = kept_as("typ", "")
    issued_at: int = kept_as("iss", 0, among=SECONDS)
    undated: bool = kept_as("und", default=False)
    properties: str = kept_as("pfp", "")
    old_properties: str | None = kept_as("ofp")
    event_physical_id: str | None = kept_as("eid")
    state: str = kept_as("st", "", among=frozenset({"", *State}))
    response: str | None = kept_as("out")
    execution: ExecutionRecord = kept_among(ExecutionRecord)
    tail_in_doubt: bool = kept_as("tail", default=False)
    has_unrecorded_calls: bool = kept_as("unrec", default=False)
    round: int = kept_as("rnd", 0)
    begun: int = kept_as("beg", 0)
    generation: int = kept_as("gen", 0)
    assigned_id: str | None = kept_as("id")
    deed: str | None = kept_as("did")
    given: str | None = kept_as("giv")
    cleanup: CleanupRecord = kept_among(CleanupRecord)
    steps: Mapping[str, StepRecord] = field(
        default_factory=dict, metadata={"short": "steps", "part": StepRecord}
    )

    def ended_as(self, kind: str) -> bool:
        """Tell whether it is a request of a type, and has succeeded."""
        return self.type == kind and self.state == State.SUCCEEDED

    @property
    def is_over(self) -> bool:
        """Tell whether its response is recorded."""
        return self.state in (State.SUCCEEDED, State.FAILED)

    @property
    def may_have_acted_last(self) -> bool:
        """Tell whether its first step without a record may have happened."""
        # Seeded bug: tail-in-doubt
        return self.state == State.RUNNING or self.tail_in_doubt

    @property
    def may_have_acted(self) -> bool:
        """Tell whether a call of it had an effect, or may have, or may yet."""
        known = (StepState.DONE, StepState.STARTED)
        acted = any(step.state in known for step in self.steps.values())
        return acted or self.may_have_acted_last or self.has_unrecorded_calls

    @property
    def has_kept_id(self) -> bool:
        """Tell whether it made something under the very id that it was to replace."""
        kept = self.assigned_id is not None and self.assigned_id == self.event_physical_id
        return kept or self.given is not None

    @property
    def has_touched(self) -> Touched | None:
        """Tell whether it is an Update that may have acted on the object that it found."""
        if self.has_kept_id:
            return Touched.REPLACED
        # Seeded bug: update-replaces
        replaces = self.deed == Deed.MAKES or self.assigned_id is not None
        if self.type != "Update" or replaces or self.state == State.SUCCEEDED:
            return None
        if not self.may_have_acted:
            return None
        return Touched.MAYBE if self.deed is None else Touched.SURELY

    def leaves_as_it_was(self, held: HeldObject) -> bool:
        """Tell whether it was a rollback that did nothing to the held object, or nothing new.

        One that touches nothing runs no hook: what it rolls back was refused, or was to replace the
        object. Where `update` ran all the same, the object was touched before it, and still is.
        """
        if held.id != self.event_physical_id or self.deed is not None:
            return False
        is_rollback = held.properties == self.properties != self.old_properties
        # Seeded bug: rollback-that-dies
        return is_rollback and held.touched_by in (None, self.old_properties)

    @property
    def is_in_doubt(self) -> bool:
        """Tell whether a call of it may have had an effect that is not recorded."""
        started = any(step.state == StepState.STARTED for step in self.steps.values())
        return self.may_have_acted_last or started


class HistoryEntry(Kept):
    """One of the last operations, for people, never for decisions.

    Attributes:
        reason: Why it failed, cut to what a person needs; of an operator, why it was written.
        by: The operator who wrote it; None for an operation of CloudFormation's.
        step: The step that an operator has settled.
        made: How the JSON text of the result that he gave begins; None where he gave none.
    """

    type: str = kept_as("typ", "")
    outcome: str = kept_as("st", "")
    at: int = kept_as("at", 0)
    reason: str | None = kept_as("why")
    by: str | None = kept_as("by")
    step: str | None = kept_as("stp")
    made: str | None = kept_as("res")


class Head(Kept):
    """One resource: whose it is, who works on it, what holds, and what is left to be cleaned up.

    Attributes:
        revision: Rises with every write.
        acknowledged: CloudFormation has carried the held object's id back to us.
        forgotten: What earlier Creates made and CloudFormation never carried back to us, when
            another Create began.
        removed: Ids whose removal succeeded, oldest first.
        fails: The class that has answered last has a Delete fail rather than leave what it names.
        unconfirmed: The names of Creates of which CloudFormation has confirmed no outcome.
        guarded: The names of Creates that the guardian has answered, and of which no delivery had
            come to the ledger.
        recent: How the names of the operations that were begun lately begin, oldest first.
        history: The last operations, and what operators have written, oldest first.
        doubts: What a Delete could not tell, in the words of its answer; for people.
        ttl: When the item may go, in seconds since 1970; never set while anything lives.
    """

    always = ("v", "w", "op")

    version: int = kept_as("v", VERSION)
    revision: int = kept_as("w", 0)
    stack_id: str = kept_as("stk", "")
    logical_resource_id: str = kept_as("lid", "")
    resource_type: str = kept_as("rt", "")
    operation: Operation = field(
        default_factory=Operation, metadata={"short": "op", "part": Operation}
    )
    held: HeldObject | None = kept_as("held", part=HeldObject)
    acknowledged: bool = kept_as("ack", default=False)
    replaced: tuple[HeldObject, ...] = kept_as("repl", (), part=HeldObject)
    forgotten: tuple[HeldObject, ...] = kept_as("forg", (), part=HeldObject)
    removed: tuple[str, ...] = kept_as("gone", ())
    pending_cleanup: tuple[Operation, ...] = kept_as("pend", (), part=Operation)
    fails: bool = kept_as("fail", default=False)
    unconfirmed: tuple[str, ...] = kept_as("ucf", ())
    guarded: tuple[str, ...] = kept_as("gua", ())
    recent: tuple[str, ...] = kept_as("recent", ())
    history: tuple[HistoryEntry, ...] = kept_as("hist", (), part=HistoryEntry)
    doubts: tuple[str, ...] = kept_as("dbt", ())
    ttl: int | None = kept_as("ttl")

    @property
    def held_id(self) -> str | None:
        """The id of the held object."""
        return None if self.held is None else self.held.id

    @property
    def pending_of_other_types(self) -> list[Operation]:
        """What no request of the head's own type cleans up."""
        own = (None, self.resource_type)
        return [left for left in self.pending_cleanup if left.cleanup.resource_type not in own]

    @property
    def replaced_ids(self) -> tuple[str, ...]:
        """The ids of the replaced objects, oldest first."""
        return tuple(replaced.id for replaced in self.replaced)

    def has_begun(self, operation: str) -> bool:
        """Tell whether an operation, by its name, was begun lately."""
        return short_name(operation) in self.recent

    @property
    def response(self) -> str | None:
        """What the newest operation was answered, without its ids; None while it is not over."""
        if self.operation.response is not None or not self.operation.is_over:
            return self.operation.response
        return None if self.held is None else self.held.response


def short_name(operation: str) -> str:
    """Return what is kept of an operation's name among the recent ones."""
    return operation[:SHORT_NAME]


def read_head(doc: Mapping[str, Any], known: Known = NOTHING_KNOWN) -> Head:
    """Read the head that a store keeps.

    Args:
        doc: The document.
        known: An earlier one that shares parts with it, and its head.

    Raises:
        OtherVersion: Another version of the package wrote it.
        CorruptHead: It is no head.
    """
    version = doc.get("v")
    if type(version) is int and version != VERSION:
        raise OtherVersion(version)
    return Head.from_doc(doc, known)
