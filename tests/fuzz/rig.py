"""
What is watched while events are fuzzed: streams, exceptions, answers and the ledger.

    event ──► route ──► provider, entry, guardian ──► answers ──► judged: size, secrets, whose URL
                          └─ streams, exceptions, ledger ──► searched for what was planted
"""

import io
import json
import logging
import os
import sys
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cfn_once import (
    DeliveryError,
    InProgress,
    InvalidRequest,
    LedgerUnavailable,
    Provider,
    TemporaryError,
    entry,
    guardian,
)
from cfn_once._cloudformation.delivery import HttpsDelivery
from cfn_once.ledger import MemoryStore
from cfn_once.testing import LambdaContext, VirtualClock
from cfn_once.testing.server import LocalHandler, LocalServer
from fuzz import providers, urls

PASSWORD, OLD_PASSWORD = "pw-Qx7vTn2LbKc9sWeRy4Az", "old-Hj3mPf8ZdGu6tXaVo1Ni"
TOKEN = "tok-Rb5kYw0EqSl7iCnMh2Jd"
PLANTED = tuple(
    part
    for secret in (urls.SIGNATURE, PASSWORD, OLD_PASSWORD, TOKEN)
    for part in (secret[:16], secret[-16:])  # one may have been cut or edited
)
ALLOWED = (InvalidRequest, InProgress, LedgerUnavailable, DeliveryError, TemporaryError)
LIMIT = 4096  # bytes; "custom resource request and response reference"
LOGGERS = ("", "cfn_once", "cfn_once.resource", "urllib3", "botocore", "asyncio")


class Finding(NamedTuple):
    """One thing that should not be."""

    kind: str
    where: str
    what: str


@dataclass
class Figures:
    """What was tried, and what was found."""

    events: dict[str, int] = field(default_factory=dict)  # by route
    answers: int = 0
    urls: int = 0
    accepted: int = 0
    findings: list[Finding] = field(default_factory=list)


class Bucket:
    """Takes answers where the real delivery would send them."""

    def __init__(self) -> None:
        self.taken: list[tuple[Any, bytes]] = []
        self._check = HttpsDelivery().check

    def check(self, request: Any) -> Any:
        return self._check(request)

    def put(self, request: Any, body: bytes, deadline: Any) -> None:
        self.taken.append((request, body))


class _Way(LocalHandler):
    """The emulator's host, and the only way out: a proxy that lets nobody through."""

    def do_PUT(self) -> None:
        self.server.what.append(self.read())
        self.reply(200, b"", "text/plain")

    def do_CONNECT(self) -> None:
        self.reply(403, b"", "text/plain")


