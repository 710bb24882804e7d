"""What `self.http` promises, against an external API that fails, loses and repeats."""

import io
import logging
import re
from contextlib import ExitStack
from datetime import timedelta
from uuid import UUID

import pytest
import requests
from requests.adapters import HTTPAdapter

from cfn_once.testing import Crashed
from hooks.planned_host import Plan, PlannedHost, answer, lost, refused
from support.host import SILENCE

SECRET = "hunter22"
KEY = f"?key={SECRET}"
WRITES = ["POST", "PUT", "PATCH", "DELETE"]
IN_DOUBT = [lost(), refused(), answer(500), answer(503), answer(408), answer(500, acts=True)]
HOUR = timedelta(hours=1)


def test_what_a_write_carries(api, stack):
    """
    A write carries its token, bare, and the resource's name; a read carries neither.
    """

    def create(self):
        self.http.headers["X-Team"] = "storage"
        for method in ["GET", *WRITES]:
            self.http.request(method, api.url, headers={"X-Call": method})
        self.http.post(api.url, headers={"idempotency-key": "my own"})

    assert stack(create).create("Thing").succeeded

    read, *writes, own = api.received

    assert "idempotency-key" not in read.headers
    assert "x-correlation-id" not in read.headers
    assert 4 == len({str(UUID(write.headers["idempotency-key"])) for write in writes})
    assert 1 == len({write.headers["x-correlation-id"] for write in writes})
    assert WRITES == [write.headers["x-call"] for write in writes]
    assert {"storage"} == {request.headers["x-team"] for request in api.received}
    assert "my own" == own.headers["idempotency-key"]


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize("plan", IN_DOUBT, ids=repr)
def test_a_post_whose_answer_is_lost(api, stack, method, plan):
    """
    Where nothing is known of the external API, a POST in doubt is never made again: FAILED says so.
    """
    api.then(plan)
    cloudformation = stack(lambda self: self.http.request(method, api.url + KEY))
    event = cloudformation.event("Create", "Thing")
    first = cloudformation.deliver(event)
    again = cloudformation.deliver(event)

    assert [method] == api.methods()
    assert f"in doubt: step http.{method}.127.0.0.1#0" in first.reason
    assert first.body == again.body


def test_a_post_that_died(api, stack):
    """
    After a crash, a POST may have been acted on: it is not made again.
    """
    cloudformation = stack(lambda self: self.http.post(api.url))
    answered = cloudformation.create("Thing", crash_after="http.POST.127.0.0.1")

    assert ["POST"] == api.methods()
    assert "in doubt" in answered.reason


@pytest.mark.parametrize("plans", [[lost()], [answer(500), lost(), answer(502, acts=True)]])
def test_an_api_that_honours_the_key(stack, plans):
    """
    Where the class says that the API honours the key, a POST in doubt is made again under it.
    """
    with PlannedHost(honours=True) as api:
        api.then(*plans)
        cloudformation = stack(
            lambda self: {"Id": self.http.post(api.url).json()["id"]},
            honours_idempotency_key={api.url: HOUR},
        )
        answered = cloudformation.create("Thing")

        assert {"Id": "thing-1"} == answered.data
        assert len(plans) + 1 == len(api.received)
        assert 1 == len(api.acted)
        assert 1 == len({request.headers["idempotency-key"] for request in api.received})


def test_what_a_look_up_returns(api, stack):
    """
    What find= returns, if it is no response, is returned as it is, and by a replay as well.
    """
    api.then(lost())
    seen = []

    def create(self):
        seen.append(self.http.post(api.url, find=lambda step: {"id": "thing-1"}))
        self.http.put(api.url)

    assert crashed_between(stack(create), "http.PUT.127.0.0.1").succeeded
    assert [{"id": "thing-1"}] * 2 == seen


