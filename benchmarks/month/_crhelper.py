"""
The founding case on crhelper, which remembers nothing.

Two things of it are left out, for they say nothing of duplicates. Its answers do not leave the
process: it makes a TLS context, a connection and a handshake for each one, some 20 ms times a
million. And its watchdog starts no thread: it counts real seconds, which a virtual month has not.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("AWS_REGION", "us-east-1")  # it makes clients as it is made; none is used

from crhelper import CfnResource

from ._external_api import ExternalApi

Deliver = Callable[[dict[str, Any]], dict[str, Any] | None]


class Context:
    """What the two libraries ask of a Lambda context."""

    aws_request_id = "00000000-0000-4000-8000-000000000000"
    function_name = "elastigroup"

    def get_remaining_time_in_millis(self) -> int:
        return 120_000


class Quiet(CfnResource):
    """crhelper, with its answers going to us, and no watchdog."""

    answer: dict[str, Any] | None = None

    def _keep(self, _url: str, body: dict[str, Any], _verify: Any) -> None:
        self.answer = body

    def _set_timeout(self) -> None:
        pass

    def _send(self, status: Any = None, reason: str = "") -> None:
        super()._send(status, reason, send_response=self._keep)


def helper_on(external_api: ExternalApi) -> Quiet:
    """Return a handler as crhelper's README shows it."""
    # Its default makes each Delete two minutes longer.
    helper = Quiet(log_level="ERROR", sleep_on_delete=0)

    @helper.create
    def create(event: dict[str, Any], _context: Any) -> str:
        return external_api.post(event["ResourceProperties"]["Name"])

    @helper.delete
    def delete(event: dict[str, Any], _context: Any) -> None:
        external_api.delete(event["PhysicalResourceId"])

    return helper


def provider(external_api: ExternalApi, _folder: Path) -> Deliver:
    """Return what takes a delivery, and gives the answer to it."""
    helper, context = helper_on(external_api), Context()

    def deliver(event: dict[str, Any]) -> dict[str, Any] | None:
        helper.answer = None
        helper(event, context)
        return helper.answer

    return deliver
