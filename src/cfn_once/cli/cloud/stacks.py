"""
A stack, changed through a change set and followed to its end.

    status ──► change set ──► shown, agreed to ──► executed ──► one line an event ──► outputs
                   └── changes nothing: that is success, too
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ..._clock import Clock
from ..console import Console, Exit, Stop
from .aws import Aws, Refusal
from .changes import lines_of

PAUSE = 2.0  # seconds between two looks at a stack
NOTHING = ("didn't contain changes", "No updates are to be performed")
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
INLINE = 51_200  # bytes of a template that a call takes. Source: "AWS CloudFormation quotas"
EMPTY = ("REVIEW_IN_PROGRESS", "DELETE_COMPLETE")  # nothing was made yet, or nothing is left


class StackPlan(NamedTuple):
    """A stack as it shall be.

    Attributes:
        name: Of the stack.
        template: Its text.
        parameters: By name; one that is not given keeps its value.
        file: Where the template is the user's, its file.
    """

    name: str
    template: str
    parameters: Mapping[str, str]
    file: str = ""


class _Begun(Stop):
    """Nobody looks any more, and CloudFormation goes on."""


class Stacks:
    """The stacks of an account and Region.

    Args:
        agree: Asks whether changes shall be made; they are shown before.
        upload: Keeps a template that is too large for a call, and returns its URL.
    """

    def __init__(
        self,
        aws: Aws,
        console: Console,
        clock: Clock,
        *,
        agree: Callable[[str], bool],
        upload: Callable[[str], str] | None = None,
        pause: float = PAUSE,
    ) -> None:
        self._aws, self._console, self._clock = aws, console, clock
        self._agree, self.upload, self._pause = agree, upload, pause

    def status(self, name: str) -> str:
        """Return a stack's status; nothing where there is none."""
        described = self._described(name)
        return str(described["StackStatus"]) if described else ""

    def outputs(self, name: str) -> dict[str, str]:
        """Return a stack's outputs."""
        described = self._described(name) or {}
        return {pair["OutputKey"]: pair["OutputValue"] for pair in described.get("Outputs", [])}

    def check(self, name: str) -> None:
        """Look whether a stack can be changed now.

        Raises:
            Stop: It cannot, with what to do.
        """
        _refuse(name, self.status(name))

    def change(self, wanted: StackPlan) -> bool:
        """Make a stack what it shall be; False where it was that already.

        Raises:
            Stop: It cannot be changed now, nobody agreed, or the change failed.
        """
        before = self._described(wanted.name)
        status = str(before["StackStatus"]) if before else ""
        _refuse(wanted.name, status)
        is_new = status in ("", *EMPTY)
        is_ours = is_new and status != "REVIEW_IN_PROGRESS"  # that is somebody else's, also empty
        change_set = f"cfn-once-{self._clock.nonce()[:16]}"
        try:
            changes = self._prepared(wanted, change_set, before or {}, is_new=is_new)
            if changes is None:
                self._forget(wanted.name, change_set, is_ours=is_ours)
                self._console.say(f"{wanted.name}: no changes")
                return False
            self._show(wanted.name, changes, is_new=is_new)
            if not self._agree(wanted.name):
                raise Stop(f"{wanted.name} was not changed: nobody agreed", Exit.FOUND)
            seen = set() if is_new else {event["EventId"] for event in self._events(wanted.name)}
            self._begin("execute_change_set", wanted.name, ChangeSetName=change_set)
        except _Begun:
            raise
        except BaseException:
            self._forget(wanted.name, change_set, is_ours=is_ours)
            raise
        self._follow(wanted.name, seen)
        return True

    def delete(self, name: str) -> None:
        """Delete a stack, and wait for its end.

        Raises:
            Stop: There is none, nobody agreed, or it cannot be deleted.
        """
        described = self._described(name)
        if described is None:
            raise Stop(f"there is no stack {name}", Exit.FOUND)
        if not self._agree(name):
            raise Stop(f"{name} was not deleted: nobody agreed", Exit.FOUND)
        stack_id = described["StackId"]
        seen = {event["EventId"] for event in self._events(stack_id)}
        self._begin("delete_stack", stack_id)
        self._follow(stack_id, seen)

    def _prepared(
        self, wanted: StackPlan, change_set: str, before: Mapping[str, Any], *, is_new: bool
    ) -> list[Any] | None:
        """Make the change set, and return its changes; None where there are none."""
        known = [] if is_new else [pair["ParameterKey"] for pair in before.get("Parameters", [])]
        try:
            self._ask(
                "create_change_set",
                wanted.name,
                ChangeSetName=change_set,
                ChangeSetType="CREATE" if is_new else "UPDATE",
                Capabilities=CAPABILITIES,
                Parameters=_parameters(wanted, known),
                **self._text(wanted.template),
            )
        except Refusal as refusal:
            raise _with_file(refusal, wanted.file) from None
        while True:
            described = self._ask("describe_change_set", wanted.name, ChangeSetName=change_set)
            if described["Status"] not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
                break
            self._clock.sleep(self._pause)
        if described["Status"] == "CREATE_COMPLETE":
            return list(described.get("Changes", []))
        reason = str(described.get("StatusReason", ""))
        if any(text in reason for text in NOTHING):
            return None
        raise Stop(f"{wanted.name}: CloudFormation refuses the change: {reason}", Exit.FOUND)

    def _text(self, template: str) -> dict[str, str]:
        if len(template.encode()) <= INLINE or self.upload is None:
            return {"TemplateBody": template}
        return {"TemplateURL": self.upload(template)}

    def _show(self, name: str, changes: list[Any], *, is_new: bool) -> None:
        self._console.line(f"{name}: {'a new stack' if is_new else 'an update'}")
        for change in changes:
            for line in lines_of(change):
                self._console.line(line)

    def _forget(self, name: str, change_set: str, *, is_ours: bool) -> None:
        """Remove what a change that is not made has left: with an empty stack, where we made it."""
        try:
            if not is_ours:
                self._ask("delete_change_set", name, ChangeSetName=change_set)
            elif self.status(name) == "REVIEW_IN_PROGRESS":
                self._ask("delete_stack", name)
        except Stop as stop:
            self._console.say(f"the change set {change_set} of {name} is left: {stop}")

    def _begin(self, operation: str, stack: str, **members: Any) -> None:
        """Ask for an operation that goes on without us.

        Raises:
            _Begun: It goes on, although there was no answer: Ctrl-C, or a network that failed.
            Stop: It did not begin.
        """
        try:
            self._ask(operation, stack, **members)
        except (Stop, KeyboardInterrupt) as error:
            if not _is_at_work(self.status(stack)):
                raise
            raise _goes_on(stack, error) from None

    def _follow(self, stack: str, seen: set[str]) -> None:
        """Print an event of an operation a line until it has ended.

        Raises:
            Stop: It failed, or the wait for it was interrupted.
        """
        name = _name(stack)
        try:
            while True:
                described = self._described(stack)
                status = str(described["StackStatus"]) if described else "DELETE_COMPLETE"
                for event in self._new_events(stack, seen):
                    self._console.line(_line(event))
                if not status.endswith("_IN_PROGRESS"):
                    break
                self._clock.sleep(self._pause)
        except (Stop, KeyboardInterrupt) as error:
            raise _goes_on(stack, error) from None
        if "ROLLBACK" in status or status.endswith("FAILED"):
            raise Stop(f"{name} ended in {status}{_advice(name, status)}", Exit.FOUND)

    def _new_events(self, stack: str, seen: set[str]) -> Iterator[Any]:
        for event in reversed(self._events(stack)):
            if event["EventId"] not in seen:
                seen.add(event["EventId"])
                yield event

    def _events(self, stack: str) -> list[Any]:
        try:
            return list(self._ask("describe_stack_events", stack)["StackEvents"])
        except Refusal:
            return []  # it has just been deleted

    def _described(self, name: str) -> Any:
        try:
            return self._ask("describe_stacks", name)["Stacks"][0]
        except Refusal as refusal:
            if "does not exist" in str(refusal):
                return None
            raise

    def _ask(self, operation: str, name: str, **members: Any) -> Any:
        on = f"the stack {_name(name)}"
        return self._aws.ask("cloudformation", operation, on=on, StackName=name, **members)


