"""The promises of the ledger, as laws over what happens in an exploration.

I1  the effect of a step happens at most once        I5  after a Delete's SUCCESS nothing is left,
I2  one request, one answer                              and what CloudFormation holds is never lost
I3  who lost the resource starts and tells nothing   I6  an answer is kept before it is told
I4  an older request has no new effect               I7  what is known of a step is never lost
I8  a Delete removes nothing that its id      I9  no recorded answer goes to an event
    does not name                                 of other content
I10 a good Update leaves what it asks for      I11 a step whose function cannot be called is
I12 an answer is no longer than                    neither recorded nor in doubt
    CloudFormation takes
L1  where one delivery lives long enough, CloudFormation is answered
L2  an Update that touched nothing can be rolled back
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any, NamedTuple, Protocol

from cfn_once._cloudformation.identity import (
    OPERATION_NAME,
    operation_digest,
    operation_name,
    resource_digest,
)
from cfn_once.ledger.head import short_name

Doc = Mapping[str, Any]

STACK_ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/stack/explored"
RESOURCE = resource_digest(STACK_ID, "Thing")
BEGINNING = 1_800_000_000_000  # ms since 1970: when every exploration begins
DOUBT = re.compile(
    r"(?:([^\s;]+)#\d+|its first step|a step \([^)]*\)|a step that is not recorded"
    r"|what was made under the id \S+ with other properties) of (\S+) at \d+"
)
NAMED = re.compile(
    r"(?:\"|left: |; |\. )([^\s\"]+) (?:is held|was replaced|was made|is not known|stands for)"
)
LEFT = re.compile(r"what (\S+) may have made is not cleaned up yet")
CLAIMS = frozenset({"begin", "begin over", "supersede", "takeover", "round"})
DECISIONS = frozenset({"start", "record", "note", "settle", "finish", "park"})

LIMIT, MARK = 4096, ',"NoEcho":true'
OLD = 240  # seconds: 300, less what a delivery may have napped
COME_AGAIN = frozenset({"InProgress", "LedgerUnavailable", "DeliveryError", "TemporaryError"})


class Broken(Exception):
    """A law is broken."""


class Sent(NamedTuple):
    """A request that CloudFormation has sent.

    Attributes:
        place: Its place in the script, which its ResponseURL names.
        order: Its issue time, in seconds after the beginning; None where its URL bears no date.
        timeout: Seconds that CloudFormation waits for the answer.
        resource_type: The type in the template.
    """

    place: str
    type: str
    request_id: str
    order: int | None
    physical_resource_id: str | None
    properties: tuple[tuple[str, str], ...]
    old_properties: tuple[tuple[str, str], ...]
    timeout: int = 3600
    resource_type: str = "Custom::Thing"

    @property
    def content(self) -> tuple[Any, ...]:
        """What it asks for, whichever id a Create bears."""
        event_id = None if self.type == "Create" else self.physical_resource_id
        return (self.type, event_id, self.properties, self.old_properties)

    def is_expired(self, now: int) -> bool:
        """Tell whether CloudFormation no longer waits for the answer."""
        return self.order is not None and now > BEGINNING + (self.order + self.timeout) * 1000


class Thing(NamedTuple):
    """Something that a step made on the external API.

    Attributes:
        root: The object that it belongs to, and goes with; itself for an object.
        tag: The token of the step that made it.
        hidden: Until when no look-up finds it, in milliseconds since 1970.
        shape: Of an object: the kind of the properties that it was last made of, or changed to.
    """

    id: str
    root: str
    tag: str
    request_id: str
    step: str
    hidden: int = 0
    shape: str = ""


class World(NamedTuple):
    """The external API.

    Attributes:
        live: What there is.
        tokens: What each token came to, and when: the token, the result, milliseconds since 1970.
        air: Calls of the dead that may still have their effect: until when, and what they are.
        made: How often each step's effect happened: request, step, life, number.
        sent: How often a step that must not run twice was called, refusals apart.
        tags: What calls that are repeated at will have put there.
        acted: Updates that have called it, to whatever end; "RequestId changes" where `update` has.
    """

    live: tuple[Thing, ...] = ()
    tokens: tuple[tuple[str, Any, int], ...] = ()
    air: tuple[tuple[int, Any, int], ...] = ()
    made: tuple[tuple[str, str, int, int], ...] = ()
    sent: tuple[tuple[str, str, int, int], ...] = ()
    tags: tuple[str, ...] = ()
    acted: tuple[str, ...] = ()


class Stack(NamedTuple):
    """CloudFormation: where it is in its script, and what it has heard.

    Attributes:
        now: The place of the request whose answer it waits for; empty at the end.
        sent: The requests so far.
        held: The ids of the resource, the newest first.
        heard: Every id it was told, less those that it was told are gone.
        retained: Ids that it let go of without a Delete.
        properties: The properties it takes to be in force.
        told: Under which id it has kept a request that failed: the one in the answer, or, where
            that was lost, one that it made up.
        displaced: Ids in whose place another handler has put its own.
    """

    now: str
    sent: tuple[Sent, ...]
    held: tuple[str, ...] = ()
    heard: tuple[str, ...] = ()
    retained: tuple[str, ...] = ()
    properties: str = ""
    told: tuple[tuple[str, str], ...] = ()
    displaced: tuple[str, ...] = ()


class Post(NamedTuple):
    """An answer that CloudFormation was told.

    Attributes:
        request_id: Of the request that it answers.
        life: Which life of its RequestId; -1 where nothing was begun, -2 where it was answered
            without the ledger, the one exception to I6.
        round: Which round of it.
    """

    place: str
    type: str
    request_id: str
    life: int
    round: int
    body: str

    @property
    def is_good(self) -> bool:
        """Tell whether it says SUCCESS."""
        return self.body.startswith('{"Status":"SUCCESS"')


class State(NamedTuple):
    """Everything: equal states have equal futures.

    Attributes:
        head: The ledger's text of the resource.
        spills: The long results beside it.
        deliveries: Where each one is: not begun, a node, or how it ended.
        budgets: How many faults of each kind are left.
        now: Milliseconds since 1970.
        recorded: Outcomes ever recorded: request, life, round, body, issue time, content.
        strays: Steps that were called after the resource was lost: delivery and step.
    """

    head: str | None
    spills: tuple[tuple[str, str], ...]
    world: World
    stack: Stack
    deliveries: tuple[Any, ...]
    budgets: tuple[tuple[str, int], ...]
    now: int
    posts: tuple[Post, ...]
    recorded: tuple[tuple[str, int, int, str, int, Any], ...]
    strays: tuple[tuple[int, str], ...]


class At(Protocol):
    """Where a delivery is: what the laws need to know of it."""

    sent: Sent
    granted: bool
    is_cut_off: bool
    has_lost: bool
    seen: str | None
    delivery: int

    @property
    def is_making(self) -> bool:
        """Tell whether the next thing it does makes something on the external API."""


class Laws:
    """Hold what happens to the promises; each method raises `Broken` where one is not kept.

    Args:
        doc: Reads a head's text.
        once: The steps must never be called twice.
        fails: How many calls the external API may refuse.
        unusable: The steps whose functions cannot be called.
        tells: The hooks tell attributes.
        may_replace: What an Update does is known only once it has ended.
    """

    def __init__(
        self,
        docs: "Docs",
        *,
        once: bool,
        fails: int,
        unusable: str = "",
        tells: bool = False,
        may_replace: bool = False,
    ) -> None:
        self._may_replace = may_replace
        self._docs, self._once, self._fails, self._unusable = docs, once, fails, unusable
        self._tells = tells
        self._known: dict[Any, str] = {}
        self._states: dict[Any, str] = {}

    def written(self, before: State, after: State, at: At, name: str) -> State:
        """Judge a write that was applied; returns the state with what it recorded."""
        old, new = self._docs(before.head), self._docs(after.head)
        owner = nonce_of(at.delivery)
        key = (before.head, after.head, at.delivery)
        law = self._known.get(key)
        if law is None:
            law = self._known[key] = next(self._broken(old, new, owner, at.sent, name), "")
        if law:
            raise Broken(law)
        spilled = {name.partition("#")[2] for name, _ in before.spills}
        for key, step in new.get("steps", {}).items():
            if step.get("sp") and not any(
                spill.endswith(f"#{key}#{step.get('g', 0)}") for spill in spilled
            ):
                raise Broken(f"I7 the head tells of a result of {key} that is nowhere")
        if name != "finish":
            return after
        kept = new.get("out") or new["held"]["out"]
        self._refuse_other_shape(after.world, after.stack.retained, new, at.sent)
        self._refuse_an_unnamed_twin(after, new)
        round_of = (new["rid"], new.get("gen", 0), new.get("rnd", 0))
        outcome = (*round_of, kept, new["iss"], at.sent.content)
        if outcome in after.recorded:
            return after
        return after._replace(recorded=tuple(sorted((*after.recorded, outcome))))

    def _broken(self, old: Doc, new: Doc, owner: str, sent: Sent, name: str) -> Iterator[str]:
        for step in new.get("steps", {}):
            if self._is_unusable(step.partition("#")[0]):
                yield f"I11 {step} is recorded, and was never begun"
        if name in CLAIMS and sent.order is not None and old.get("rid") != sent.request_id:
            if old.get("iss", 0) > BEGINNING // 1000 + sent.order:
                yield "I4 an older request was begun over a newer one"
        if name in DECISIONS and (old.get("own") != owner or old.get("st") != "RUNNING"):
            yield f"I3 a {name} by a delivery that does not hold the resource"
        if new["w"] != old.get("w", 0) + 1:
            yield "I3 the revision went back"
        if "ttl" in new and (new["typ"] != "Delete" or new["st"] != "SUCCEEDED" or "held" in new):
            yield "I1 the item of a live resource may expire"
        yield from _facts_lost(old, new, name)

    def _is_unusable(self, step: str) -> bool:
        return step != "" and step in self._unusable

    def _refuse_other_shape(
        self, world: World, retained: Sequence[str], new: Doc, sent: Sent
    ) -> None:
        """Refuse that a good Update is recorded whose object is not as it was asked for."""
        if sent.type != "Update" or new["st"] != "SUCCEEDED":
            return
        asked, held = kind_of(sent.properties), new["held"]["id"]
        if held in retained:
            raise Broken(f"I5 {held} was retained, and an Update is answered with it")
        for thing in world.live:
            if thing.id == held and thing.shape != asked:
                raise Broken(f"I10 {held} is said to be {asked}, and is {thing.shape}")

    def _refuse_an_unnamed_twin(self, state: State, new: Doc) -> None:
        """Refuse a SUCCESS that does not name what bears the id of what is held."""
        held = new.get("held")
        if held is None or new["typ"] == "Create" or new["st"] != "SUCCEEDED":
            return
        told = new.get("out") or held["out"]
        doubts = {request_id for _, request_id in DOUBT.findall(told)}
        earlier = " ".join(record[3] for record in state.recorded)  # whether there is one at all
        doubts |= {request_id for step, request_id in DOUBT.findall(earlier) if step}
        for thing in state.world.live:
            name, _, place = thing.id.partition("@")
            if place and name == held["id"] and thing.request_id not in doubts:
                raise Broken(f"I5 {thing.id} bears the id of what is held, and is not named")

    def calls(self, state: State, at: At, operation: Any) -> State:
        """Judge a call that is about to leave; returns the state with what it shows."""
        if operation.kind in ("find", "read"):
            return state
        if not at.granted:
            raise Broken("I3 the external API is called by a delivery that never held the resource")
        if operation.kind == "remove" and at.sent.place in FORGED:
            raise Broken("I9 somebody else's copy of a request removes what that has made")
        if operation.kind == "remove":
            self._refuse_another_type(state, at.sent, operation.root)
        if operation.kind == "remove" and at.sent.type == "Update":
            self._refuse_an_older(state, at.sent, operation.root)
        if operation.kind == "remove" and at.sent.type == "Delete":
            self._refuse_unnamed(state, at.sent, operation.root)
        if at.sent.type == "Update":
            changes = operation.kind == "make" and operation.step == "change"
            if changes:
                self._refuse_an_idle_update(state, at.sent)
            acts = [at.sent.request_id, *([f"{at.sent.request_id} changes"] if changes else [])]
            acted = tuple(sorted({*state.world.acted, *acts}))
            state = state._replace(world=state.world._replace(acted=acted))
        own = operation.request_id == at.sent.request_id
        if operation.kind == "make" and operation.step == "a":
            earlier = {request.request_id: request for request in state.stack.sent}
            called = operation.token in [token for token, _, _ in state.world.tokens]
            if own:
                self._refuse_a_third(state, at.sent, operation.tag)
            elif not called:  # a clean-up calls what its operation never did
                self._refuse_a_third(state, earlier[operation.request_id], operation.tag)
        # As in `posted`, whichever of the two comes first.
        if operation.kind == "make" and _final(state.posts):
            raise Broken("I5 a Delete is answered while an earlier delivery is at work")
        # A debt's call is made under a token that was sent before: it can make nothing new.
        if operation.kind != "make" or operation.request_id != at.sent.request_id:
            return state
        if self._docs(state.head).get("own") != nonce_of(at.delivery):
            # The step that its last write allowed may be on its way; a further one may not.
            stray = (at.delivery, operation.step)
            if any(call[0] == at.delivery and call != stray for call in state.strays):
                raise Broken("I3 a further step began after the resource was lost")
            return state._replace(strays=tuple(sorted({*state.strays, stray})))
        return state

    def _refuse_a_third(self, state: State, sent: Sent, tag: str) -> None:
        """Refuse an Update back to properties of which CloudFormation has an object that lives.

        The call that changed it may come again, under its tag.
        """
        if sent.type != "Update" or self._is_the_first_that_is_known(state, sent):
            return
        if self._may_replace and not self._is_known(state, sent):
            return
        asked = kind_of(sent.properties)
        gone = {
            request.physical_resource_id for request in state.stack.sent if request.type == "Delete"
        }
        for thing in state.world.live:
            heard = thing.id in state.stack.heard and thing.id not in {*state.stack.retained, *gone}
            known = thing.id == thing.root and heard
            if known and thing.shape == asked and thing.tag != tag:
                raise Broken(f"I1 {thing.id} lives, and another one is made of its properties")

    def _is_the_first_that_is_known(self, state: State, sent: Sent) -> bool:
        """Tell whether a rollback looks like an Update, for nothing is known of what it undoes."""
        doc = self._docs(state.head)
        earlier = [request.request_id for request in takewhile(sent.__ne__, state.stack.sent)]
        begun = [short_name(name_of(request_id)) in doc.get("recent", ()) for request_id in earlier]
        return "op" not in doc.get("held", {}) and not any(begun)

    def _is_known(self, state: State, sent: Sent) -> bool:
        """Tell whether every other Update has ended, and nothing of it is in doubt."""
        good = {record[0] for record in state.recorded if "in doubt" not in record[3]}
        updates = {request.request_id for request in state.stack.sent if request.type == "Update"}
        return updates - {sent.request_id} <= good

    def _refuse_an_older(self, state: State, sent: Sent, removed: str) -> None:
        """Refuse an Update that removes what is older than the object that it names."""
        orders = {request.request_id: request.order or 0 for request in state.stack.sent}
        made = {thing.id: orders.get(thing.request_id, 0) for thing in state.world.live}
        if made.get(removed, 0) < made.get(str(sent.physical_resource_id), 0) and removed in made:
            raise Broken(f"I5 {removed} is older than what the Update names, and it removes it")

    def _refuse_another_type(self, state: State, sent: Sent, removed: str) -> None:
        """Refuse that a type's hook removes what was made as another type."""
        types = {request.request_id: request.resource_type for request in state.stack.sent}
        made = {thing.id: types.get(thing.request_id) for thing in state.world.live}
        if made.get(removed) not in (None, sent.resource_type):
            raise Broken(
                f"I8 {removed} is a {made[removed]}, and a {sent.resource_type} removes it"
            )

    def _refuse_unnamed(self, state: State, sent: Sent, removed: str) -> None:
        """Refuse a Delete that removes what CloudFormation was told of under another id."""
        stack = state.stack
        named = {request.physical_resource_id for request in stack.sent if request.type == "Delete"}
        theirs = {thing.id for thing in state.world.live if not thing.request_id}
        nothing = removed.startswith("cfn-once.") or removed.partition("Thing-")[2].isupper()
        if removed == sent.physical_resource_id and nothing:
            raise Broken(f"I8 a hook runs for {removed}, which stands for nothing")
        if "held" not in self._docs(state.head) and self._is_of_another(state, sent, removed):
            raise Broken(f"I8 {removed} is removed by the Delete of another Create's placeholder")
        if removed in {*stack.heard, *stack.displaced, *theirs} - named:
            raise Broken(
                f"I8 {removed} is removed by a Delete of {sent.physical_resource_id},"
                " which does not name it"
            )

    def _is_of_another(self, state: State, sent: Sent, removed: str) -> bool:
        """Tell whether a Delete of our own placeholder removes what another Create has made."""
        own = create_of(str(sent.physical_resource_id))
        made = [thing.request_id for thing in state.world.live if thing.id == removed]
        return own is not None and made != [] and made != [own]

    def called(self, state: State) -> State:
        """Judge the external API after a call."""
        for request_id, step, _, number in state.world.made:
            if number > 1:
                raise Broken(f"I1 {step} of {request_id} happened {number} times")
        for request_id, step, _, number in state.world.sent:
            if number > 1 and self._once:
                raise Broken(f"I1 {step} of {request_id}, a once step, was called {number} times")
        return state

    def posted(self, state: State, at: At, body: str) -> State:
        """Judge an answer; returns the state with it."""
        sent, doc = at.sent, self._docs(at.seen)
        # The one exception: an old request is not left to wait for a ledger out of reach.
        age = 0 if sent.order is None else (state.now - BEGINNING) // 1000 - sent.order
        if at.is_cut_off or (at.has_lost and age > OLD and '"Status":"FAILED"' in body):
            return self._told(state, Post(sent.place, sent.type, sent.request_id, -2, 0, body))
        mine = doc.get("rid") == sent.request_id
        life, number = (doc.get("gen", 0), doc.get("rnd", 0)) if mine else (-1, -1)
        post = Post(sent.place, sent.type, sent.request_id, life, number, body)
        # One that was never begun names its own issue in the id that it answers.
        same = [
            other
            for other in state.posts
            if other[2:5] == post[2:5] and (life >= 0 or other.place == post.place)
        ]
        self._refuse_another(same, post)
        if self._tells and post.is_good and sent.type == "Update" and _changes_nothing(sent):
            if '"Data"' not in body:
                raise Broken(f"I10 {sent.request_id} tells no attributes, and update is written")
        kept, whose = kept_of(plain(body)), post[2:5]
        made = [row for row in state.recorded if (*row[:3], plain(row[3])) == (*whose, kept)]
        if not made and (life >= 0 or post.is_good):
            raise Broken("I6 an answer was told before it was recorded")
        if made and all(record[5] != sent.content for record in made):
            raise Broken(f"I9 {sent.request_id} gets an answer to something else")
        self._refuse_a_stuck_stack(state, sent, post)
        if made and not post.is_good and sent.order is not None:
            if BEGINNING // 1000 + sent.order > made[0][4]:
                raise Broken("L1 a request that was asked again got the old failure")
        if post.is_good and sent.type == "Delete" and sent.place in FINAL:
            for other in state.deliveries:
                if not isinstance(other, str) and other.is_making and other.granted:
                    raise Broken("I5 a Delete is answered while an earlier delivery is at work")
        return self._told(state, post)

    def _refuse_another(self, same: Sequence[Post], post: Post) -> None:
        """Refuse an answer that differs from an earlier one, but for a mark that it bears now."""
        if len(post.body) > LIMIT:
            raise Broken(f"I12 an answer to {post.request_id} has {len(post.body)} bytes")
        if any(plain(row.body) != plain(post.body) for row in same):
            raise Broken(f"I2 two different answers to {post.request_id}")

    def _refuse_a_stuck_stack(self, state: State, sent: Sent, post: Post) -> None:
        """Refuse that a rollback fails where no Update has called the external API."""
        if sent.type != "Update" or post.is_good or post.life < 0:
            return
        before = [
            request
            for request in takewhile(sent.__ne__, state.stack.sent)
            if request.type == "Update"
        ]
        back = (sent.old_properties, sent.properties)
        if not any((request.properties, request.old_properties) == back for request in before):
            return
        others = {request.request_id for request in before} - {sent.request_id}
        if others & set(state.world.acted):
            return
        if all(self._is_known_to_have_ended(state, other) for other in others):
            raise Broken(f"L2 {', '.join(sorted(others))} touched nothing; the rollback failed")

    def _refuse_an_idle_update(self, state: State, sent: Sent) -> None:
        """Refuse that a rollback changes an object that no Update can have touched.

        An Update that changes the Kind makes another object; the rollback itself, where it came
        before and died, could only keep the object.
        """
        updates = takewhile(sent.__ne__, state.stack.sent)
        before = [request for request in updates if request.type == "Update"]
        back = (sent.old_properties, sent.properties)
        if not any((update.properties, update.old_properties) == back for update in before):
            return
        changed = any(request_id.endswith(" changes") for request_id in state.world.acted)
        held, asked = sent.physical_resource_id, kind_of(sent.properties)
        others = [
            thing
            for thing in state.world.live
            if thing.id.startswith(f"{held}@") or (thing.id == held and thing.shape != asked)
        ]
        if changed or others or self._is_the_first_that_is_known(state, sent):
            return
        if all(
            dict(update.properties)["Kind"] != dict(update.old_properties)["Kind"]
            or self._is_known_to_have_ended(state, update.request_id)
            for update in before
            if update.content != sent.content
        ):
            raise Broken(f"L2 nothing touched {held}, and `update` runs")

    def _is_known_to_have_ended(self, state: State, forward: str) -> bool:
        """Tell whether the ledger knows that an Update is over, or that it was never begun."""
        doc = self._docs(state.head)
        begun = short_name(name_of(forward)) in doc.get("recent", ())
        ours = "op" in doc.get("held", {})
        return any(record[0] == forward for record in state.recorded) or (ours and not begun)

    def _told(self, state: State, post: Post) -> State:
        if post in state.posts:
            return state
        return state._replace(posts=tuple(sorted((*state.posts, post))))

    def state(self, state: State) -> None:
        """Judge a state: nothing is left that should be gone, nothing gone that is held."""
        key = (state.world, state.stack, state.posts, state.recorded, state.head)
        law = self._states.get(key)
        if law is None:
            law = self._states[key] = next(self._left_or_lost(state), "")
        if law:
            raise Broken(law)

    def _left_or_lost(self, state: State) -> Iterator[str]:
        stack = state.stack
        live = {thing.id for thing in state.world.live}
        for held in (*stack.held[:1], *stack.retained, *stack.displaced):
            if held not in live:
                yield f"I5 {held} is gone, and CloudFormation holds or retained it"
        for post in _final(state.posts):
            yield from self._left(state, post)

    def _left(self, state: State, delete: Post) -> Iterator[str]:
        """Yield what lives on after a Delete's SUCCESS, and was not named as doubt."""
        stack = state.stack
        good = {post.request_id for post in state.posts if post.is_good}
        deletes = [request for request in stack.sent if request.type == "Delete"]
        tried = {
            request.physical_resource_id
            for request in deletes
            if request.request_id not in good and request.place != delete.place
        }
        carried = {request.physical_resource_id for request in stack.sent}
        spared = {*stack.retained, *(set(stack.displaced) & carried)}
        spared |= {t.id for t in state.world.live if not t.request_id and t.id not in carried}
        ended = {delete.request_id for delete in deletes}
        told = " ".join(record[3] for record in state.recorded if record[0] in ended)
        doubts = {(request_id, step) for step, request_id in DOUBT.findall(told)}
        for _, step in doubts:
            if self._is_unusable(step):
                yield f"I11 {step} is in doubt, and was never begun"
        # What CloudFormation was told of and has not tried to delete must go, not be named; and
        # where there was one Create and nothing else, there is nothing that it may be but that.
        named = set(NAMED.findall(told))
        if not self._is_alone(state):
            spared |= named - (set(stack.heard) - tried)
        # What another Create left, and a placeholder of one of which nothing is known.
        requests = {*LEFT.findall(told), *map(create_of, named)}
        doubts |= {(request_id, "") for request_id in requests if request_id}
        spared |= {
            t.id for t in state.world.live if {(t.request_id, t.step), (t.request_id, "")} & doubts
        }
        left = [t.id for t in state.world.live if t.root not in spared and t.id not in spared]
        if left:
            yield f"I5 {', '.join(left)} lives after the Delete's SUCCESS"
        in_doubt = {request_id for request_id, _ in doubts}
        asked = [request for request in stack.sent if request.request_id in in_doubt]
        kinds = {dict(request.properties)["Kind"] for request in asked}
        tags = [tag for tag in state.world.tags if tag.partition(":")[0] not in kinds]
        if tags and not spared:
            yield f"I5 {', '.join(tags)} is there after the Delete's SUCCESS"

    def _is_alone(self, state: State) -> bool:
        """Tell whether all that there is, is of one Create."""
        made = {
            (request.type, request.request_id, request.properties) for request in state.stack.sent
        }
        made = {request for request in made if request[0] != "Delete"}
        return len(made) == 1 and all(thing.request_id for thing in state.world.live)

    def over(self, at: At, how: str) -> None:
        """Judge how a delivery ended."""
        if how.startswith("raised") and how.removeprefix("raised ") not in COME_AGAIN:
            raise Broken(f"L1 a delivery {how}")
        doc = self._docs(at.seen)
        if how == "raised InProgress" and doc.get("st") in ("RUNNING", "SUCCEEDED", "FAILED"):
            if doc["own"] == nonce_of(at.delivery):
                raise Broken("L1 a delivery waits for itself")

    def end(self, state: State, ended: Sequence[str]) -> None:
        """Judge a schedule's end.

        Args:
            state: What there is.
            ended: The places of which a delivery ended without an error, and none of which comes
                back by a continuation.
        """
        last = state.stack.sent[-1]
        answered = any(post.place == last.place for post in state.posts)
        doc = self._docs(state.head)
        # A copy of one that waits ends in order, and what goes on with it may have died.
        waits = any(step["s"] == "W" for step in doc.get("steps", {}).values())
        if last.place in ended and not answered and not waits and not last.is_expired(state.now):
            raise Broken("L1 a delivery ended without an error, and its request is unanswered")
        self._saved_error(state)

    def _saved_error(self, state: State) -> None:
        spent = self._fails - refusals(state.budgets)
        refused = [
            post
            for post in state.posts
            if post.type != "Delete" and not post.is_good and "refused" in post.body
        ]
        rounds = {(post.request_id, post.life, post.round) for post in refused}
        if len(rounds) > spent:
            raise Broken(
                "L1 a new round got the error that the external API had saved for its token"
            )

    def deleted(self, state: State, delete: Sent) -> None:
        """Judge what is left after the Delete that ends it all."""
        answers = [post for post in state.posts if post.place == delete.place]
        if not answers or not answers[0].is_good:
            raise Broken("L1 the last Delete is not answered SUCCESS")
        law = next(self._left(state, answers[0]), "") if delete.place in FINAL else ""
        if law:
            raise Broken(law)


