"""Draw the ledger's state machine out of the writes themselves, so that it cannot go stale.

Run it to print what docs/state-machine.md holds; a test compares the two.
"""

from dataclasses import replace

from cfn_once import Request
from cfn_once.ledger import (
    Change,
    Ending,
    ExecutionRecord,
    Head,
    Operation,
    Progress,
    StepRecord,
    Write,
    operator,
    transitions,
)
from cfn_once.ledger.store import AllOf, AnyOf, Equals, Guard
from cfn_once.ledger.transitions import OPERATION

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
ME = transitions.Candidate(owner="me", lease=1, sandbox_id=None, now=0)
STEP = StepRecord(state="D")
OPERATOR = operator.Operator(by="me", why="", now=0)
LEFT = ("pend", 0)
STATES = ("RUNNING", "PARKED", "SUCCEEDED", "FAILED")


def head(state: str) -> Head:
    at_work = ExecutionRecord(owner="me")
    return Head(operation=Operation(request_id="r", state=state, execution=at_work))


def held(name: str, change: Change, at: transitions.Path = OPERATION) -> Write:
    """Give a change of an execution the guard that all of them have."""
    return Write(name=name, guard=transitions.held_by("me", at), change=change)


def writes() -> list[Write]:
    """Return every write there is, made of heads on which it is allowed."""
    running = head("RUNNING")
    ends = [
        Ending(succeeded=succeeded, response="{}", physical_id="p") for succeeded in (True, False)
    ]
    return [
        transitions.begin(CREATE, ME),
        *(transitions.begin_over(head(state), CREATE, ME) for state in STATES),
        *(transitions.resume(head(state), CREATE, ME) for state in ("RUNNING", "PARKED", "FAILED")),
        held("record", transitions.record(Progress(steps={"s#0": STEP}), running)),
        held("park", transitions.park(Progress(), running, 0)),
        *(held("finish", transitions.finish(running, end, Progress(), 0)) for end in ends),
        held("record_cleanup", transitions.record_cleanup([], [], running)),
        held("park", transitions.park(Progress(), running, 0, at=LEFT), LEFT),
        *of_operator(),
    ]


def of_operator() -> list[Write]:
    """Return the writes of an operator, to whom the revision is the guard."""
    over = head("FAILED")
    doubtful = replace(over.operation, steps={"s#0": replace(STEP, state="S")})
    over = replace(over, operation=doubtful)
    step = next(operator.open_steps(over))
    return [
        operator.settle(over, step, None, OPERATOR),
        operator.forget(over, OPERATOR),
        operator.note(over, "FAILED", OPERATOR),
    ]


def states(guard: Guard) -> set[str]:
    """Return the states from which a guard allows a write; "none" is no head at all."""
    match guard:
        case Equals(("op", "st"), state):
            return {str(state)}
        case AllOf(guards):
            found = [part for part in map(states, guards) if part]
            return set.intersection(*found) if found else set()
        case AnyOf(guards):
            return set().union(*(states(part) or {"none"} for part in guards))
        case _:
            return set()


def state_after(change: Change) -> str:
    """Return the state that a change makes of the operation."""
    whole = change.set.get(OPERATION)
    if isinstance(whole, dict):
        return str(whole["st"])
    return str(change.set.get((*OPERATION, "st"), "as it was"))


def rows() -> list[tuple[str, str, str]]:
    """Return each write: its name, from where, and to where."""
    told: dict[tuple[str, str], set[str]] = {}
    for write in writes():
        origins = states(write.guard) or {"any"}
        told.setdefault((write.name, state_after(write.change)), set()).update(origins)
    return [(name, " or ".join(sorted(origins)), to) for (name, to), origins in told.items()]


def picture() -> str:
    """Return the arrows between the states, one a line, each with all that goes that way."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for name, origins, to in rows():
        stays = to == "as it was"
        for origin in (() if stays else STATES) if origins == "any" else origins.split(" or "):
            start = "[*]" if origin == "none" else origin
            arrows.setdefault((start, origin if stays else to), []).append(name)
    lines = [f"    {start} --> {end}: {', '.join(names)}" for (start, end), names in arrows.items()]
    return "\n".join(["stateDiagram-v2", *lines])


def page() -> str:
    """Return the whole page."""
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows())
    return f"""# The state machine

`docs/state_machine.py` draws this page from the guards and changes of `ledger/transitions.py`, and
a test compares the two. The states of a request:

- RUNNING: an execution holds the resource.
- PARKED: the execution gave its lease back.
- SUCCEEDED, FAILED: the response is recorded.

```mermaid
{picture()}
```

| write | from | to |
| --- | --- | --- |
{table}

Every write raises the revision of the item.

- `begin` does not read the item first.
- `begin_over` is computed from an item that was read, and is refused if anybody has written since.
  If the earlier request may have left something, it moves whole into `pending_cleanup`.
- `resume` continues a request whose execution has ended, or one that failed and that CloudFormation
  asks for again.
- `record`, `park`, `finish` and `record_cleanup` are allowed only to the owner. An execution that
  lost the resource parks its request in `pending_cleanup`, with its last results.
- `settle`, `forget` and `note` belong to an operator. They are computed from an item that was read,
  are refused if anybody has written since, and are made while no execution works. They leave the
  state as it was. If an operator forgets a resource whose execution died, it is PARKED.
"""


if __name__ == "__main__":
    print(page(), end="")
