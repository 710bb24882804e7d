import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from support.external_api import ApiWithAccidents
from support.fast_clock import FastClock
from support.requests_of_cloudformation import Requests
from support.response_host import ResponseHost
from support.runtime_api import TESTS, Function


@pytest.fixture
def clock() -> FastClock:
    """The clock of the test's processes."""
    return FastClock(started=time.time(), speed=20)


@pytest.fixture
def bucket(clock: FastClock) -> Iterator[ResponseHost]:
    with ResponseHost(now=clock.now) as bucket:
        yield bucket


@pytest.fixture
def stack(bucket: ResponseHost) -> Callable[[str], Requests]:
    """Make stacks with one resource, of the type given."""
    return lambda resource_type: Requests(bucket, resource_type)


@pytest.fixture
def start(
    bucket: ResponseHost, clock: FastClock, tmp_path: Path
) -> Iterator[Callable[..., Function]]:
    """Start functions; every process is ended with the test."""
    with ExitStack() as functions:

        def start(
            handler: str,
            api: ApiWithAccidents,
            *,
            timeout: float = 6.0,
            environment: Mapping[str, str] | None = None,
            **options: Any,
        ) -> Function:
            function = Function(
                f"handlers.{handler}",
                task_root=Path(__file__).parent,
                scratch=tmp_path / "sandboxes",
                timeout=timeout,
                environment={
                    **clock.environment,
                    "PYTHONPATH": str(TESTS),
                    "API": api.url,
                    "CFN_ONCE_LEDGER": f"sqlite:///{tmp_path}/ledger.sqlite3",
                    "CFN_ONCE_RESPONSE_HOSTS": bucket.name,
                    **(environment or {}),
                },
                **options,
            )
            return functions.enter_context(function)

        yield start


@pytest.fixture
def api() -> Iterator[ApiWithAccidents]:
    with ApiWithAccidents(tokens=True) as api:
        yield api