class Rig:
    """One process: everything that it prints, logs, raises and answers is looked at.

    Args:
        in_lambda: It takes itself for a Lambda function, whose lines are JSON.
    """

    def __init__(self, figures: Figures, *, in_lambda: bool) -> None:
        self.figures, self.bucket, self.told = figures, Bucket(), list[bytes]()
        self._server = LocalServer(_Way, self.told)
        self.host = self._server.url
        self._streams = io.StringIO()
        self._console = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = self._streams
        self._set_up_environment(in_lambda=in_lambda)
        self._set_up_logging(in_lambda=in_lambda)
        self.renew()

    def _set_up_environment(self, *, in_lambda: bool) -> None:
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            del os.environ[name]
        os.environ |= {
            "API_TOKEN": TOKEN,
            "CFN_ONCE_LEDGER": "memory://",
            "CFN_ONCE_RESPONSE_HOSTS": self.host.partition("//")[2],
            "HTTPS_PROXY": self.host,
        }
        for name in ("AWS_REGION", "CFN_ONCE_CONTINUATION"):
            os.environ.pop(name, None)
        if in_lambda:
            os.environ["AWS_LAMBDA_FUNCTION_NAME"] = "provider"

    def _set_up_logging(self, *, in_lambda: bool) -> None:
        handler = logging.StreamHandler(self._streams)
        handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
        for name in LOGGERS:
            logging.getLogger(name).setLevel(logging.DEBUG)
            if name.startswith("cfn_once") or (in_lambda and not name):
                continue  # in Lambda cfn-once prints by itself, where nobody else does
            logging.getLogger(name).addHandler(handler)
            logging.getLogger(name).propagate = False

    def close(self) -> None:
        sys.stdout, sys.stderr = self._console
        self._server.close()

    def renew(self) -> None:
        """Begin a batch: an empty ledger, and a time."""
        self.clock, self.store = VirtualClock(), MemoryStore()
        self.provider: Provider = providers.provider.using(
            ledger=self.store, delivery=self.bucket, clock=self.clock
        )
        for memory in (providers.STORE, providers.CLOCK):
            memory.begin_again()
        providers.TAKEN.bodies.clear()

    def context(self) -> LambdaContext:
        return LambdaContext(timeout=31, now=self.clock.now)

    def by_provider(self, event: Any) -> Any:
        return self.provider(event, self.context())

    def by_entry(self, event: Any) -> Any:
        return entry.handler(event, self.context())

    def by_guardian(self, event: Any) -> Any:
        return guardian.handler(event, self.context(), clock=self.clock)

    def watch(self, route: str, where: str, event: Any, messages: int = 1) -> None:
        """Send an event on its route, and look at all that comes of it."""
        events = self.figures.events
        events[route] = events.get(route, 0) + messages
        handle = {"guardian": self.by_guardian, "entry": self.by_entry}.get(route, self.by_provider)
        try:
            self._judge_return(where, handle(event))
        except ALLOWED as error:
            self._search("exception", where, _told_of(error))
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            self.find("unexpected", where, f"{type(error).__name__}: {error!s:.300}")
        if len(text := self._streams.getvalue()):
            self._search("stream", where, text)
            self._streams.seek(0)
            self._streams.truncate()
        self._judge_answers(where)

    def end_batch(self, where: str) -> None:
        """Look at the ledger."""
        for text in (*self.store._texts.values(), *providers.STORE._texts.values()):
            self._search("ledger", where, text)

    def _judge_return(self, where: str, said: Any) -> None:
        if said is None:
            return
        failures = said.get("batchItemFailures")
        ids = [failure.get("itemIdentifier") for failure in failures]
        if not all(isinstance(name, str) for name in ids) or set(said) != {"batchItemFailures"}:
            self.find("return", where, repr(said)[:300])

    def _judge_answers(self, where: str) -> None:
        bodies = [*self.told, *providers.TAKEN.bodies]
        for request, body in self.bucket.taken:
            bodies.append(body)
            names = request.stack_id, request.logical_resource_id, request.request_id
            if not urls.is_own(urls.Asked(*names, request.response_url)):
                self.find("sent elsewhere", where, request.response_url)
        for held in (self.told, providers.TAKEN.bodies, self.bucket.taken):
            held.clear()
        for body in bodies:
            self.figures.answers += 1
            if len(body) > LIMIT:
                self.find("too large", where, f"{len(body)} bytes")
            answer = json.loads(body)
            if (
                answer.get("Status") not in ("SUCCESS", "FAILED")
                or not answer["PhysicalResourceId"]
            ):
                self.find("no answer", where, repr(body)[:300])
            self._search("answer", where, body.decode())

    def _search(self, stream: str, where: str, text: str) -> None:
        for part in PLANTED:
            if part in text:
                at = text.index(part)
                self.find(f"secret in {stream}", where, text[max(0, at - 150) : at + 60])
                return

    def find(self, kind: str, where: str, what: str) -> None:
        self.figures.findings.append(Finding(kind, where, what))


def _told_of(error: BaseException | None) -> str:
    """Return all that the errors of a chain say."""
    said = ""
    for _ in range(6):
        if error is None:
            break
        said += f"{error} {error.args!r} {getattr(error, '__notes__', '')}\n"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return said
