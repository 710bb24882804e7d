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
    """Return the arrows between the states, one a line."""
    lines = ["stateDiagram-v2"]
    for name, origins, to in rows():
        stays = to == "as it was"
        for origin in (() if stays else STATES) if origins == "any" else origins.split(" or "):
            start = "[*]" if origin == "none" else origin
            lines.append(f"    {start} --> {origin if stays else to}: {name}")
    return "\n".join(lines)


def page() -> str:
    """Return the whole page."""
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows())
    return f"""# The state machine

Made by `docs/state_machine.py` out of the guards and changes of `ledger/transitions.py`; a test
holds it to what they are now. RUNNING: an execution holds the resource. PARKED: it gave the lease
back. SUCCEEDED and FAILED: the response is recorded.

```mermaid
{picture()}
```

| write | from | to |
| --- | --- | --- |
{table}

Every write raises the revision. `begin` needs no look at the head. `begin_over` is computed from
one, and refused if anything was written since: an operation that may have left something moves
whole into the list of what is pending clean-up. `resume` goes on with an operation whose execution
is over, or that failed and that CloudFormation asks for again. `record`, `park`, `finish` and
`record_cleanup` are allowed to the owner alone; an execution that lost the resource parks its
operation where it was moved to, with its last facts.

`settle`, `forget` and `note` are an operator's: computed from a look, and refused if anything was
written since. They are made while nobody is at work, and leave the state as it was; what is
forgotten although its execution died is PARKED.
"""


if __name__ == "__main__":
    print(page(), end="")
