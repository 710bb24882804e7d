"""The contract suite: a provider that keeps it, some that break it, and both ways to run it."""

import pytest

from cfn_once import CustomResource, Provider
from cfn_once.testing import FakeCloudFormation
from cfn_once.testing.contract import ProviderContract

pytest_plugins = ["pytester"]

LIVE: dict[str, str] = {}


class Group(CustomResource[dict, dict]):
    """One object, looked up when in doubt."""

    replace_on = ()

    def create(self):
        self.physical_resource_id = self.step("group", self.make, find=self.find)
        return {"Id": self.physical_resource_id}

    def make(self, step):
        LIVE[step.token] = f"g-{step.token}"
        return LIVE[step.token]

    def find(self, step):
        return LIVE.get(step.token)

    def replaces(self):
        return "Name" in self.changed

    def update(self):
        return {"Id": self.physical_resource_id}

    def delete(self):
        self.step("remove", self.remove, repeat=True)

    def remove(self, step):
        for token, name in list(LIVE.items()):
            if name == self.physical_resource_id:
                del LIVE[token]


class TestGroup(ProviderContract):
    """A provider that keeps the contract, and leaves nothing behind."""

    provider = Provider(Group, ledger="memory://")
    properties = {"Name": "a"}
    changed = {"Name": "a", "Size": 2}
    replaced = {"Name": "b"}

    def left_over(self):
        return LIVE.values()


class TestGroupOverHttp(TestGroup):
    """The same, over HTTP."""

    def stack(self):
        return FakeCloudFormation(self.provider, over_http=True)


PROVIDERS = """
from cfn_once import CustomResource, Provider


class Good(CustomResource[dict, dict]):
    def replaces(self):
        return "Name" in self.changed

    def create(self):
        return {"A": 1, "B": 2}

    def update(self):
        return {"A": 1, "B": 2}

    def delete(self):
        pass


class Forgetful(Good):
    resource_type = "Custom::Forgetful"

    def update(self):
        return {"A": 1}


class Fragile(Good):
    resource_type = "Custom::Fragile"
    gone = []

    def create(self):
        self.physical_resource_id = self.step("make", lambda step: step.token, find=lambda s: None)

    def delete(self):
        if self.physical_resource_id in self.gone:
            raise RuntimeError("there is no such thing")
        self.gone.append(self.physical_resource_id)
        raise RuntimeError("come again")


provider = Provider(Good, Forgetful, Fragile, ledger="memory://")
"""
CONTRACT = ("--pyargs", "cfn_once.testing.contract", "-p", "no:cacheprovider")
TOLD = (
    "--cfn-once-provider=providers:provider",
    '--cfn-once-properties={"Name": "a"}',
    '--cfn-once-changed={"Name": "a", "Size": 2}',
)


@pytest.fixture
def run(pytester):
    pytester.makepyfile(providers=PROVIDERS)
    return pytester.runpytest


@pytest.mark.parametrize(
    ("kind", "failed"),
    [
        ("Good", []),
        ("Forgetful", ["test_update_update"]),
        ("Fragile", ["test_create_delete", "test_delete_delete", "test_create_unanswered"]),
    ],
)
def test_on_the_command_line(run, kind, failed):
    """
    A provider is named by module and name; what breaks the contract fails by the test's name.
    """
    result = run(*CONTRACT, *TOLD, f"--cfn-once-resource-type=Custom::{kind}")
    lines = [line for line in result.outlines if line.startswith("FAILED ")]

    assert bool(failed) == bool(lines)
    assert [] == [name for name in failed if not any(f"::{name} " in line for line in lines)]


def test_from_the_ini_file(run, pytester):
    """
    All that can be said on the command line can be said in the ini file, properties in a file too;
    what is not told of is skipped, with the reason.
    """
    (pytester.path / "a.json").write_text('{"Name": "a"}')
    pytester.makeini(
        "[pytest]\n"
        "cfn_once_provider = providers:provider\n"
        "cfn_once_properties = @a.json\n"
        "cfn_once_resource_type = Custom::Good\n"
    )
    result = run(*CONTRACT, "-rs")

    assert 0 == result.ret
    result.stdout.fnmatch_lines(["*the contract has no changed properties*"])
    result.stdout.fnmatch_lines(["*the contract has no replaced properties*"])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), "*name what the contract is to test: --cfn-once-provider=my_module:provider*"),
        (("--cfn-once-provider=nowhere:provider",), "*nowhere:provider: No module named*"),
        (("--cfn-once-provider=providers:nobody",), "*has no attribute 'nobody'*"),
        ((*TOLD, "--cfn-once-properties={"), "*--cfn-once-properties: Expecting*"),
        ((*TOLD, "--cfn-once-properties=[]"), "*--cfn-once-properties: it must be a map*"),
        ((*TOLD, "--cfn-once-properties=@no.json"), "*--cfn-once-properties: *No such file*"),
    ],
)
def test_what_cannot_be_run(run, arguments, text):
    """
    Options that are wrong are said to be, and no test runs.
    """
    result = run(*CONTRACT, *arguments)

    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines([text])


def test_properties_that_are_refused(run):
    """
    A Create that fails says why.
    """
    result = run(*CONTRACT, "--cfn-once-provider=providers:provider", "-k", "create_delete")

    result.stdout.fnmatch_lines(["*name the resource_type: the provider serves*"])
