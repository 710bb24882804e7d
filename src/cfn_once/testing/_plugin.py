"""
The pytest plugin: fixtures, a marker for faults, and a teardown that looks at what is left.

pytest loads it at every start, so it imports the kit where a test asks for it, and not before.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from ..ledger import MemoryStore
    from .api import FakeApi
    from .clock import VirtualClock
    from .cloudformation import FakeCloudFormation

MARKER = "cfn_once(**faults): faults of every operation of the test, such as times=2"
CONTRACT = "cfn_once.testing.contract"
OPTIONS = {
    "provider": "the provider that cfn_once.testing.contract tests, as module:name",
    "properties": "the properties of its resource, as JSON, or @ and a file with JSON",
    "changed": "those of an Update in place",
    "replaced": "those of an Update that replaces it",
    "resource_type": "the type of its resource, where it serves several",
}
_passed = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the contract's options from the command line or the ini file."""
    group = parser.getgroup("cfn-once", "cfn-once: the contract suite")
    for name, text in OPTIONS.items():
        group.addoption(f"--cfn-once-{name.replace('_', '-')}", help=text)
        parser.addini(f"cfn_once_{name}", text)


def pytest_configure(config: pytest.Config) -> None:
    """Tell of the marker, and let the contract's assertions say what they compared."""
    config.addinivalue_line("markers", MARKER)
    if CONTRACT not in sys.modules:
        pytest.register_assert_rewrite(CONTRACT)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give the contract the provider that was named."""
    for contract in {getattr(item, "cls", None) for item in items}:
        if contract is not None and contract.__module__ == CONTRACT:
            _tell_the_contract(config, contract)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Remember how the test went: what a failed one leaves over is not worth a second error."""
    report = yield
    if report.when == "call":
        item.stash[_passed] = report.passed
    return report


@pytest.fixture
def ledger() -> MemoryStore:
    """Return the ledger that all stacks of the test share."""
    from ..ledger import MemoryStore

    return MemoryStore()


@pytest.fixture
def _cfn_once_clock() -> VirtualClock:
    """Return the clock of the test, for its stacks and its external API."""
    from .clock import VirtualClock

    return VirtualClock()


@pytest.fixture
def fake_api(request: pytest.FixtureRequest, _cfn_once_clock: VirtualClock) -> Iterator[FakeApi]:
    """Serve an external API; what lives there when the test is over fails it."""
    from .api import FakeApi

    api = FakeApi(clock=_cfn_once_clock)
    yield api
    left = [f"an object is left over: {name}: {held}" for name, held in api.objects.items()]
    api.close()
    _fail_where(left, request)


@pytest.fixture
def cloudformation(
    request: pytest.FixtureRequest, ledger: MemoryStore, _cfn_once_clock: VirtualClock
) -> Iterator[Callable[..., FakeCloudFormation]]:
    """Make stacks: `cloudformation(provider)`, with the options of `FakeCloudFormation`.

    When the test is over each stack is deleted, late copies come, and whatever is then left over
    or unanswered fails the test.
    """
    from .cloudformation import FakeCloudFormation

    if "fake_api" in request.fixturenames:
        request.getfixturevalue("fake_api")  # made before us, so it looks after us at what is left
    faults, stacks = _faults(request.node), list[FakeCloudFormation]()

    def make(provider: Any, **options: Any) -> FakeCloudFormation:
        number = f"-{len(stacks) + 1}" if stacks else ""
        usual = {"ledger": ledger, "clock": _cfn_once_clock, "faults": faults}
        named = {"stack_name": f"stack{number}", **options}
        stacks.append(FakeCloudFormation(provider, **{**usual, **named}))
        return stacks[-1]

    yield make
    try:
        if request.node.stash.get(_passed, False):
            left = [problem for stack in stacks for problem in _left_over(stack)]
            _fail_where([*left, *_never_called(faults, stacks)], request)
    finally:
        for stack in stacks:
            stack.close()


def _left_over(stack: FakeCloudFormation) -> Iterator[str]:
    """Delete a stack, and yield what is wrong then."""
    yield from (f"{named} is not answered" for named in stack.unanswered)
    for logical_id in reversed(list(stack.resources)):
        answer = stack.delete(logical_id)
        if not answer.succeeded:
            held = answer.physical_resource_id
            yield f"{logical_id} is left over under {held}: its Delete says {answer.reason}"
    stack.settle()
    for orphan in stack.orphans:
        yield f"{orphan.physical_resource_id} is left over: its clean-up failed three times"


def _never_called(faults: dict[str, Any], stacks: list[FakeCloudFormation]) -> Iterator[str]:
    """Yield the calls that the marker names and nobody has made: they are misspelt."""
    from .faults import FaultPlan

    made = {name for stack in stacks for name in stack.calls}
    for name in sorted(FaultPlan.of(faults).calls - made):
        there_were = ", ".join(sorted(made)) or "none"
        yield f"the marker cfn_once names a call of {name}; there were: {there_were}"


def _fail_where(problems: list[str], request: pytest.FixtureRequest) -> None:
    if problems and request.node.stash.get(_passed, False):
        pytest.fail("\n".join(problems), pytrace=False)


def _faults(node: pytest.Item) -> dict[str, Any]:
    """Return what the markers say, the nearest one last."""
    faults: dict[str, Any] = {}
    for marker in reversed(list(node.iter_markers("cfn_once"))):
        if marker.args:
            raise pytest.UsageError(f"{node.nodeid}: the marker cfn_once takes names: times=2")
        faults |= marker.kwargs
    return faults


def _tell_the_contract(config: pytest.Config, contract: Any) -> None:
    """Set what the options say."""
    names = {name: f"cfn_once_{name}" for name in OPTIONS}
    said = {key: config.getoption(name) or config.getini(name) for key, name in names.items()}
    if not said["provider"]:
        raise pytest.UsageError(
            "name what the contract is to test: --cfn-once-provider=my_module:provider, or"
            " cfn_once_provider in the ini file"
        )
    contract.provider = _provider(config, said["provider"])
    contract.resource_type = said["resource_type"] or None
    contract.properties = _properties(config, "properties", said["properties"]) or {}
    contract.changed = _properties(config, "changed", said["changed"])
    contract.replaced = _properties(config, "replaced", said["replaced"])


def _provider(config: pytest.Config, place: str) -> Any:
    module, _, name = place.partition(":")
    folder = str(config.invocation_params.dir)
    if folder not in sys.path:  # as `python -m pytest` does
        sys.path.insert(0, folder)
    try:
        return getattr(import_module(module), name or "provider")
    except (ImportError, AttributeError, ValueError) as error:
        raise pytest.UsageError(f"--cfn-once-provider={place}: {error}") from error


def _properties(config: pytest.Config, name: str, text: str) -> dict[str, Any] | None:
    if not text:
        return None
    try:
        if text.startswith("@"):
            text = Path(config.invocation_params.dir, text[1:]).read_text(encoding="utf-8")
        properties = json.loads(text)
    except (OSError, ValueError) as error:
        raise pytest.UsageError(f"--cfn-once-{name}: {error}") from error
    if not isinstance(properties, dict):
        raise pytest.UsageError(f"--cfn-once-{name}: it must be a map")
    return properties
