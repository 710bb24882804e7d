"""Handlers that were written for crhelper, on the ledger: change the import, and nothing else.

    from cfn_once.crhelper import CfnResource          # was: from crhelper import CfnResource

    event ──► helper ──► Provider ──► the function, in one step ──► its poll, in a wait ──► response

A duplicate of a request gets the recorded response and runs no function. What one function does is
one step: if it dies half way, cfn-once cannot tell how far it came. docs/migrate.md has the rules.
"""

import copy
import json
import logging
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, overload

from ._callables import deferring, discard, unfinished
from ._cloudformation.canonical import Json
from ._cloudformation.request import RequestType
from ._crhelper.handled import Handled
from ._crhelper.identity import derived_id
from ._crhelper.old_rule import of_old_rule, take_away
from ._crhelper.outcome import Outcome, is_an_id, outcome_of
from ._errors import ConfigurationError, HookError, PermanentError, SecretNotKept
from ._provider import Provider
from ._steps.call import Step

if TYPE_CHECKING:
    from ._steps.http import Session

__all__ = ["FAILED", "SUCCESS", "CfnResource"]

SUCCESS = "SUCCESS"
FAILED = "FAILED"
CRASHES = ("fail", "again")  # what becomes of a function that died half way

log = logging.getLogger("cfn_once.crhelper")

Handler = Callable[[Any, Any], Any]
F = TypeVar("F", bound=Handler)


class _Function(NamedTuple):
    """A decorated function.

    Attributes:
        steps: It makes its own steps.
        again: Where it died half way, it runs again.
    """

    run: Handler
    steps: bool = False
    again: bool = True