def _parameters(wanted: StackPlan, known: Iterable[str]) -> list[dict[str, Any]]:
    """Return the parameters of a change set: those that nobody gives keep their values."""
    kept = sorted(
        name for name in known if name not in wanted.parameters and _declares(wanted.template, name)
    )
    return [
        *({"ParameterKey": k, "ParameterValue": v} for k, v in wanted.parameters.items()),
        *({"ParameterKey": name, "UsePreviousValue": True} for name in kept),
    ]


def _declares(template: str, name: str) -> bool:
    """Tell whether a template, in YAML or JSON, still has a key of that name."""
    return (
        re.search(rf"""^\s*["']?{re.escape(name)}["']?\s*:""", template, re.MULTILINE) is not None
    )


def _with_file(refusal: Refusal, file: str) -> Refusal:
    """Return a refusal that names the template's file, where that is what it is about."""
    is_of_text = file and "template" in str(refusal).lower()
    return Refusal(f"{file}: {refusal}", refusal.error) if is_of_text else refusal


def _name(stack: str) -> str:
    """Return a stack's name, of that or of its ARN."""
    return stack.split("/")[1] if stack.startswith("arn:") else stack


def _refuse(name: str, status: str) -> None:
    """Raise where a stack cannot be changed in its status."""
    if status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED", "CREATE_FAILED"):
        raise Stop(f"{name} is {status}{_advice(name, status)}", Exit.FOUND)
    if status.endswith("_FAILED"):
        raise Stop(f"{name} is {status}{_advice(name, status)}", Exit.FOUND)
    if _is_at_work(status):
        raise Stop(f"{name} is {status}: wait for its end, then call again", Exit.FOUND)


