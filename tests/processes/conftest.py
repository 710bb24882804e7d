import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from processes.world import Api, Bucket, Stack
from support.runtime_api import Function

SPEED = 20  # seconds of a provider's clock in one of ours


@pytest.fixture
def started() -> float:
    """When all clocks of the test began, ours and the faster ones of its processes."""
    return time.time()


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with Bucket() as bucket:
        yield bucket


@pytest.fixture
def stack(bucket: Bucket, started: float) -> Callable[[str], Stack]:
    """Make stacks with one resource, of the type given."""
    return lambda resource_type: Stack(bucket, started, resource_type)


@pytest.fixture
def start(bucket: Bucket, started: float, tmp_path: Path) -> Iterator[Callable[..., Function]]:
    """Start functions; every process is ended with the test."""
    with ExitStack() as functions:

        def start(handler: str, api: Api, *, timeout: float = 6.0, **options: Any) -> Function:
            function = Function(
                f"handlers.{handler}",
                task_root=Path(__file__).parent,
                scratch=tmp_path / "sandboxes",
                timeout=timeout,
                environment={
                    "API": api.url,
                    "CFN_ONCE_LEDGER": f"sqlite:///{tmp_path}/ledger.sqlite3",
                    "CFN_ONCE_RESPONSE_HOSTS": bucket.host,
                    "STARTED": str(started),
                    "SPEED": str(SPEED),
                },
                **options,
            )
            return functions.enter_context(function)

        yield start


@pytest.fixture
def api() -> Iterator[Api]:
    with Api(honours=True) as api:
        yield api