class CfnResource:
    """A Lambda handler with crhelper's face; its functions are decorated as they were.

    Args:
        json_logging: Taken, and ignored: Lambda's own logging settings say how lines are printed.
        log_level: Taken, and ignored, as is `boto_level`: the root logger is left alone.
        boto_level: Taken, and ignored.
        polling_interval: Minutes between two polls.
        sleep_on_delete: Taken, and ignored.
        ssl_verify: Only what verifies.
        no_echo: All answers are secret.
        options: As for `Provider`.

    Attributes:
        Data: The attributes, as crhelper has them; new with each event, as what follows.
        NoEcho: CloudFormation masks the attributes.
        Status: `SUCCESS` or `FAILED`.
        Reason: What CloudFormation receives besides.
        PhysicalResourceId: The object's id.
        StackId: Of the event at work, as what follows.
        RequestId: Of the event at work.
        LogicalResourceId: Of the event at work.
        RequestType: Create, Update or Delete.

    Raises:
        ConfigurationError: `ssl_verify` does not verify. In Lambda each request is FAILED with
            that instead: a function that cannot be imported answers nobody.
    """

    def __init__(
        self,
        json_logging: bool = False,  # noqa: FBT001, FBT002 - crhelper's own arguments, in its order
        log_level: Any = "DEBUG",
        boto_level: Any = "ERROR",
        polling_interval: float = 2,
        sleep_on_delete: float = 120,
        ssl_verify: bool | str | None = None,  # noqa: FBT001 - as above
        *,
        no_echo: bool = False,
        **options: Any,
    ) -> None:
        del json_logging, log_level, boto_level, sleep_on_delete
        self._every, self._options = 60 * polling_interval, options
        self._functions: dict[str, _Function] = {}
        self._resource: Handled | None = None
        self._unable, self._warned, self._id = "", False, ""
        self.StackId = self.RequestId = self.LogicalResourceId = self.RequestType = ""
        self._reset({})
        secret = {"no_echo": True} if no_echo else {}
        self._served = type("Handled", (Handled,), {"resource_type": "*", "helper": self, **secret})
        self._provider = Provider(self._served, **options)
        if ssl_verify not in (None, True):
            self._refuse(
                f"ssl_verify={ssl_verify!r}: cfn-once verifies the host that it responds to. Leave"
                " it out, and name your own bundle in SSL_CERT_FILE, and in AWS_CA_BUNDLE for boto3"
            )

    def __call__(self, event: Any, context: Any = None) -> dict[str, Any] | None:
        """Work on what Lambda hands over, as a `Provider` does."""
        if "crhelper" in sys.modules and not self._warned:
            self._warned = True
            log.warning(
                "crhelper is imported here as well: the ledger does not know what a helper of its"
                " own does, and it may run twice. Import CfnResource from cfn_once.crhelper"
                " everywhere"
            )
        return self.provider(event, context)

    @property
    def provider(self) -> Provider:
        """The provider: for `FakeCloudFormation`, `assert_safe` and `cfn_once.entry`."""
        return Provider.unable(self._unable, **self._options) if self._unable else self._provider

    def init_failure(self, error: BaseException | str) -> None:
        """Say that the module cannot work: each request is FAILED with the error's text.

        A Delete of what was never made is SUCCESS all the same.
        """
        from ._described.importing import without_secrets  # only where something is wrong

        self._unable = without_secrets(str(error)) or type(error).__name__
        log.error("%s", self._unable)

    def generate_physical_id(self, event: Mapping[str, Any]) -> str:
        """Return the id of what a Create makes, where its function returns none."""
        return derived_id(event["StackId"], event["LogicalResourceId"], event["RequestId"])

    def _refuse(self, text: str) -> None:
        if "AWS_LAMBDA_FUNCTION_NAME" not in os.environ:
            raise ConfigurationError(text)
        self.init_failure(text)

    # Decorators

    @overload
    def create(self, func: F) -> F: ...
    @overload
    def create(self, *, steps: bool = ..., on_crash: str = ...) -> Callable[[F], F]: ...
    def create(self, func: Any = None, *, steps: bool = False, on_crash: str = "fail") -> Any:
        """Have a function called for a Create.

        Args:
            func: Takes event and context, and returns the physical id.
            steps: It makes its own steps, with `helper.step`, `helper.http` and `helper.client`.
            on_crash: "fail": a function that died half way is FAILED in doubt. "again": it runs
                again, and may do twice what it did.
        """
        return self._decorated("create", func, steps=steps, on_crash=on_crash)

    @overload
    def update(self, func: F) -> F: ...
    @overload
    def update(self, *, steps: bool = ..., on_crash: str = ...) -> Callable[[F], F]: ...
    def update(self, func: Any = None, *, steps: bool = False, on_crash: str = "again") -> Any:
        """Have a function called for an Update; another id than before is a replacement."""
        return self._decorated("update", func, steps=steps, on_crash=on_crash)

    @overload
    def delete(self, func: F) -> F: ...
    @overload
    def delete(self, *, steps: bool = ..., on_crash: str = ...) -> Callable[[F], F]: ...
    def delete(self, func: Any = None, *, steps: bool = False, on_crash: str = "again") -> Any:
        """Have a function called for a Delete."""
        return self._decorated("delete", func, steps=steps, on_crash=on_crash)

    def poll_create(self, func: F) -> F:
        """Have a function called until it returns something, once `create` has ended."""
        self._decorated("poll_create", func)
        return func

    def poll_update(self, func: F) -> F:
        """Have a function called until it returns something, once `update` has ended."""
        self._decorated("poll_update", func)
        return func

    def poll_delete(self, func: F) -> F:
        """Have a function called until it returns something, once `delete` has ended."""
        self._decorated("poll_delete", func)
        return func

    def _decorated(
        self, name: str, func: Any, *, steps: bool = False, on_crash: str = "again"
    ) -> Any:
        if on_crash not in CRASHES:
            self._refuse(f'on_crash={on_crash!r}: write "fail" or "again"')
        if func is None:
            return partial(self._decorated, name, steps=steps, on_crash=on_crash)
        if kind := deferring(func):
            self._refuse(
                f"{name} is {kind}, and its call does nothing: write a plain function, and run"
                " async code in it with asyncio.run(...)"
            )
        self._served.__module__ = func.__module__  # where the watchdog looks for the line at work
        self._functions[name] = _Function(func, steps, on_crash == "again")
        return func

    # What functions with `steps=True` work with

    def step(self, name: str, fn: Callable[[Step], Any], **options: Any) -> Any:
        """Make a step, as `CustomResource.step` does."""
        return self._at_work().step(name, fn, **options)

    @property
    def http(self) -> "Session":
        """As `CustomResource.http`."""
        return self._at_work().http

    def client(self, service: str, *positional: Any, **options: Any) -> Any:
        """Return a boto3 client, as `CustomResource.client` does."""
        return self._at_work().client(service, *positional, **options)

    def _at_work(self) -> "Handled":
        if self._resource is None:
            raise PermanentError("no event is at work: use the helper's steps in its functions")
        return self._resource

    # One event

    @property
    def PhysicalResourceId(self) -> Any:  # noqa: N802 - crhelper's name
        """The id: what a function has set, and then what it returned."""
        return self._id

    @PhysicalResourceId.setter
    def PhysicalResourceId(self, value: Any) -> None:  # noqa: N802 - as above
        self._id = value
        if self._resource is not None and is_an_id(value):
            self._resource.take_id(str(value))

    def _reset(self, data: dict[str, Json]) -> None:
        self.Status, self.Reason, self.Data, self.NoEcho = SUCCESS, "", data, False
        self._id = ""

    def handle(self, resource: "Handled") -> dict[str, Json]:
        """Run what is decorated for a request, on one run of its hook."""
        self._resource, request = resource, resource.request
        self.StackId, self.RequestId = request.stack_id, request.request_id
        self.LogicalResourceId, self.RequestType = request.logical_resource_id, request.type.value
        try:
            outcome = self._outcome(resource)
        finally:
            self._resource = None
        resource.take_id(str(outcome["id"]) if is_an_id(outcome["id"]) else None)
        resource.reason = outcome["reason"]
        if outcome["no_echo"]:
            resource.no_echo = True
        if outcome["data"] is None and request.type is not RequestType.DELETE:
            raise SecretNotKept(
                f"{request}: what its function put into Data is secret, and was not kept: put the"
                " table under a customer-managed key and say keeps_secrets=true in its URL"
            )
        return outcome["data"] or {}

    def _outcome(self, resource: "Handled") -> Outcome:
        event, name = resource.event(), resource.request.type.value.lower()
        function, poll = self._functions.get(name), self._functions.get(f"poll_{name}")
        ran = _Ran(resource, self._called)
        if event.get("CrHelperPoll"):
            outcome = of_old_rule(event)
            resource.step("the rule of crhelper", partial(take_away, event), repeat=True)
        elif function is None:
            self._reset({})
            outcome = self._ended(None)
        elif function.steps:
            outcome = ran.call(function.run, event, {})
        else:
            outcome = ran.step(name, function, event)
        return outcome if poll is None else ran.polled(poll.run, event, outcome, self._every)

    def _called(
        self, run: Handler, event: dict[str, Any], context: Any, data: dict[str, Json]
    ) -> Outcome:
        """Call a function as crhelper does; what it raises has failed for certain, for all we know.

        Raises:
            PermanentError: With the error's own text.
        """
        self._reset(data)
        try:
            returned = run(event, context)
        except HookError:
            raise
        except (Exception, SystemExit) as error:
            log.exception("%s of %s raised", self.RequestType, self.LogicalResourceId)
            raise PermanentError(str(error) or type(error).__name__) from error
        if self.Status == FAILED:
            self.PhysicalResourceId = returned  # its Delete names it
            raise PermanentError(str(self.Reason) or "the function said that it has failed")
        return self._ended(returned)

    def _ended(self, returned: Any) -> Outcome:
        if kind := unfinished(returned):
            discard(returned)
            raise PermanentError(f"the function returned {kind}, and nothing runs it")
        self.PhysicalResourceId = returned  # before anything can fail: its object is there
        try:
            data = json.loads(json.dumps(self.Data, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise PermanentError(
                f"Data cannot be sent as JSON: {error}. Put text and numbers into it"
            ) from None
        plain = returned is None or isinstance(returned, str | int)
        return {
            "id": returned if plain else str(returned),
            "data": data,
            "reason": str(self.Reason or ""),
            "no_echo": bool(self.NoEcho),
        }


class _Ran(NamedTuple):
    """One run of a hook, and what of it the ledger may keep."""

    resource: Handled
    called: Callable[[Handler, dict[str, Any], Any, dict[str, Json]], Outcome]

    def call(self, run: Handler, event: dict[str, Any], data: dict[str, Json]) -> Outcome:
        """Call a function with what is in `Data` before it."""
        return self.called(run, event, self.resource.context, data)

    def step(self, name: str, function: _Function, event: dict[str, Any]) -> Outcome:
        """Run a function as one step, and return what it came to, now and whenever asked."""
        outcomes: list[Outcome] = []

        def call(_: Step) -> Outcome:
            try:
                return self._kept(self.call(function.run, event, {}), outcomes)
            except PermanentError as error:
                if isinstance(error.__cause__, OSError) and not function.again:
                    raise error.__cause__ from None  # of the network: it may have acted
                raise

        kept = outcome_of(self.resource.run_whole(name, call, again=function.again))
        return outcomes[0] if outcomes else kept

    def polled(
        self, poll: Handler, event: dict[str, Any], outcome: Outcome, every: float
    ) -> Outcome:
        """Poll until there is something; True keeps the id of what is waited for."""
        if outcome["data"] is None:
            return outcome
        before = {**outcome["data"], "PhysicalResourceId": outcome["id"]}
        outcomes: list[Outcome] = []

        def look() -> Outcome | None:
            data = copy.deepcopy(before)
            asked = {**copy.deepcopy(event), "CrHelperPoll": True, "CrHelperData": data}
            found = self.call(poll, asked, data)
            return self._kept(found, outcomes) if found["id"] else None

        kept: Any = self.resource.wait_until(look, every=every)
        found: Outcome = outcomes[0] if outcomes else kept
        if found["data"] is not None:
            found["data"].pop("PhysicalResourceId", None)
        named = found["id"] if is_an_id(found["id"]) else outcome["id"]
        return {**found, "id": named, "no_echo": found["no_echo"] or outcome["no_echo"]}

    def _kept(self, outcome: Outcome, outcomes: list[Outcome]) -> Outcome:
        """Return what the ledger may keep of what a function came to; `outcomes` gets all of it."""
        outcomes[:] = [outcome]
        if outcome["no_echo"] and not self.resource.may_keep_secrets:
            return {**outcome, "data": None}
        return outcome
