"""An operator's writes over each store: made once, and only of what was looked at."""

from typing import Any

from cfn_once.ledger import Head, Store, Write
from cfn_once.ledger.operator import (
    OpenStep,
    Operator,
    at_work_until,
    forget,
    note,
    open_steps,
    settle,
    without_doubts,
)
from cfn_once.ledger.store import Absent
from ledger.told import a_head, an_operation

ADA = Operator(by="ada", why="looked", now=60_000)
STARTED = {"thing#0": {"s": "S", "g": 1, "a": "hash"}}
LEFT: dict[str, Any] = {
    **an_operation(rid="r0", own="o0", st="RUNNING", typ="Create", steps=STARTED),
    "cln": "r7",
    "dbt": ["words"],
}


def made(store: Store, key: str, **attributes: Any) -> Head:
    """Make a head, and return it."""
    head = store.write(key, Write(Absent(("v",)), a_head(**attributes))).head
    assert head is not None
    return head


def steps_of(head: Head) -> dict[str, OpenStep]:
    return {f"{step.operation.request_id} {step.key}": step for step in open_steps(head)}


class OperatorsWrites:
    """What an operator writes, over whatever `any_store` is."""

    def test_a_step_of_the_newest_request_and_of_one_left_behind(
        self, any_store: Store, key: str
    ) -> None:
        """
        Each is written where it lies; what was learned of one left behind is looked for anew.
        """
        operation = an_operation(st="FAILED", typ="Update", rnd=2, steps=STARTED)
        head = made(any_store, key, op=operation, pend=[LEFT])

        first = any_store.write(key, settle(head, steps_of(head)["r1 thing#0"], None, ADA)).head
        assert first is not None
        second = any_store.write(key, settle(first, steps_of(first)["r0 thing#0"], '"t"', ADA)).head

        assert second is not None
        newest, left = second.operation.steps["thing#0"], second.pending_cleanup[0]
        assert ("F", 2, 1, "hash") == (
            newest.state,
            newest.round,
            newest.generation,
            newest.arguments,
        )
        assert ("D", '"t"') == (left.steps["thing#0"].state, left.steps["thing#0"].result)
        assert (None, ()) == (left.cleanup.by, left.cleanup.doubts)
        assert [("Resolve", "NOT MADE", "thing#0"), ("Resolve", "MADE", "thing#0")] == [
            (entry.type, entry.outcome, entry.step) for entry in second.history
        ]

    def test_what_was_written_since_the_look_refuses(self, any_store: Store, key: str) -> None:
        """
        No write of an operator is made of a head that somebody has written to since.
        """
        operation = an_operation(st="FAILED", steps=STARTED)
        head = made(any_store, key, op=operation, dbt=["thing#0 of r at 1970"])
        any_store.write(key, note(head, "FAILED", ADA))

        written = [
            any_store.write(key, write)
            for write in (
                settle(head, steps_of(head)["r1 thing#0"], None, ADA),
                without_doubts(head, head.doubts, ADA),
                forget(head, ADA),
                note(head, "FAILED", ADA),
            )
        ]

        assert [False] * 4 == [write.applied for write in written]

    def test_a_step_that_is_not_recorded(self, any_store: Store, key: str) -> None:
        """
        An operation left behind that may have done something is over, and in doubt no more.
        """
        head = made(any_store, key, pend=[{**LEFT, "steps": {}}])
        written = any_store.write(key, settle(head, steps_of(head)["r0 "], None, ADA)).head

        assert written is not None
        assert "PARKED" == written.pending_cleanup[0].state
        assert [] == list(open_steps(written))

    def test_calls_that_are_repeated_at_will(self, any_store: Store, key: str) -> None:
        """
        They are settled once a clean-up has doubted them; before that, one may remove what they
        made.
        """
        kept = {}
        for told in ("its first step of r0 at 2026-11-27T00:00:00Z", ""):
            doubts = {"dbt": [told]} if told else {}
            left = {**LEFT, "steps": {}, "unrec": True, "dbt": None, **doubts}
            pend = [{name: value for name, value in left.items() if value is not None}]
            head = made(any_store, f"{key}{told}", pend=pend)
            step = steps_of(head)["r0 "]
            after = any_store.write(f"{key}{told}", settle(head, step, None, ADA)).head
            assert after is not None
            kept[told != ""] = after.pending_cleanup[0].has_unrecorded_calls
            assert [] == list(open_steps(after))

        assert {True: False, False: True} == kept

    def test_a_step_that_is_made_and_doubted(self, any_store: Store, key: str) -> None:
        """
        What a clean-up has no step for any more is settled as what may have run.
        """
        steps = {"thing#0": {"s": "D", "r": '"t"', "g": 1, "a": "hash"}}
        left = {**LEFT, "st": "FAILED", "steps": steps, "dbt": ["thing#0 of r0 at 2026"]}
        head = made(any_store, key, pend=[left])
        step = steps_of(head)["r0 thing#0"]

        after = any_store.write(key, settle(head, step, None, ADA)).head

        assert after is not None
        assert step.is_made
        assert "F" == after.pending_cleanup[0].steps["thing#0"].state
        assert [] == list(open_steps(after))

    def test_what_a_maker_has_cleaned_up_is_not_cleaned_up_again_by_it(
        self, any_store: Store, key: str
    ) -> None:
        """
        Under the ids of what was left may be its own by now; a Delete makes nothing.
        """
        kept = {}
        for kind in ("Update", "Delete"):
            operation = an_operation(rid="r7", st="FAILED", typ=kind)
            head = made(any_store, f"{key}{kind}", op=operation, pend=[LEFT])
            step = steps_of(head)["r0 thing#0"]
            after = any_store.write(f"{key}{kind}", settle(head, step, None, ADA)).head
            assert after is not None
            kept[kind] = after.pending_cleanup[0].cleanup.by

        assert {"Update": "r7", "Delete": None} == kept

    def test_a_resource_that_is_forgotten(self, any_store: Store, key: str) -> None:
        """
        What holds and what is left goes; its ids, its requests and its answer stay.
        """
        response = '{"Status":"SUCCESS","PhysicalResourceId":"p"}'
        head = made(
            any_store,
            key,
            op=an_operation(id="p", unrec=True, steps=STARTED),
            held={"id": "p", "out": response},
            ack=True,
            repl=[{"id": "q"}],
            pend=[{**LEFT, "id": "l"}],
            recent=["r1"],
        )

        after = any_store.write(key, forget(head, ADA)).head

        assert after is not None
        assert (None, (), (), ("q", "l", "p")) == (
            after.held,
            after.replaced,
            after.pending_cleanup,
            after.removed,
        )
        assert (response, ("r1",), None) == (after.response, after.recent, after.ttl)
        assert not after.operation.may_have_acted
        assert head.operation.execution.owner != after.operation.execution.owner

    def test_until_when_somebody_may_act(self, any_store: Store, key: str) -> None:
        """
        A lease that runs, and five seconds of a call that may be on its way.
        """
        works = made(any_store, f"{key}1", op=an_operation(st="RUNNING", lu=60_000))
        over = made(any_store, f"{key}2", op=an_operation(st="FAILED", lu=60_000))

        assert 60_000 == at_work_until(works, 59_999)
        assert 0 == at_work_until(works, 60_000)
        assert 65_001 == at_work_until(over, 60_000, over.operation)
        assert 0 == at_work_until(over, 60_000)


class TestOnEachStore(OperatorsWrites):
    """Each kind of store in turn."""
