"""
What CloudFormation expects of every provider, as tests: after the registry's own `cfn test`.

Derive from `ProviderContract` in a test file, or name the provider on the command line:

    pytest --pyargs cfn_once.testing.contract --cfn-once-provider=my_module:provider \
        --cfn-once-properties='{"Name": "a"}' --cfn-once-changed='{"Name": "a", "Size": 2}'
"""

from collections.abc import Collection, Mapping
from itertools import count
from typing import Any, ClassVar
from unittest import SkipTest

from .._cloudformation.request import Json
from .._provider import Provider
from .answers import Answer
from .cloudformation import FakeCloudFormation
from .deployed import DeployedLambda
from .faults import Faults

Properties = Mapping[str, Json]
ID = "Resource"


class ProviderContract:
    """The tests; derive from it, and say what is tested.

    Attributes:
        provider: What is tested.
        properties: Those of a Create that succeeds.
        changed: Those of an Update in place; where there are none, its tests are skipped.
        replaced: Those of an Update that replaces the resource; the same.
        resource_type: Which type is tested, where the provider serves several.
    """

    provider: ClassVar[Provider | DeployedLambda]
    properties: ClassVar[Properties] = {}
    changed: ClassVar[Properties | None] = None
    replaced: ClassVar[Properties | None] = None
    resource_type: ClassVar[str | None] = None

    def stack(self) -> FakeCloudFormation:
        """Return a fresh stack; override it to give a ledger, a clock or a timeout."""
        return FakeCloudFormation(self.provider)

    def left_over(self) -> Collection[str]:
        """Return what lives on the far side; override it, so that each test checks that nothing
        is left.
        """
        return ()

    def setup_method(self) -> None:
        """Begin with a stack that holds nothing."""
        self.before = set(self.left_over())
        self.cloudformation = self.stack()

    def teardown_method(self) -> None:
        """Delete what is held, let late copies come, and look at what is left."""
        with self.cloudformation:
            answers = self.cloudformation.delete_stack()
            self.cloudformation.settle()
        left = sorted(set(self.left_over()) - self.before)

        assert [] == [one.reason for one in answers if not one.succeeded]
        assert [] == left, f"left over: {', '.join(left)}\n{self.cloudformation.story}"

    def create(self, **faults: Any) -> Answer:
        """Create the resource."""
        answer = self.cloudformation.create(
            ID, self.properties, resource_type=self.resource_type, **faults
        )

        assert answer.succeeded, f"the Create failed: {answer.reason}"
        return answer

    def in_process(self) -> None:
        """Skip the test where the provider is deployed: it cannot be stopped on the way."""
        if isinstance(self.provider, DeployedLambda):
            raise SkipTest("it needs the Provider itself, not a deployed function")

    def given(self, properties: Properties | None, name: str) -> Properties:
        """Return properties, or skip the test that needs them."""
        if properties is None:
            raise SkipTest(f"the contract is not told any {name} properties")
        return properties

    def test_create_create(self) -> None:
        """
        A Create that comes three times is answered with the same bytes: one thing was made.
        """
        self.create(times=3)

        assert 1 == len({answer.body for _, answer in self.cloudformation.answers})

    def test_create_at_once(self) -> None:
        """
        Two deliveries of a Create at the same time are answered with the same bytes.
        """
        self.create(at_once=2)

        assert 1 == len({answer.body for _, answer in self.cloudformation.answers})

    def test_create_late_copy(self) -> None:
        """
        A copy of the Create that comes after the Delete makes nothing, and is not told SUCCESS.
        """
        self.in_process()
        self.create(late=600)
        self.cloudformation.delete(ID)
        told = len(self.cloudformation.answers)
        self.cloudformation.settle()

        assert not any(one.succeeded for _, one in self.cloudformation.answers[told:])

    def test_create_answer_lost(self) -> None:
        """
        An answer that could not be delivered is told by Lambda's next delivery.
        """
        self.in_process()
        self.create(lost_answers=1)

    def test_create_delete(self) -> None:
        """
        What was created can be deleted, under the id that the Create answered.
        """
        created = self.create()
        deleted = self.cloudformation.delete(ID)

        assert deleted.succeeded, f"the Delete failed: {deleted.reason}"
        assert created.physical_resource_id == deleted.physical_resource_id

    def test_create_process_died(self) -> None:
        """
        A Create whose process dies, at whatever point, either goes on in Lambda's next delivery or
        is FAILED, and its Delete succeeds.
        """
        self.die_everywhere(crashes=1)

    def test_create_unanswered(self) -> None:
        """
        A Create of which each delivery dies, the first one at whatever point, is followed by a
        Delete of an id that CloudFormation invents: that succeeds, and nothing is left.
        """
        self.die_everywhere(crashes=3)

    def test_create_cancelled(self) -> None:
        """
        A Delete that comes while the Create still runs, with an id that CloudFormation invents,
        succeeds, and nothing is left.
        """
        self.in_process()
        try:
            answer = self.cloudformation.cancel_create(
                ID, self.properties, resource_type=self.resource_type
            )
        except AssertionError as error:
            if "makes no call" not in str(error):
                raise
            raise SkipTest("the Create makes no call during which it could be cancelled") from None

        assert answer.succeeded, f"the Delete failed: {answer.reason}"

    def test_update_update(self) -> None:
        """
        An Update in place that comes three times keeps the id, and answers every attribute that
        the Create did: Fn::GetAtt asks the last answer.
        """
        changed = self.given(self.changed, "changed")
        created = self.create()
        updated = self.cloudformation.update(ID, changed, times=3)

        assert updated.succeeded, f"the Update failed: {updated.reason}"
        assert created.physical_resource_id == updated.physical_resource_id
        assert set(created.data) <= set(updated.data)

    def test_update_create(self) -> None:
        """
        A copy of the Create that comes after an Update undoes nothing: it is told what the Create
        was told, or nothing.
        """
        self.in_process()
        changed = self.given(self.changed, "changed")
        created = self.create(late=60)
        updated = self.cloudformation.update(ID, changed)
        self.cloudformation.settle()
        told = {answer.body for _, answer in self.cloudformation.answers}

        assert updated.succeeded, f"the Update failed: {updated.reason}"
        assert told <= {created.body, updated.body}

    def test_update_no_op(self) -> None:
        """
        An Update that changes nothing keeps the id and the attributes.
        """
        created = self.create()
        updated = self.cloudformation.update(ID, self.properties)

        assert updated.succeeded, f"the Update failed: {updated.reason}"
        assert created.physical_resource_id == updated.physical_resource_id
        assert created.data == updated.data

    def test_update_replace(self) -> None:
        """
        A replacement has another id, and the clean-up removes the old resource alone: the new
        one can be deleted afterwards.
        """
        replaced = self.given(self.replaced, "replaced")
        created = self.create()
        updated = self.cloudformation.update(ID, replaced, times=2)

        assert updated.succeeded, f"the Update failed: {updated.reason}"
        assert created.physical_resource_id != updated.physical_resource_id
        assert [] == self.cloudformation.orphans

    def test_update_rollback(self) -> None:
        """
        An Update that is rolled back keeps the id, and answers the attributes of before.
        """
        changed = self.given(self.changed, "changed")
        created = self.create()
        back = self.cloudformation.update_and_roll_back(ID, changed)

        assert back.succeeded, f"the rollback failed: {back.reason}"
        assert created.physical_resource_id == back.physical_resource_id
        assert set(created.data) <= set(back.data)

    def test_replace_rollback(self) -> None:
        """
        A replacement that is rolled back removes what it had made; what it had replaced, or what
        is made in its place, can be deleted afterwards.
        """
        replaced = self.given(self.replaced, "replaced")
        self.create()
        back = self.cloudformation.update_and_roll_back(ID, replaced)

        assert back.succeeded, f"the rollback failed: {back.reason}"
        assert [] == self.cloudformation.orphans

    def test_update_without_create(self) -> None:
        """
        An Update of what was never created is answered under the id that it came with.
        """
        changed = self.given(self.changed, "changed")
        event = self.cloudformation.event(
            "Update",
            ID,
            changed,
            physical_resource_id="never-created",
            resource_type=self.resource_type,
        )
        event["OldResourceProperties"] = dict(event["ResourceProperties"], **self.properties)
        answer = self.cloudformation.deliver(event)

        assert answer is not None, "it was never answered"
        assert "never-created" == answer.physical_resource_id

    def test_delete_delete(self) -> None:
        """
        A Delete that comes three times, and one more under another RequestId, are all SUCCESS.
        """
        self.create()
        held = self.cloudformation.resources[ID]
        self.cloudformation.delete(ID, times=3)
        self.cloudformation.resources[ID] = held

        self.gone("when it is deleted again")

    def test_delete_without_create(self) -> None:
        """
        A Delete of what was never created, under an id that CloudFormation invented, is SUCCESS.
        """
        answer = self.cloudformation.deliver(self.last_delete())

        assert answer is not None, "it was never answered"
        assert answer.succeeded, f"the Delete failed: {answer.reason}"

    def test_delete_create(self) -> None:
        """
        What was deleted can be created again.
        """
        self.create()
        self.gone("the first time")
        self.create()

    def test_unknown_type(self) -> None:
        """
        A type that the provider does not serve is FAILED, and its Delete succeeds.
        """
        answer = self.cloudformation.create(ID, {}, resource_type="Custom::NoSuchType")

        assert not answer.succeeded
        assert ID not in self.cloudformation.resources

    def test_stack_recreated(self) -> None:
        """
        A stack that is made again under the same name is another stack, with other resources.
        """
        self.create()
        self.cloudformation.recreate_stack()
        self.create()

    def die_everywhere(self, crashes: int) -> None:
        """Create and delete, with a crash at every point that the Create has."""
        self.in_process()
        for point in count():
            befalls: Faults = {"crash_at": point, "crashes": crashes}
            try:
                self.cloudformation.create(
                    ID, self.properties, resource_type=self.resource_type, **befalls
                )
            except AssertionError as error:
                if "there is no point" not in str(error):
                    raise
                break  # it has lived, and there is no further point
            self.gone(f"after a crash at point {point}")
        stray = self.cloudformation.deliver(self.last_delete())

        assert stray is not None
        assert stray.succeeded, f"the last Delete failed: {stray.reason}"

    def gone(self, when: str) -> None:
        """Delete what is held, if anything is."""
        if ID in self.cloudformation.resources:
            answer = self.cloudformation.delete(ID)
            assert answer.succeeded, f"the Delete failed {when}: {answer.reason}"

    def last_delete(self) -> dict[str, Any]:
        """Return a Delete with an id that nobody has handed out."""
        return self.cloudformation.event(
            "Delete",
            ID,
            self.properties,
            physical_resource_id="stack-Resource-1A2B3C4D5E6F",
            resource_type=self.resource_type,
        )


class TestProvider(ProviderContract):
    """The provider that the command line names, or pytest's ini file."""
