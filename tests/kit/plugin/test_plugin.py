"""The pytest plugin, as a user's tests meet it: each story is a test run of its own."""

import subprocess
import sys
import textwrap

import pytest

pytest_plugins = ["pytester"]

PROVIDER = """
from cfn_once import CustomResource, Provider

live, asked = {}, []


class Group(CustomResource[dict, dict]):
    replace_on = ()

    def create(self):
        made = self.step("group", self.make, find=lambda step: live.get(step.token))
        self.physical_resource_id = made
        return {"Id": made}

    def make(self, step):
        asked.append(step.token)
        live[step.token] = f"g-{len(asked)}"
        return live[step.token]

    def update(self):
        return {"Id": self.physical_resource_id}

    def delete(self):
        if self.raw_properties.get("Stuck"):
            raise RuntimeError("still in use")
        for token, name in list(live.items()):
            if name == self.physical_resource_id:
                live.pop(token)


provider = Provider(Group, ledger="memory://")
"""


@pytest.fixture
def run(pytester):
    """Runs a test file beside a provider, with a fresh import of both."""
    pytester.makepyfile(my_provider=PROVIDER)
    pytester.syspathinsert()

    def run(text, *arguments):
        text = textwrap.dedent(text)
        pytester.makepyfile(test_it=f"import pytest\nfrom my_provider import *\n{text}")
        return pytester.runpytest("-p", "no:cacheprovider", *arguments)

    return run


def test_a_stack_of_ones_own(run):
    """
    `cloudformation(provider)` makes a stack, which is deleted when the test is over.
    """
    result = run(
        """
        def test_one(cloudformation):
            stack = cloudformation(provider)
            assert "g-1" == stack.create("Group").physical_resource_id
            assert 1 == len(live)

        def test_two():
            assert {} == live
        """
    )

    result.assert_outcomes(passed=2)


def test_stacks_share_a_ledger_and_a_clock(run):
    """
    Two stacks of a test share the ledger, which the test may look at, and the time.
    """
    result = run(
        """
        def test_one(cloudformation, ledger):
            first, second = cloudformation(provider), cloudformation(provider)
            first.wait(100)
            assert first.clock is second.clock
            assert first.ledger is second.ledger is ledger
            for stack in (first, second):
                stack.create("Group")
            assert 2 == len(live)
        """
    )

    result.assert_outcomes(passed=1)


def test_a_marker_for_faults(run):
    """
    The marker's faults befall every operation of the test; the nearer marker adds to the outer.
    """
    result = run(
        """
        pytestmark = pytest.mark.cfn_once(times=3)

        @pytest.mark.cfn_once(crash_after="group")
        def test_one(cloudformation):
            stack = cloudformation(provider)
            stack.create("Group")
            assert 3 == stack.deliveries
            assert "Crashed: group" in stack.story
            assert 1 == len(asked)
        """,
        "--strict-markers",
    )

    result.assert_outcomes(passed=1)


def test_a_marker_of_a_call_that_is_never_made(run):
    """
    A call's name in the marker that no operation made is misspelt: the test fails.
    """
    result = run(
        """
        @pytest.mark.cfn_once(crash_after="grop")
        def test_one(cloudformation):
            cloudformation(provider).create("Group")
        """
    )

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*the marker cfn_once names a call of grop; there were: group*"])


@pytest.mark.parametrize(
    ("marker", "text"),
    [("tiems=2", "*no such fault: tiems; there are times, *"), ("2", "*cfn_once takes names*")],
)
def test_a_marker_that_is_wrong(run, marker, text):
    """
    A fault that there is none of names those that there are.
    """
    result = run(
        f"""
        @pytest.mark.cfn_once({marker})
        def test_one(cloudformation):
            cloudformation(provider).create("Group")
        """
    )

    assert 0 != result.ret
    result.stdout.fnmatch_lines([text])