FINAL = frozenset({"d", "g", "end"})  # places of Deletes after which nothing may be left
FORGED = frozenset("f")  # places of requests that CloudFormation has not sent


class Docs(Protocol):
    """Reads a head's text."""

    def __call__(self, text: str | None) -> Doc:
        """Return the head as it is kept."""


def _final(posts: Sequence[Post]) -> list[Post]:
    """Return the answers after which nothing may be left."""
    return [post for post in posts if post.place in FINAL and post.is_good]


def _changes_nothing(sent: Sent) -> bool:
    return sent.properties == sent.old_properties


def name_of(request_id: str) -> str:
    """Return the name that ids bear of a request."""
    return operation_name(operation_digest(RESOURCE, request_id))


def create_of(physical_id: str) -> str | None:
    """Return the RequestId of the Create that one of our own placeholders stands for."""
    parts = physical_id.split(".")
    if parts[0] != "cfn-once" or len(parts) < 4 or len(parts[3]) != OPERATION_NAME:
        return None
    return next((f"C{n}" for n in range(1, 10) if name_of(f"C{n}") == parts[3]), None)


def nonce_of(delivery: int) -> str:
    """Return the owner nonce of a delivery: each is one execution."""
    return f"{delivery + 1:032x}"


def _operations(doc: Doc) -> Iterator[tuple[Doc, bool]]:
    if doc:
        yield doc, True
    for left in doc.get("pend", ()):
        yield left, False


