"""Draw the ledger's state machine out of the writes themselves, so that it cannot go stale.

Run it to print what docs/state-machine.md holds; a test compares the two.
"""

from cfn_once import Request
from cfn_once.ledger import Debt, Ending, Head, Progress, Record
from cfn_once.ledger import transitions as _writes
from cfn_once.ledger.store import AllOf, AnyOf, Equals, Guard

CREATE = Request.from_event(
    {
        "RequestType": "Create",
        "RequestId": "r",
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/s/g",
        "LogicalResourceId": "L",
        "ResourceType": "Custom::T",
        "ResponseURL": "https://example.com/?X-Amz-Date=20270115T080000Z",
    }
)
ME = _writes.Claimant(owner="me", lease=1, box=None, now=0)
STEP = Record(state="D")
DEBT = Debt(request_id="q", type="Create", owner="me")


def head(state: str, *, succeeded: bool | None = None) -> Head:
    return Head(
        request_id="r", state=state, succeeded=succeeded, owner="me", debts=(DEBT.to_doc(),)
    )


def held(name: str, change: _writes.Change) -> _writes.Write:
    """Give a change of the execution that holds the resource the guard that all of them have."""
    return _writes.Write(name=name, guard=_writes.held_by("me", 1), change=change)


def writes() -> list[_writes.Write]:
    """Return every write there is, made of heads on which it is allowed."""
    run = head("RUN")
    end = Ending(succeeded=True, body="{}", physical_id="p")
    return [
        _writes.begin(CREATE, ME),
        _writes.begin_over(head("DONE", succeeded=False), CREATE, ME),
        _writes.begin_over(head("RUN"), CREATE, ME),
        _writes.begin_over(head("PARK"), CREATE, ME),
        _writes.take_over(run, CREATE, ME),
        _writes.new_round(head("DONE", succeeded=False), CREATE, ME),
        held("record", _writes.record(Progress(steps={"s#0": STEP}), run)),
        held("note", _writes.note(0, "s#0", STEP)),
        held("settle", _writes.settle([], [], Head())),
        held("park", _writes.park(Progress(), run, 0, in_doubt=False)),
        held("finish", _writes.finish(run, end, Progress(), 0, in_doubt=False)),
        _writes.leave(0, "me", Progress(), 0, in_doubt=False),
    ]


def states(guard: Guard) -> set[str]:
    """Return the states from which a guard allows a write; "none" is no head at all."""
    match guard:
        case Equals(("st",), state):
            return {str(state)}
        case AllOf(guards):
            found = [one for one in map(states, guards) if one]
            return set.intersection(*found) if found else set()
        case AnyOf(guards):
            return set().union(*(states(one) or {"none"} for one in guards))
        case _:
            return set()


def rows() -> list[tuple[str, str, str, str]]:
    """Return each write: its name, from where, to where, and what it does to the fence."""
    told: dict[tuple[str, str, str], set[str]] = {}
    for write in writes():
        change = write.change
        to = str(change.set.get(("st",), "as it was"))
        raises = "f" in change.add or ("f",) in change.set
        told.setdefault((write.name, to, "+ 1" if raises else "kept"), set()).update(
            states(write.guard) or {"any"}
        )
    return [
        (name, " or ".join(sorted(origins)), to, fence)
        for (name, to, fence), origins in told.items()
    ]


def picture() -> str:
    """Return the arrows between the states, one a line."""
    lines = ["stateDiagram-v2"]
    for name, origins, to, _ in rows():
        for origin in origins.split(" or "):
            if to != "as it was":
                start = "[*]" if origin == "none" else origin
                lines.append(f"    {start} --> {to}: {name}")
            elif origin != "any":
                lines.append(f"    {origin} --> {origin}: {name}")
    return "\n".join(lines)


def page() -> str:
    """Return the whole page."""
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows())
    return f"""# The state machine

Made by `docs/state_machine.py` out of the guards and changes of `ledger/transitions.py`; a test
holds it to what they are now. RUN: an execution holds the resource. PARK: it gave the lease back.
DONE: the answer is recorded.

```mermaid
{picture()}
```

| write | from | to | fence |
| --- | --- | --- | --- |
{table}

Every write also adds 1 to the count of writes. `begin` needs no look at the head; `begin_over` and
`supersede` are computed from one, and refused if anything was written since. `record`, `note`,
`settle`, `park` and `finish` are allowed to the owner under its fence alone; `leave` keeps the last
facts of an execution that has lost it.
"""


if __name__ == "__main__":
    print(page(), end="")
