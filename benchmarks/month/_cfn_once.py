"""The founding case on cfn-once: its own Provider, and a ledger in an SQLite file."""

import contextlib
import json
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cfn_once import CustomResource, Provider
from cfn_once.ledger.sqlite import SQLiteStore
from cfn_once.testing import VirtualClock

from ._external_api import ExternalApi

Deliver = Callable[..., dict[str, Any] | None]
SYNCHRONOUS = "NORMAL"  # the last commits may be lost with the power, never with the process
PAGE = 8_192  # bytes; in pages of 4,096 every row of a finished resource takes a second one


class Told:
    """Keeps the answer that would go to CloudFormation."""

    def __init__(self) -> None:
        self.body: bytes | None = None

    def check(self, request: Any) -> str:
        del request  # the plan names CloudFormation's own host
        return ""

    def put(self, request: Any, body: bytes, deadline: Any) -> None:
        del request, deadline
        self.body = body


@dataclass(frozen=True)
class ElastigroupProperties:
    Name: str
    Target: int


def provider(external_api: ExternalApi, folder: Path) -> Deliver:
    """Return what takes a delivery, and gives the answer to it."""
    logging.getLogger("cfn_once").setLevel(logging.ERROR)
    told, clock = Told(), VirtualClock(external_api.now)

    class Elastigroup(CustomResource[ElastigroupProperties, None]):
        resource_type = "Custom::elastigroup"

        def create(self) -> None:
            self.physical_resource_id = self.step("group", self.post, find=self.find)

        def post(self, step):
            return external_api.post(self.properties.Name, step.token)

        def find(self, step):
            return external_api.find(step.token)

        def delete(self) -> None:
            external_api.delete(self.physical_resource_id)

    ledger = folder / "ledger.sqlite3"
    _make(ledger)
    store = SQLiteStore(ledger, synchronous=SYNCHRONOUS)
    serve = Provider(Elastigroup, ledger=store).using(delivery=told, clock=clock)

    def deliver(event: dict[str, Any], context: Any = None) -> dict[str, Any] | None:
        told.body = None
        clock.advance(external_api.now - clock.now())
        serve(event, context)
        return None if told.body is None else json.loads(told.body)

    return deliver


def _make(ledger: Path) -> None:
    """Make an empty file whose pages are long; one that is there stays as it is."""
    with contextlib.closing(sqlite3.connect(ledger)) as connection:
        connection.execute(f"pragma page_size = {PAGE}")
        connection.execute("pragma journal_mode = wal")
