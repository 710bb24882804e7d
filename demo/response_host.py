"""
Where the demo's answers go: a host with TLS, as CloudFormation's is, that counts and hands on.

One for each library. The functions tell it what they were sent, and ask it who has to die.
"""

import json
import ssl
import threading
import time
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import trustme
from tests.support.host import Host, Received, Status

QUIET = 60  # seconds for the last copies to end; a takeover after a crash takes ten to forty


class Authority:
    """The authority that vouches for response hosts.

    Args:
        folder: Where its certificate lies, for those who are to trust it.

    Attributes:
        certificate: That file: what SSL_CERT_FILE is set to.
    """

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.certificate = folder / "authority.pem"
        authority.cert_pem.write_to_path(self.certificate)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(self.context)


class ResponseHost(Host):
    """The host for one library, from `with` to its end.

    Args:
        authority: Vouches for it.
        dies: Says of an event whether its function is killed, once, when it has made a group.

    Attributes:
        aws: Where answers are handed on to; set before the first.
        events: What CloudFormation sent, by RequestId, in its order.
        answers: The bodies that were PUT for each RequestId.
        deliveries: How often the function was started, by RequestId.
        ended: How often it came to an end of its own, by RequestId.
    """

    def __init__(self, authority: Authority, dies: Callable[[dict[str, Any]], bool]) -> None:
        super().__init__(self._reply, tls=authority.context)
        self._dies, self._killed = dies, set[str]()
        self._copies = Counter[str]()
        self._counts = threading.Lock()
        self.aws = ""
        self.events: dict[str, dict[str, Any]] = {}
        self.answers = defaultdict[str, list[bytes]](list)
        self.deliveries, self.ended = Counter[str](), Counter[str]()

    @property
    def conflicting(self) -> list[str]:
        """The RequestIds that were answered in more than one way."""
        return [request for request, bodies in self.answers.items() if len(set(bodies)) > 1]

    def expect_again(self, event: dict[str, Any]) -> None:
        """One more copy of an event is on its way."""
        with self._counts:
            self._copies[event["RequestId"]] += 1

    def wait_until_quiet(self) -> list[str]:
        """Wait until each copy has come to its end; return the RequestIds of those that do not."""
        over = time.monotonic() + QUIET
        while True:
            with self._counts:
                open_ones = list((self._copies - self.ended).elements())
            if not open_ones or time.monotonic() > over:
                return open_ones
            time.sleep(0.1)

    def answered(self, path: str, body: bytes) -> None:
        """Count an answer, and hand it on.

        Raises:
            OSError: CloudFormation cannot be reached.
        """
        with self._counts:
            self.answers[json.loads(body)["RequestId"]].append(body)
        asked = urllib.request.Request(self.aws + path, body, method="PUT")
        with urllib.request.urlopen(asked) as answer:
            answer.read()

    def told(self, path: str, said: dict[str, Any]) -> dict[str, Any]:
        """Take note of what a function says."""
        with self._counts:
            match path:
                case "/events":
                    event = said["event"]
                    self.events[event["RequestId"]] = event
                    self._copies[event["RequestId"]] += said["copies"]
                case "/started":
                    self.deliveries[said["request_id"]] += 1
                case "/ended":
                    self.ended[said["request_id"]] += 1
                case "/sent":
                    return {"dies": self._is_to_die(said["request_id"])}
                case _:
                    raise ValueError(path)
        return {}

    def _reply(self, request: Received) -> Status:
        if request.method == "POST":
            return Status(200, body=json.dumps(self.told(request.target, request.json)).encode())
        try:
            self.answered(request.target, request.body)
        except OSError:
            return Status(503)
        return Status(200)  # as S3, which takes the last answer as it took the first

    def _is_to_die(self, request_id: str) -> bool:
        if request_id in self._killed or not self._dies(self.events[request_id]):
            return False
        self._killed.add(request_id)
        return True
