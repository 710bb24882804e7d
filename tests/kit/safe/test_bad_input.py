"""What cannot be explored is refused, and says why; nothing hangs."""

import random
import re
import time

import pytest

from cfn_once import CustomResource, Provider
from cfn_once.testing import FakeApi, assert_safe

api = FakeApi(tokens=False)


class Group(CustomResource[dict[str, str], None]):
    resource_type = "Custom::Group"

    def create(self):
        self.physical_resource_id = self.step(
            "group",
            lambda step: api.create({"token": step.token}),
            find=lambda step: api.find(token=step.token),
        )

    def delete(self):
        self.step("remove", lambda step: api.delete(self.physical_resource_id), repeat=True)


def refusal_of(scenario, external_api=api, *, of=Group, **options):
    with pytest.raises((AssertionError, TypeError, ValueError)) as refused:
        assert_safe(Provider(of, ledger="memory://"), scenario, external_api, **options)
    return re.sub(" +", " ", str(refused.value))


def test_a_type_that_nobody_serves():
    """The answer of the provider is told."""

    def life(stack):
        stack.create("Group", {}, resource_type="Custom::Gruop")

    told = refusal_of(life)

    assert "the Create is FAILED, though no fault happens" in told
    assert "Custom::Group, not Custom::Gruop" in told


def test_a_provider_without_a_ledger(monkeypatch, tmp_path):
    """It is given one in memory."""
    monkeypatch.chdir(tmp_path)
    api.reset()

    checked = assert_safe(Provider(Group), {}, api)

    assert checked.complete


def test_a_scenario_that_leaves_its_resource():
    """What is left is only known when all is deleted."""
    told = refusal_of(lambda stack: stack.create("Group", {}))

    assert "the scenario leaves Group in the stack: end it with stack.delete(...)" in told


def test_a_delete_that_removes_nothing():
    """That is no fault of Lambda's."""

    class Careless(Group):
        def delete(self):
            pass

    told = refusal_of({}, of=Careless)

    assert "1 object is there when all is deleted, where there should be 0" in told
    assert "delete does not remove what create has made" in told


def test_a_scenario_with_faults_of_its_own():
    """Which fault befalls it is assert_safe's choice."""
    told = refusal_of(lambda stack: stack.create("Group", {}, times=2))

    assert "brings no faults of its own: times" in told


@pytest.mark.parametrize(
    ("external_api", "says"),
    [
        (FakeApi(), "the scenario makes nothing on the external API"),
        ({}, "the external API has no objects, reset"),
    ],
)
def test_another_external_api(external_api, says):
    """The external API must be the one that the hooks call, or nothing is proven."""
    assert says in refusal_of({}, external_api)


def test_no_provider():
    """A handler alone cannot be driven."""
    with pytest.raises(TypeError, match="assert_safe drives a Provider"):
        assert_safe(lambda event, context: None, {}, api)


def test_a_limit():
    """What is left out is told."""
    api.reset()

    checked = assert_safe(Provider(Group, ledger="memory://"), {}, api, limit=20)

    assert 20 == checked.runs
    assert not checked.complete


def test_a_hook_that_hangs_when_it_runs_again():
    """The watchdog ends it, and tells the story so far and the place."""
    runs = []

    class Hanging(Group):
        def create(self):
            super().create()
            runs.append(self.request)
            while len(runs) > 3:
                pass

    told = refusal_of({}, of=Hanging, watchdog=0.3)

    assert "a hook hangs in the Create of Resource" in told
    assert "while len(runs) > 3:" in told
    assert "Create 1 the process dies" in told


def test_a_hook_that_hangs_and_lets_nobody_stop_it():
    """It swallows the watchdog's alarm, and is told of all the same, once it has ended."""

    class Stubborn(Group):
        resource_type = "Custom::Stubborn"

        def create(self):
            try:
                time.sleep(30)
            except BaseException:
                pass

    told = refusal_of({}, None, of=Stubborn, watchdog=0.2)

    assert "a hook hangs in the Create" in told
    assert "time.sleep(30)" in told


@pytest.mark.parametrize("seed", range(4))
def test_a_hook_that_follows_chance(seed):
    """It makes another number of steps each time: that is what is told, and not a consequence."""
    chance = random.Random(seed)

    class Chance(Group):
        resource_type = "Custom::Chance"

        def create(self):
            super().create()
            for number in range(chance.randrange(9)):
                self.step(f"extra{number}", lambda step: None, repeat=True)

    told = refusal_of({}, of=Chance)

    assert "when it runs again" in told or "when they run again" in told


def test_a_limit_that_leaves_nothing_to_try():
    """Two runs are without a fault."""
    assert "limit is 3 runs at least" in refusal_of({}, limit=2)
