"""AWS on one wire: an API that speaks the JSON and the query protocol, and knows its tokens."""

from urllib.parse import parse_qs

from hooks.planned_host import Plan, PlannedHost, answer
from support.host import Received


def refusal(code, status=400, message="no"):
    """Refuse as a service of the JSON protocol does."""
    return answer(status, {"__type": code, "message": message}, acts=False)


def xml(text, status=200):
    """Answer as a service of the query protocol does."""
    return answer(status, text.encode(), content_type="text/xml")


def operation_of(seen: Received) -> str:
    """Return the operation that a request names, in whichever protocol."""
    target = seen.headers.get("x-amz-target")
    if target is not None:
        return target.rpartition(".")[2]
    return parse_qs(seen.body.decode()).get("Action", [f"{seen.method} {seen.target}"])[0]


class FakeAws(PlannedHost):
    """The server.

    Attributes:
        answers: What each operation answers: JSON, a plan, or a function of the request.
        token_member: Where a token is; a request with a known one has no second effect.
    """

    def __init__(self) -> None:
        self.answers: dict[str, object] = {}
        self.token_member = "ClientRequestToken"
        super().__init__(self._answer)

    @property
    def options(self) -> dict[str, str]:
        """What `self.client` takes to come here."""
        return {"endpoint_url": self.url, "region_name": "eu-west-1"}

    def operations(self) -> list[str]:
        return [operation_of(request) for request in self.received]

    def tokens(self) -> list[str]:
        bodies = [request.json for request in self.received]
        return [body[self.token_member] for body in bodies if self.token_member in body]

    def effects(self) -> int:
        """Count what was made under tokens: calls under the same one make one thing."""
        return len({request.json.get(self.token_member) for request in self.acted} - {None})

    def _answer(self, seen: Received) -> Plan:
        given = self.answers.get(operation_of(seen), {})
        if callable(given):
            given = given(seen)
        if isinstance(given, Plan):
            return given
        return answer(body=given, content_type="application/x-amz-json-1.1")