def test_a_key_is_forgotten(stack):
    """
    Once the external API may have forgotten the key, a POST in doubt is not made again.
    """
    with PlannedHost(honours=True) as api:
        cloudformation = stack(
            lambda self: self.http.post(api.url),
            honours_idempotency_key={api.url: timedelta(minutes=2)},
        )
        event = cloudformation.event("Create", "Thing")
        with pytest.raises(Crashed):
            cloudformation.send(event, crash_after="http.POST.127.0.0.1")
        cloudformation.clock.advance(121)

        assert "in doubt" in cloudformation.deliver(event).reason
        assert 1 == len(api.received)


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("plan", IN_DOUBT, ids=repr)
def test_a_write_that_can_be_looked_up(api, stack, method, plan):
    """
    With find=, a write in doubt is looked up by its token, and made again only where it is not.
    """
    api.then(plan)

    seen = []

    def create(self):
        def find(step):
            made = [
                request for request in api.acted if request.headers["idempotency-key"] == step.token
            ]
            return self.http.get(api.url) if made else None

        seen.append(self.http.request(method, api.url, find=find).json())

    assert stack(create).create("Thing").succeeded
    assert 1 == len([request for request in api.acted if request.method == method])
    assert "id" in seen[0]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("plan", IN_DOUBT, ids=repr)
def test_a_put_whose_answer_is_lost(api, stack, method, plan):
    """
    PUT and DELETE are made again, unless the call says that it is not idempotent.
    """
    api.then(plan)
    assert stack(lambda self: self.http.request(method, api.url) and None).create("T").succeeded
    assert [method, method] == api.methods()

    api.then(plan)
    event = (once := stack(lambda self: self.http.request(method, api.url, once=True))).event(
        "Create", "T"
    )
    assert "in doubt" in once.deliver(event).reason
    assert [method] * 3 == api.methods()


@pytest.mark.parametrize(
    "call",
    [
        lambda self, url, find: self.http.post(url, once=True, find=find),
        lambda self, url, find: self.http.put(url, once=True, find=find),
        lambda self, url, find: self.step(
            "make", lambda step: self.http.post(url).json(), once=True, find=find
        ),
    ],
    ids=["POST", "PUT", "step"],
)
def test_once_where_a_look_up_would_allow_more(api, stack, call):
    """
    A call that says once=True is not made again, whatever a look-up would find.
    """
    api.then(lost())
    looked = []

    assert "in doubt" in stack(lambda self: call(self, api.url, looked.append)).create("T").reason
    assert 1 == len(api.received)
    assert [] == looked


def test_a_put_that_died(api, stack):
    """
    A PUT is not recorded: after a crash it is made again, under the same key.
    """
    cloudformation = stack(lambda self: self.http.put(api.url) and None)
    event = cloudformation.event("Create", "Thing")
    with pytest.raises(Crashed):
        cloudformation.send(event, crash_after="http.PUT.127.0.0.1")

    assert cloudformation.deliver(event).succeeded
    assert 2 == len(api.received)
    assert 1 == len({request.headers["idempotency-key"] for request in api.received})


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("plan", [answer(429), answer(425)], ids=["429", "425"])
def test_a_busy_external_api(api, stack, method, plan):
    """
    What a busy external API turned away is made again, after a pause, by every kind of write.
    """
    api.then(plan, plan, plan)
    cloudformation = stack(lambda self: self.http.request(method, api.url, once=True) and None)
    before = cloudformation.clock.now()

    assert cloudformation.create("Thing").succeeded
    assert [method] * 4 == api.methods()
    assert cloudformation.clock.now() > before + 1


@pytest.mark.parametrize("method", WRITES)
def test_an_external_api_that_comes_up_late(stack, method):
    """
    A call that found nobody is made again: it was surely not acted on.
    """
    api = PlannedHost()

    def create(self):
        self.http.request(method, api.url, once=True)

    cloudformation = stack(create)
    with ExitStack() as up:
        cloudformation.clock.alarm(1, lambda: up.enter_context(api))

        assert cloudformation.create("Thing").succeeded
        assert 1 == len(api.acted)


@pytest.mark.parametrize(
    "how", [{"headers": {"Authorization": "Bearer 漢"}}, {"auth": ("漢", "x")}]
)
def test_a_header_that_http_cannot_spell(api, stack, how):
    """
    Headers are spelt before anything is sent: the call is refused, and nothing is in doubt.
    """
    answer = stack(lambda self: self.http.post(f"{api.url}/things", **how)).create("Thing")

    assert "FAILED" == answer.status
    assert "doubt" not in answer.reason
    assert [] == api.methods()