def _goes_on(stack: str, error: Stop | KeyboardInterrupt) -> _Begun:
    """Return what to say where an operation goes on, and nobody can look how it ends."""
    words = f"CloudFormation goes on with {_name(stack)}. Call again to see how it ended"
    if isinstance(error, Stop):
        return _Begun(f"{error}; {words}", error.code)
    return _Begun(f"stopped looking: {words}", Exit.INTERRUPTED)


def _is_at_work(status: str) -> bool:
    """Tell whether CloudFormation changes a stack in this status."""
    return status.endswith("_IN_PROGRESS") and status not in EMPTY


def _advice(name: str, status: str) -> str:
    """Return what to do about a stack that ended so."""
    if status == "UPDATE_ROLLBACK_FAILED":
        command = f"aws cloudformation continue-update-rollback --stack-name {name}"
        return f": repair what the events name as failed, then {command}"
    if status == "UPDATE_ROLLBACK_COMPLETE":
        return ": it is as it was before; the first CREATE_FAILED or UPDATE_FAILED above says why"
    if status.startswith("DELETE"):
        return ": the events above say what could not be deleted; then delete it again"
    return (
        ": its creation failed, and it can only be deleted. The first CREATE_FAILED says why; then"
        f" cfn-once deploy --delete --stack {name}"
    )


def _line(event: Any) -> str:
    reason = str(event.get("ResourceStatusReason", "")).replace("\n", " ")
    line = f"{event['ResourceStatus']:<28} {event['LogicalResourceId']:<24} {reason}"
    return f"  {event['Timestamp']:%H:%M:%S}Z  {line}".rstrip()
