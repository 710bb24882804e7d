"""
The history of a run, judged: what was made, what is left, what was told, what was never told.

How the figures are counted:

operations              requests of CloudFormation, each with a RequestId of its own
deliveries              events handed to a process, copies, Lambda's retries and the guardian's
                        included
kills                   processes that SIGKILL ended while they were at work on a delivery
expected_objects        groups that another handler has made, and Creates and replacements answered
                        SUCCESS, each of which must have made one; and those cut short (refused,
                        cancelled, never answered) that had made one by then, which is the most that
                        is right
objects_created         groups that the API has ever made
objects_left            groups that exist when all is deleted and every copy has ended
conflicting_answers     requests for which two different bodies were ever put
unanswered              requests for whose answer CloudFormation waited in vain; there is no excuse
                        but a ServiceTimeout of a second
undone_without_a_call   Updates that were refused before their hook, where nothing was in doubt:
                        each must be rolled back by the next request, without a call
guardian_answers        requests that the guardian answered, when three deliveries had failed: it
                        was at work when the answer came, and no twin that something was to befall
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crash.cloudformation import Operation, Resource
from crash.sandboxes import Delivery, Lambda
from support.runtime_api import Ending


@dataclass(frozen=True, kw_only=True)
class Report:
    """What came of a run against one engine."""

    operations: int
    deliveries: int
    kills: int
    expected_objects: int
    objects_created: int
    objects_left: int
    unanswered: int
    conflicting_answers: int
    guardian_answers: int
    undone_without_a_call: int
    most_at_once: int
    kinds: Mapping[str, int]
    befell: Mapping[str, int]
    endings: Mapping[str, int]
    refusals: Mapping[str, int]
    violations: Sequence[str] = field(default_factory=list)
    stories: Sequence[str] = field(default_factory=list)


def judge(resources: Sequence[Resource], functions: Lambda, spot: Mapping[str, Any]) -> Report:
    """Judge what the resources, the function and the API have to tell of a run."""
    operations = [operation for resource in resources for operation in resource.operations]
    made = Counter(spot["created_by_name"])
    makers = [operation for operation in operations if operation.makes is not None]
    older = [name for resource in resources for name in resource.older]
    violations, stories = _violations(resources, functions, spot)
    kills = [
        delivery
        for delivery in functions.deliveries
        if delivery.killed and delivery.ending is Ending.DIED
    ]
    kinds = Counter(operation.kind.partition(" (")[0] for operation in operations)
    killed = Counter(f"SIGKILL {_short(kill.killed)}" for kill in kills)
    refusals = [refusal for operation in operations if (refusal := _refusal(operation))]
    return Report(
        operations=len(operations),
        deliveries=len(functions.deliveries),
        kills=len(kills),
        expected_objects=sum(_expected(maker, made) for maker in makers) + len(older),
        objects_created=int(spot["groups_created"]),
        objects_left=len(spot["left"]),
        unanswered=sum(operation.is_unanswered for operation in operations),
        conflicting_answers=sum(len(set(operation.bodies)) > 1 for operation in operations),
        guardian_answers=sum(
            operation.told_by is not None and operation.told_by.guards for operation in operations
        ),
        undone_without_a_call=sum(resource.undone_without_a_call for resource in resources),
        most_at_once=functions.most_at_once,
        kinds=_sorted(kinds),
        befell=_sorted(functions.counts + killed),
        endings=_sorted(Counter(_ending(delivery) for delivery in functions.deliveries)),
        refusals=_sorted(Counter(refusals)),
        violations=violations,
        stories=stories,
    )


def _violations(
    resources: Sequence[Resource], functions: Lambda, spot: Mapping[str, Any]
) -> tuple[list[str], list[str]]:
    """Return what breaks a law, and the story of each resource that it concerns."""
    made = Counter(spot["created_by_name"])
    left = [rest["name"] for rest in spot["left"]]
    violations, stories, known = [], [], set[str | None]()
    for resource in resources:
        names = {*(operation.makes for operation in resource.operations), *resource.older}
        found = [
            *resource.problems,
            *(f"the group {name} is left" for name in left if name in names),
            *(
                problem
                for operation in resource.operations
                for problem in (*_problems_of(operation, made), *_ended_by_themselves(operation))
            ),
            *_rolled_again(resource, functions),
        ]
        if found:
            violations += [f"{resource.stack_name}: {hit}" for hit in found]
            stories.append("\n".join([str(resource.story), *(f"=> {hit}" for hit in found)]))
        known |= names
    violations += [f"nobody asked for {name}" for name in made if name not in known]
    return violations, stories


def _expected(maker: Operation, made: Mapping[str, int]) -> int:
    return 1 if maker.succeeded else min(1, made.get(str(maker.makes), 0))


def _problems_of(operation: Operation, made: Mapping[str, int]) -> Iterator[str]:
    number = made.get(str(operation.makes), 0)
    if operation.makes is not None and (number > 1 or (operation.succeeded and number != 1)):
        yield f"{operation.name} made {number} groups named {operation.makes}"
    if len(set(operation.bodies)) > 1:
        yield f"{operation.name} was answered in {len(set(operation.bodies))} ways"
    yield from (f"an answer to {operation.name} is refused: {wrong}" for wrong in operation.wrong)
    if operation.expected == "FAILED" and operation.succeeded:
        yield f"{operation.name} was answered SUCCESS, though the API refused it"
    if operation.is_unanswered:
        yield f"{operation.name} was not answered while CloudFormation waited"


def _ended_by_themselves(operation: Operation) -> Iterator[str]:
    """Name the processes that ended, though nobody has killed them."""
    for delivery in operation.deliveries:
        name = f"{operation.name} {delivery.name}"
        if delivery.ending is Ending.DIED and not delivery.killed:
            yield f"the process of {name} died by itself: {delivery.log}"
        if delivery.ending is Ending.INIT_ERROR and not delivery.killed:
            yield f"the handler of {name} cannot be loaded: {delivery.log}"


def _rolled_again(resource: Resource, functions: Lambda) -> Iterator[str]:
    requests = {operation.event["RequestId"] for operation in resource.operations}
    for (request, asked), number in functions.rolls.items():
        if request in requests and number > 1:
            yield f"{request[:8]} rolled {number} times: {asked}"


def _short(killed: str) -> str:
    """Leave the number of the request out."""
    return " ".join(word for word in killed.split() if not word.isdigit())


def _ending(delivery: Delivery) -> str:
    kind = delivery.error.partition(":")[0] if delivery.ending is Ending.ERROR else ""
    return f"{delivery.ending}{': ' if kind else ''}{kind}"


def _refusal(operation: Operation) -> str:
    """Name the reason of a FAILED that nothing in the request makes necessary."""
    answer = operation.answer
    if operation.expected != "SUCCESS" or answer is None or answer["Status"] == "SUCCESS":
        return ""
    if not operation.awaited:
        return ""
    return f"{operation.event['RequestType']}: {answer['Reason'][:160]}"


def _sorted(counter: Counter[str]) -> dict[str, int]:
    return dict(counter.most_common())