def _facts_lost(old: Doc, new: Doc, name: str) -> Iterator[str]:
    """Yield what a write has made of the records of steps, and must not."""
    now = {
        (operation["rid"], operation.get("gen", 0)): operation for operation, _ in _operations(new)
    }
    good = new.get("st") == "SUCCEEDED"
    cleaned = good or name == "settle"
    for operation, is_head in _operations(old):
        after = now.get((operation["rid"], operation.get("gen", 0)))
        if after is None:
            if is_head and not _is_settled(operation) and _known(operation):
                yield f"I7 what the steps of {operation['rid']} came to is lost"
            if not is_head and not cleaned:
                yield f"I7 what {operation['rid']} left behind is forgotten"
            continue
        if good and new["typ"] == "Delete":
            continue  # erased with the resource
        for key, record in operation.get("steps", {}).items():
            yield from _moved_back(key, record, after.get("steps", {}).get(key), after)


def _moved_back(key: str, record: Doc, after: Doc | None, operation: Doc) -> Iterator[str]:
    if after is None:
        yield f"I7 the record of {key} is lost"
    elif record["s"] == "D" and after != record:
        yield f"I7 the record of {key} changed after it was done"
    elif record["s"] == "F" and after != record and operation.get("rnd", 0) <= record.get("rd", 0):
        yield f"I7 the record of {key} changed in the round in which it failed"


def _is_settled(head: Doc) -> bool:
    return head.get("typ") == "Delete" or head.get("st") == "SUCCEEDED"


def _known(head: Doc) -> bool:
    return any(step["s"] in "DS" for step in head.get("steps", {}).values())


def refusals(budgets: Sequence[tuple[str, int]]) -> int:
    """Return how many calls the external API may still refuse."""
    return sum(number for name, number in budgets if name in ("fail", "slip"))


def kind_of(properties: tuple[tuple[str, str], ...]) -> str:
    """Spell properties as places do: `P`, or `P2` with a size."""
    given = dict(properties)
    return given["Kind"] + given["Size"].removeprefix("1")


def kept_of(body: str) -> str:
    """Return what the ledger keeps of a body: all but the ids of its request."""
    return body.partition(',"StackId":')[0] + "}"


def plain(body: str) -> str:
    """Return an answer without the mark of what is secret: new code may turn it on."""
    return body.replace(MARK, "")


def body_of(text: str) -> Mapping[str, Any]:
    """Read an answer."""
    answer: Mapping[str, Any] = json.loads(text)
    return answer