def test_an_external_api_that_never_comes_up(stack):
    """
    When the time is over, a call that found nobody has failed for certain, twice in the same way.
    """
    api, seen = PlannedHost(), []

    def create(self):
        try:
            self.http.post(f"{api.url}/things{KEY}")
        except requests.ConnectionError as error:
            seen.append((type(error), str(error)))
            raise

    cloudformation = stack(create)
    event = cloudformation.event("Create", "Thing")
    cloudformation.lose_answers(1)
    cloudformation.deliver(event)
    text = f"POST {api.url}/things: NewConnectionError: Connection refused"

    assert [(requests.ConnectionError, text)] == seen
    assert cloudformation.answer_to(event).reason.startswith(f"{text} (test_http.py:")


def crashed_between(cloudformation, before):
    """Deliver a Create that dies before a call, and again; return the answer."""
    event = cloudformation.event("Create", "Thing")
    with pytest.raises(Crashed):
        cloudformation.send(event, crash_before=before)
    return cloudformation.deliver(event)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"id": "b\xc3\xbcro"}'),
        ("text/plain; charset=iso-8859-1", b"b\xfcro"),
        ("text/plain; charset=iso-8859-1", b"b\xc3\xbcro"),
        ("text/html", b"plain"),
        ("application/octet-stream", bytes(range(256))),
        ("application/json", b""),
    ],
)
def test_a_replay_returns_the_same_response(api, stack, content_type, body):
    """
    The record is status, content type and body: a replay returns a response equal in all of them.
    """
    api.then(answer(201, body, content_type=content_type))
    seen = []

    def create(self):
        response = self.http.post(api.url + "/things", params={"dry": "run"})
        seen.append(
            (
                response.status_code,
                response.reason,
                response.headers["content-type"],
                response.content,
                response.text,
                response.encoding,
                response.url,
                response.ok,
                response.json() if body.startswith(b"{") else None,
            )
        )
        self.http.put(api.url)

    assert crashed_between(stack(create), "http.PUT.127.0.0.1").succeeded

    expected = requests.Response()
    expected._content, expected.encoding = (
        body,
        requests.utils.get_encoding_from_headers({"content-type": content_type}),
    )

    assert 1 == api.methods().count("POST")
    assert seen[0] == seen[1]
    assert (201, "Created", content_type, body, expected.text) == seen[0][:5]


def test_a_replay_raises_the_same_error(api, stack):
    """
    What the API refuses for certain raises the same error in the first run and in a replay.
    """
    api.then(answer(422, {"error": "no such product"}))
    seen = []

    def create(self):
        try:
            self.http.post(api.url + "/things" + KEY)
        except requests.HTTPError as error:
            response = error.response
            seen.append((type(error), str(error), response.status_code, response.json()))
        self.http.put(api.url)

    assert crashed_between(stack(create), "http.PUT.127.0.0.1").succeeded

    text = f'422 for POST {api.url}/things: {{"error": "no such product"}}'

    assert 1 == api.methods().count("POST")
    assert [(requests.HTTPError, text, 422, {"error": "no such product"})] * 2 == seen


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("status", [404, 410])
def test_gone_already_is_done_in_a_delete_hook(api, stack, method, status):
    """
    In a delete hook, 404 and 410 are success; elsewhere they are errors.
    """

    def call(self):
        return self.http.request(method, api.url).status_code and None

    cloudformation = stack(lambda self: None, delete=call)
    cloudformation.create("Thing")
    api.then(answer(status))

    assert cloudformation.delete("Thing").succeeded

    api.then(answer(status))

    assert f"{status} for {method}" in stack(call).create("Thing").reason


def test_another_error_in_a_delete_hook(api, stack):
    """
    A Delete that is refused is FAILED.
    """
    cloudformation = stack(lambda self: None, delete=lambda self: self.http.delete(api.url))
    cloudformation.create("Thing")
    api.then(answer(403, {"error": "locked"}))
    refusal = cloudformation.delete("Thing")

    assert "403 for DELETE" in refusal.reason


