"""Bodies that an external API sends: however long, and whatever secret they quote at their end."""

import json
import tracemalloc
import zlib
from dataclasses import dataclass
from functools import cache
from typing import Annotated

import pytest

from cfn_once import CustomResource, Provider, Secret
from cfn_once._steps.http_bodies import LONGEST_BODY, LONGEST_ERROR_BODY
from cfn_once.ledger import MemoryStore
from cfn_once.testing import FakeCloudFormation
from hooks.planned_host import answer

SECRET = "S3CR3T-" + "".join(chr(97 + place % 26) for place in range(60)) + "é/+"


@cache
def bomb():
    """A hundred kilobytes that become a hundred megabytes."""
    whole = zlib.compressobj(wbits=31)
    parts = [whole.compress(part) for part in [b"beginning ", *[b" " * 2**20] * 128]]
    return b"".join([*parts, whole.flush()])


def exploding(status=200, **headers):
    return answer(status, bomb(), content_encoding="gzip", **headers)


@pytest.fixture
def little_memory():
    """Assert that no more than a few bodies of the longest kind were held."""
    bomb()
    tracemalloc.start()
    yield
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < 4 * LONGEST_BODY


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_body_that_explodes(api, stack, method, little_memory):
    """
    What is read, or written at will, fails at once: asked again, the body would be as long.
    """
    api.then(exploding(), exploding())
    answered = stack(lambda self: self.http.request(method, api.url + "/big?key=k")).create("Thing")

    assert [method] == api.methods()
    assert (
        f"{method} {api.url}/big: the body is longer than {LONGEST_BODY} bytes when it"
        " is decoded. Ask for less, or GET it with stream=True and read it in pieces"
    ) in answered.reason


def test_a_post_whose_answer_explodes(api, stack, little_memory):
    """
    It was made, and what came back cannot be kept: its Delete knows that there is something.
    """
    deleted = []
    api.then(exploding(201))
    cloudformation = stack(
        lambda self: self.http.post(api.url), delete=lambda self: deleted.append(1)
    )
    answered = cloudformation.create("Thing")

    assert answered.reason.startswith("POST was answered 201 with a body of more")
    assert ["POST"] == api.methods()
    assert [1] == deleted


def test_inside_a_step(api, stack, little_memory):
    """
    The step has acted, and its result is not there: in doubt.
    """
    api.then(exploding(201))
    answered = stack(lambda self: self.step("make", lambda _: self.http.post(api.url))).create("It")

    assert answered.reason.startswith("in doubt: step make#0")
    assert "the body is longer than" in answered.reason
    assert ["POST"] == api.methods()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_error_whose_body_explodes(api, stack, method, little_memory):
    """
    It says for certain that nothing was done: its body is cut, and quoted as far as there is room.
    """
    api.then(exploding(400))
    answered = stack(lambda self: self.http.request(method, api.url)).create("Thing")

    assert answered.reason.startswith(f"400 for {method} {api.url}: beginning  ")
    assert [method] == api.methods()


def test_a_redirect_whose_body_explodes(api, stack, little_memory):
    """
    requests reads the body of each redirect that it follows.
    """
    api.then(exploding(302, location=api.url + "/there"))

    assert stack(lambda self: self.http.get(api.url) and None).create("Thing").succeeded
    assert ["/", "/there"] == [request.target for request in api.received]


def test_what_a_hook_reads_by_itself(api, stack):
    """
    A GET with stream=True is left to its hook; a write is read, since it is kept.
    """
    api.then(answer(200, b"x" * 20_000), answer(200, b"y" * 20_000))
    seen = []

    def create(self):
        seen.append(self.http.get(api.url, stream=True).raw.read(5))
        seen.append(self.http.post(api.url, stream=True).content[:5])

    assert stack(create).create("Thing").succeeded
    assert [b"xxxxx", b"yyyyy"] == seen


@dataclass(frozen=True)
class Guarded:
    Password: Annotated[str, Secret] = ""


class Quoting(CustomResource[Guarded, None]):
    """Is told by the API what it has sent, at a place of the test's."""

    url = ""

    def create(self):
        self.http.post(self.url, json={"password": self.properties.Password})

    def delete(self):
        pass


def refused(api, status, body, secret=SECRET):
    """Return all that a refusal leaves: the reason, and what the ledger holds."""
    api.then(answer(status, body))
    ledger = MemoryStore()
    kept = type("Kept", (Quoting,), {"url": api.url, "resource_type": "Custom::Kept"})
    cloudformation = FakeCloudFormation(Provider(kept, ledger="memory://"), ledger=ledger)
    event = cloudformation.event("Create", "Thing", {"Password": secret})
    told = cloudformation.deliver(event)

    assert told.reason.startswith(f"{status} for POST")
    return told.reason + str(vars(ledger))


@pytest.mark.parametrize("end", [500, LONGEST_ERROR_BODY])
@pytest.mark.parametrize("shift", [-70, -40, -10, 1])
@pytest.mark.parametrize("write", [str, json.dumps], ids=["as it is", "JSON"])
def test_a_secret_across_a_bound(api, end, shift, write):
    """
    Wherever the quotation or the body is cut, no long piece of a secret is before the cut.
    """
    quoted = write(SECRET).strip('"').encode()
    left = refused(api, 422, b"e" * (end + shift) + quoted + b"z" * 600)

    assert "eeee" in left
    assert SECRET[:4] not in left
    assert "abcd" not in left


def test_a_body_that_is_no_text(api):
    """
    A secret in bytes that no text has is hidden in the record, which can still be read.
    """
    left = refused(api, 409, b"\xff\xfe" + SECRET.encode() + b"\xff")

    assert SECRET[:4] not in left
    assert "abcd" not in left