def test_a_resource_that_cannot_be_deleted(run):
    """
    What the stack still holds after its Delete is left over.
    """
    result = run(
        """
        def test_one(cloudformation):
            cloudformation(provider).create("Group", {"Stuck": True})
        """
    )

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*Group is left over under g-1: its Delete says still in use*"])


def test_a_request_without_answer(run):
    """
    A request that was delivered and never answered is named.
    """
    result = run(
        """
        from cfn_once.testing import Crashed

        def test_one(cloudformation):
            stack = cloudformation(provider)
            with pytest.raises(Crashed):
                stack.send(stack.event("Create", "Group"), crash_after="group")

        def test_two(cloudformation):
            stack = cloudformation(provider)
            create = stack.event("Create", "Group")
            with pytest.raises(Crashed):
                stack.send(create, crash_after="group")
            stack.deliver(create)
            stack.deliver(stack.event("Delete", "Group", physical_resource_id="g-2"))
        """
    )

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*the Create of Group is not answered*"])


def test_a_late_copy_comes_at_the_end(run):
    """
    A copy that is late comes after the stack is gone, even where the test does not wait for it.
    """
    result = run(
        """
        stacks = []

        def test_one(cloudformation):
            stacks.append(cloudformation(provider))
            stacks[0].create("Group", late=600)

        def test_two():
            assert {} == live
            assert 1 == len(asked)
            assert stacks[0].story.splitlines()[-1].endswith("Create of Group is delivered")
        """
    )

    result.assert_outcomes(passed=2)


def test_a_test_that_failed_fails_once(run):
    """
    What a failed test leaves over is no second error.
    """
    result = run(
        """
        def test_one(cloudformation, fake_api):
            fake_api.create({"Name": "a"})
            cloudformation(provider).create("Group", {"Stuck": True})
            assert False
        """
    )

    result.assert_outcomes(failed=1)


@pytest.mark.parametrize("arguments", ["cloudformation, fake_api", "fake_api, cloudformation"])
def test_an_object_that_is_left_over(run, arguments):
    """
    What still lives on the API after all stacks are deleted is named, in whatever order the
    test asks for them.
    """
    result = run(
        f"""
        class Thing(CustomResource[dict, dict]):
            def create(self):
                self.physical_resource_id = self.step(
                    "thing", lambda step: api[0].create({{"Name": "kept"}}), window=None, once=True
                )

            def delete(self):
                if self.raw_properties.get("Forgets") != "true":
                    self.step("gone", self.remove, repeat=True)

            def remove(self, step):
                api[0].delete(self.physical_resource_id)

        things, api = Provider(Thing, ledger="memory://"), []

        @pytest.mark.parametrize("forgets", [False, True])
        def test_one({arguments}, forgets):
            api[:] = [fake_api]
            cloudformation(things).create("Thing", {{"Forgets": forgets}})
            assert 1 == len(fake_api.objects)
        """
    )

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*an object is left over: *'Name': 'kept'*"])


def test_pytest_starts_without_the_kit(pytester):
    """
    Who does not use the kit does not pay for it: pytest's start loads the names alone.
    """
    pytester.makepyfile(
        """
        import sys

        def test_one():
            kit = {name for name in sys.modules if name.startswith("cfn_once.testing")}
            assert {"cfn_once.testing", "cfn_once.testing._plugin"} == kit
            assert not {"boto3", "requests", "greenlet", "msgspec"} & set(sys.modules)
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")

    result.assert_outcomes(passed=1)


def test_it_is_installed(tmp_path):
    """
    The plugin tells of its marker, its options and its fixtures.
    """
    told = [
        subprocess.run(
            [sys.executable, "-m", "pytest", option, "-q", "-p", "no:cacheprovider"],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        ).stdout
        for option in ("--markers", "--help", "--fixtures")
    ]

    assert "@pytest.mark.cfn_once(**faults)" in told[0]
    assert "--cfn-once-provider" in told[1]
    assert "cfn_once_properties" in told[1]
    assert [] == [name for name in ("cloudformation", "fake_api", "ledger") if name not in told[2]]