def test_a_removal_in_an_update_is_not_replayed(stack):
    """
    What an update removed and made again is still there after a process died behind it.
    """
    things = {"x": 1}

    def remove(seen):
        things.clear()
        return answer(204)

    def update(self):
        self.http.delete(api.url)
        self.step("make", lambda step: things.update(x=2), window=HOUR)
        self.step("other", lambda step: None, window=HOUR)

    with PlannedHost(remove) as api:
        cloudformation = stack(lambda self: None, update)
        cloudformation.create("Thing", {"A": "1"})
        event = cloudformation.event("Update", "Thing", {"A": "2"})
        with pytest.raises(Crashed):
            cloudformation.send(event, crash_before="other")

        assert cloudformation.deliver(event).succeeded
        assert {"x": 2} == things
        assert ["DELETE"] == api.methods()


def test_a_delete_that_finds_its_own_work_done(api, stack):
    """
    A DELETE whose answer was lost and that finds nothing the second time has done its work.
    """
    api.then(lost(), answer(404))

    def create(self):
        self.http.delete(api.url)

    assert stack(create).create("Thing").succeeded


def test_no_line_tells_a_query(api, stack, caplog):
    """
    urllib3 prints each path with its query at DEBUG: of what self.http sends, without. A secret
    with a question mark in it is masked first. What the hook sends by other means is its own.
    """

    def create(self):
        self.mask("half?other-half")
        self.http.get(f"{api.url}/read/half?other-half{KEY}")
        self.http.post(f"{api.url}/made{KEY}")
        requests.get(f"{api.url}/by-itself?open=1", timeout=5)

    caplog.set_level(logging.DEBUG)
    assert stack(create).create("Thing").succeeded
    told = [found[1] for text in caplog.messages if (found := re.search('"(.*) HTTP/1', text))]

    assert ["GET /read/*****?...", "POST /made?...", "GET /by-itself?open=1"] == told


@pytest.mark.parametrize(
    "call",
    [
        lambda http, url: http.get(url + "/missing" + KEY),
        lambda http, url: http.head(url + "/missing" + KEY),
        lambda http, url: http.post(url + "/missing" + KEY),
        lambda http, url: http.put(url + "/moved" + KEY),
        lambda http, url: http.patch(url + "/lost" + KEY),
        lambda http, url: http.get(url + "/lost" + KEY),
        lambda http, url: http.get("http://127.0.0.1:1/nobody" + KEY),
        lambda http, url: http.post(f"http://me:{SECRET}@127.0.0.1:1/nobody" + KEY),
        lambda http, url: http.delete("ftp://127.0.0.1/" + KEY),
        lambda http, url: http.get("things" + KEY),
        lambda http, url: http.post(url, headers={"X-Key": f"{SECRET}\n"}),
    ],
    ids=range(11),
)
def test_no_error_tells_a_key(stack, call, caplog):
    """
    A URL's query and who asks may be secret: no error, log line or record tells them.
    """

    def usual(seen):
        path = seen.target.partition("?")[0]
        moved = answer(307, location="/elsewhere" + KEY)
        return {"/missing": answer(404), "/moved": moved, "/lost": lost()}[path]

    with PlannedHost(usual) as api, caplog.at_level(logging.DEBUG):
        cloudformation = stack(lambda self: call(self.http, api.url))
        answered = cloudformation.create("Thing")

    assert "FAILED" == answered.status
    assert SECRET not in answered.reason
    assert SECRET not in caplog.text
    assert SECRET not in str(vars(cloudformation.ledger))


def test_time_outs_are_always_set(api, stack):
    """
    A hook that asks for no time-out gets ours; one that asks for another gets that.
    """
    seen = []

    class Watching(HTTPAdapter):
        def send(self, *args, **kwargs):
            seen.append(kwargs["timeout"])
            return super().send(*args, **kwargs)

    def create(self):
        self.http.mount("http://", Watching())
        self.http.get(api.url)
        self.http.post(api.url, timeout=None)
        self.http.put(api.url, timeout=(None, 7))
        self.http.get(api.url, timeout=3)

    assert stack(create).create("Thing").succeeded
    assert [(5.0, 30.0), (5.0, 30.0), (5.0, 7), 3] == seen


