r"""
What CloudFormation expects of every provider, as tests: after the registry's own `cfn test`.

Derive from `ProviderContract` in a test file, or name the provider on the command line:

    pytest --pyargs cfn_once.testing.contract --cfn-once-provider=my_module:provider \
        --cfn-once-properties='{"Name": "a"}' --cfn-once-changed='{"Name": "a", "Size": 2}'
"""

from collections.abc import Collection, Mapping
from itertools import count
from typing import Any, ClassVar
from unittest import SkipTest

from .._cloudformation.canonical import Json
from .._hooks.definition import EVERY_TYPE
from .._provider import Provider
from .answers import Answer
from .cloudformation import FakeCloudFormation
from .functions import DeployedLambda

__all__ = ["ProviderContract"]

Properties = Mapping[str, Json]
ID = "Resource"


class ProviderContract:
    """The tests; derive from it, and say what is tested. Tests without properties are skipped.

    Attributes:
        provider: The one that is tested.
        properties: Of a Create that succeeds.
        allow_in_doubt: What a response names as in doubt may be left.
        changed: Of an Update in place.
        replaced: Of an Update that replaces the resource.
        resource_type: Where the provider serves several.
    """

    provider: ClassVar[Provider | DeployedLambda]
    properties: ClassVar[Properties] = {}
    allow_in_doubt: ClassVar[bool] = False
    changed: ClassVar[Properties | None] = None
    replaced: ClassVar[Properties | None] = None
    resource_type: ClassVar[str | None] = None

    def stack(self) -> FakeCloudFormation:
        """Return a fresh stack; override it to give a ledger, a clock or a timeout."""
        return FakeCloudFormation(self.provider)

    def left_over(self) -> Collection[str]:
        """Return what lives on the external API; override it, so that nothing may be left of it."""
        return ()

    def setup_method(self) -> None:
        self.before = set(self.left_over())
        self.cloudformation = self.stack()

    def teardown_method(self) -> None:
        """Delete what is held, let late copies come, and look at what is left."""
        with self.cloudformation:
            answers = self.cloudformation.delete_stack()
            self.cloudformation.settle()
        left = sorted(set(self.left_over()) - self.before)

        assert [] == [answer.reason for answer in answers if not answer.succeeded]
        if self.allow_in_doubt and any(
            "in doubt: " in a.reason for _, a in self.cloudformation.answers
        ):
            return  # it is named, and cannot be found
        assert [] == left, f"left over: {', '.join(left)}\n{self.cloudformation.story}"

    def create(self, **faults: Any) -> Answer:
        return succeeded(self.try_to_create(**faults), "the Create failed")

    def try_to_create(self, **faults: Any) -> Answer:
        kind = self.resource_type
        return self.cloudformation.create(ID, self.properties, resource_type=kind, **faults)

    def update(self, properties: Properties, **faults: Any) -> Answer:
        return succeeded(self.cloudformation.update(ID, properties, **faults), "the Update failed")

    def in_process(self) -> None:
        """Skip the test where the provider is deployed: it cannot be stopped on the way."""
        if isinstance(self.provider, DeployedLambda):
            raise SkipTest("it needs the Provider itself, not a deployed function")

    def given(self, properties: Properties | None, name: str) -> Properties:
        """Return properties, or skip the test that needs them."""
        if properties is None:
            raise SkipTest(f"the contract has no {name} properties")
        return properties

    def bodies(self) -> set[bytes]:
        return {answer.body for _, answer in self.cloudformation.answers}

    def test_create_create(self) -> None:
        """A Create that comes three times has one answer, byte for byte: one thing was made."""
        self.create(times=3)

        assert 1 == len(self.bodies())

    def test_create_at_once(self) -> None:
        """Two deliveries of a Create at the same time are answered with the same bytes."""
        self.create(at_once=2)

        assert 1 == len(self.bodies())

    def test_create_late_copy(self) -> None:
        """A duplicate of the Create after the Delete makes nothing, and gets no SUCCESS."""
        self.in_process()
        self.create(late=600)
        self.cloudformation.delete(ID)
        before = len(self.cloudformation.answers)
        self.cloudformation.settle()

        assert not any(answer.succeeded for _, answer in self.cloudformation.answers[before:])

    def test_create_answer_lost(self) -> None:
        """Lambda's next delivery sends a response that could not be delivered."""
        self.in_process()
        self.create(lost_answers=1)

    def test_create_delete(self) -> None:
        """What was created can be deleted, under the id that the Create answered."""
        created = self.create()
        deleted = succeeded(self.cloudformation.delete(ID), "the Delete failed")

        assert created.physical_resource_id == deleted.physical_resource_id

    def test_create_process_died(self) -> None:
        """A Create whose process dies at any point goes on or is FAILED; its Delete succeeds."""
        self.die_everywhere(crashes=1)

    def test_create_unanswered(self) -> None:
        """A Create whose deliveries all die, the first at any point, leaves nothing after the
        Delete that follows, which has an id that CloudFormation invents.
        """
        self.die_everywhere(crashes=3)

    def test_create_cancelled(self) -> None:
        """A Delete over a running Create, with an invented id, succeeds, and nothing is left."""
        self.in_process()
        try:
            answer = self.cloudformation.cancel_create(
                ID, self.properties, resource_type=self.resource_type
            )
        except AssertionError as error:
            if "makes no call" not in str(error):
                raise
            raise SkipTest("the Create makes no call during which it could be cancelled") from None
        succeeded(answer, "the Delete failed")

    def test_update_update(self) -> None:
        """An Update in place keeps the id, and answers every attribute that the Create did."""
        changed, created = self.given(self.changed, "changed"), self.create()
        updated = self.update(changed, times=3)

        assert created.physical_resource_id == updated.physical_resource_id
        assert set(created.data) <= set(updated.data)

    def test_update_create(self) -> None:
        """A duplicate of the Create after an Update gets the Create's response, or nothing."""
        self.in_process()
        changed, created = self.given(self.changed, "changed"), self.create(late=60)
        updated = self.update(changed)
        self.cloudformation.settle()

        assert self.bodies() <= {created.body, updated.body}

    def test_update_no_op(self) -> None:
        """An Update that changes nothing keeps the id and the attributes."""
        created, updated = self.create(), self.update(self.properties)

        assert created.physical_resource_id == updated.physical_resource_id
        assert created.data == updated.data

    def test_update_replace(self) -> None:
        """A replacement has another id, and its clean-up removes the old resource alone."""
        replaced, created = self.given(self.replaced, "replaced"), self.create()
        updated = self.update(replaced, times=2)

        assert created.physical_resource_id != updated.physical_resource_id
        assert [] == self.cloudformation.orphans

    def test_update_rollback(self) -> None:
        """An Update that is rolled back keeps the id, and answers the attributes of before."""
        changed, created = self.given(self.changed, "changed"), self.create()
        back = self.cloudformation.update_and_roll_back(ID, changed)
        succeeded(back, "the rollback failed")

        assert created.physical_resource_id == back.physical_resource_id
        assert set(created.data) <= set(back.data)

    def test_replace_rollback(self) -> None:
        """A replacement that is rolled back removes what it had made, and nothing else."""
        replaced = self.given(self.replaced, "replaced")
        self.create()
        back = self.cloudformation.update_and_roll_back(ID, replaced)
        succeeded(back, "the rollback failed")

        assert [] == self.cloudformation.orphans

    def test_update_without_create(self) -> None:
        """An Update of what was never created is answered under the id that it came with."""
        changed = self.given(self.changed, "changed")
        event = self.stray("Update", changed, "never-created")
        event["OldResourceProperties"] = dict(event["ResourceProperties"], **self.properties)
        answer = self.cloudformation.deliver(event)

        assert answer is not None, "it was never answered"
        assert "never-created" == answer.physical_resource_id

    def test_delete_delete(self) -> None:
        """A Delete that comes three times, and one more under another RequestId, are SUCCESS."""
        self.create()
        held = self.cloudformation.resources[ID]
        self.cloudformation.delete(ID, times=3)
        self.cloudformation.resources[ID] = held

        self.gone("when it is deleted again")

    def test_delete_without_create(self) -> None:
        """A Delete of what was never created, under an invented id, is SUCCESS."""
        self.delete_stray("the Delete failed")

    def test_delete_create(self) -> None:
        """What was deleted can be created again."""
        self.create()
        self.gone("the first time")
        self.create()

    def test_unknown_type(self) -> None:
        """A type that the provider does not serve is FAILED, and its Delete succeeds."""
        if EVERY_TYPE in getattr(self.provider, "resource_types", ()):
            raise SkipTest("it serves every type")
        answer = self.cloudformation.create(ID, {}, resource_type="Custom::NoSuchType")

        assert not answer.succeeded
        assert ID not in self.cloudformation.resources

    def test_stack_recreated(self) -> None:
        """A stack that is made again under the same name has other resources."""
        self.create()
        self.cloudformation.recreate_stack()
        self.create()

    def die_everywhere(self, crashes: int) -> None:
        """Create and delete, with a crash at every point that the Create has."""
        self.in_process()
        for point in count():
            try:
                self.try_to_create(crash_at=point, crashes=crashes)
            except AssertionError as error:
                if "there is no point" not in str(error):
                    raise
                break  # it has lived, and there is no further point
            self.gone(f"after a crash at point {point}")
        self.delete_stray("the last Delete failed")

    def gone(self, when: str) -> None:
        if ID in self.cloudformation.resources:
            succeeded(self.cloudformation.delete(ID), f"the Delete failed {when}")

    def delete_stray(self, failed: str) -> None:
        """Delete under an id that nobody has handed out."""
        stray = self.stray("Delete", self.properties, "stack-Resource-1A2B3C4D5E6F")
        answer = self.cloudformation.deliver(stray)

        assert answer is not None, "it was never answered"
        succeeded(answer, failed)

    def stray(self, request_type: str, properties: Properties, name: str) -> dict[str, Any]:
        """Return a request about an id that this stack does not hold."""
        kind = self.resource_type
        return self.cloudformation.event(
            request_type, ID, properties, physical_resource_id=name, resource_type=kind
        )


class TestProvider(ProviderContract):
    """The provider that the command line names, or pytest's ini file."""


def succeeded(answer: Answer, failed: str) -> Answer:
    """Return an answer that is SUCCESS."""
    assert answer.succeeded, f"{failed}: {answer.reason}"
    return answer