def test_an_external_api_that_never_answers(api, stack):
    """
    A read time-out leaves a POST in doubt.
    """
    api.then(Plan(SILENCE))
    answered = stack(lambda self: self.http.post(api.url, timeout=0.1)).create("Thing")

    assert "in doubt: step http.POST.127.0.0.1#0" in answered.reason
    assert "ReadTimeout" in answered.reason


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", WRITES)
def test_a_redirect_is_not_followed(api, stack, status, method):
    """
    A call that changes something goes to no other place than its hook named.
    """
    with PlannedHost() as other:
        api.then(answer(status, location=other.url + "/" + KEY))
        cloudformation = stack(lambda self: self.http.request(method, api.url))
        answered = cloudformation.create("Thing")

        assert [] == other.received
        assert [method] == api.methods()
        assert f"it redirects to {other.url}/. A call" in answered.reason
        assert ("in doubt" in answered.reason) == (
            method in ("POST", "PATCH") and status in (301, 302, 303)
        )


def test_a_redirect_that_the_hook_asked_for(api, stack):
    """
    Sent on to another host, a call leaves key and authorization behind.
    """
    with PlannedHost() as other:
        api.then(answer(307, location=other.url))

        def create(self):
            self.http.post(api.url, data=b"x", auth=("me", "secret"), allow_redirects=True)

        assert stack(create).create("Thing").succeeded

        (sent_on,) = other.received

        assert b"x" == sent_on.body
        assert "idempotency-key" not in sent_on.headers
        assert "authorization" not in sent_on.headers


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: {"data": io.BytesIO(b"content")}, b"content"),
        (lambda: {"data": (part for part in [b"con", b"tent"])}, b"content"),
        (lambda: {"files": {"file": ("name", io.BytesIO(b"content"))}}, b"\r\n\r\ncontent\r\n"),
    ],
    ids=["file", "generator", "multipart"],
)
def test_what_can_be_read_once_is_sent_twice(api, stack, make, expected):
    """
    A call that is made again sends its whole body again.
    """
    api.then(answer(500), answer(429))

    assert (
        stack(lambda self: self.http.request("PUT", api.url, **make()) and None)
        .create("Thing")
        .succeeded
    )
    assert 3 == len([request for request in api.received if expected in request.body])


@pytest.mark.parametrize(
    "asked",
    [{"data": b"\xff"}, {"json": {"a": 1}}, {"params": {"a": 1}}, {"files": {"f": b"1"}}],
    ids=lambda asked: next(iter(asked)),
)
def test_a_hook_that_asks_for_something_else(api, stack, asked):
    """
    A replay that asks for something else than the recorded call did is refused.
    """
    ways = [asked, {name: b"0" if name == "data" else {"f": b"0"} for name in asked}]

    def create(self):
        self.http.post(api.url, **ways.pop(0))
        self.http.put(api.url)

    answered = crashed_between(stack(create), "http.PUT.127.0.0.1")

    assert "step http.POST.127.0.0.1#0" in answered.reason


def test_inside_a_step(api, stack):
    """
    Inside a step, calls carry its token; there is room for one that cannot be repeated at will.
    """
    tokens = []

    def make(step, http):
        tokens.append(step.token)
        http.get(api.url)
        http.put(api.url)
        return http.post(api.url).json()

    def create(self):
        return {"Id": self.step("make", lambda step: make(step, self.http), find=find)["id"]}

    def find(step):
        return None

    assert {"Id": "thing-3"} == stack(create).create("Thing").data
    assert tokens[0] == api.received[2].headers["idempotency-key"]


@pytest.mark.parametrize(
    ("calls", "problem"),
    [
        (lambda http, url: (http.post(url), http.patch(url)), "second mutating call"),
        (lambda http, url: (http.post(url), http.put(url, once=True)), "second mutating call"),
        (lambda http, url: http.post(url, find=lambda step: None), "give it to self.step"),
    ],
)
def test_what_a_step_has_no_room_for(api, stack, calls, problem):
    """
    A second call that cannot be repeated is refused, and so is a look-up of its own.
    """
    cloudformation = stack(
        lambda self: self.step("make", lambda step: calls(self.http, api.url) and None)
    )

    assert problem in cloudformation.create("Thing").reason
    assert 1 >= len(api.received)


def test_a_prepared_request(api, stack):
    """
    send() knows no steps: it reads, and refuses the rest.
    """

    def create(self):
        http = self.http
        http.send(http.prepare_request(requests.Request("GET", api.url)))
        http.send(http.prepare_request(requests.Request("POST", api.url)))

    assert "self.http.send() of a POST would be no step" in stack(create).create("Thing").reason
    assert ["GET"] == api.methods()
