"""
HTTP for hooks: a `requests.Session` whose writes are steps.

    GET, HEAD, OPTIONS    passed through
    PUT, DELETE           repeated as needed, unless the call says `once=True` or has `find=`
                          or `window=`; a DELETE of a create or update hook is recorded
    POST, PATCH           recorded; made again in doubt only where the API honours the key that is
                          sent along (`window=`), or where `find=` has looked; repeated as needed
                          where the call says `repeat=True`

No error tells more of a URL than its host and path: a query may hold a key.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple, TypeVar, overload
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from .._errors import ConfigurationError
from .._silence import Brief
from .call import (
    OF_HTTP,
    Call,
    Repetition,
    Step,
    declared_repetition,
    repetition_in_hook,
    seconds_of,
)
from .http_bodies import LONGEST_BODY, BodyTooLong, BoundedAdapter, was_cut
from .http_codec import (
    arguments_to_record,
    error_from_record,
    error_to_record,
    response_from_record,
    response_to_record,
)
from .http_verdicts import IDEMPOTENT_METHODS, clean, verdict, verdict_of_read, where
from .steps import Steps

TIMEOUTS = (5.0, 30.0)  # seconds to connect, and between two bytes
READ_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
GONE_STATUSES = frozenset({404, 410})
MAX_QUOTE = 500  # characters of a response's body that an error quotes
OUR_HEADERS = ("Idempotency-Key", "X-Correlation-Id")
_BRIEF = Brief("urllib3")  # at DEBUG it prints queries, which may hold a key
_POSITIONS = ("params", "data", "headers", "cookies", "files", "auth", "timeout")  # requests' own

F = TypeVar("F")


class _Said(NamedTuple):
    """What a hook says of a call; the window in seconds."""

    find: Callable[[Step], Any] | None
    window: float | None
    repeat: bool
    once: bool


class Session(requests.Session):
    """What a hook knows as `self.http`.

    GET and HEAD pass through. POST and PATCH are steps; PUT and DELETE are repeated unless the
    call says `once=True` or brings `find=` or `window=`. Every answer of 400 or above raises
    `requests.HTTPError`, but 404 and 410 in a delete hook, where gone already is done. Redirects
    of a call that changes something are not followed unless it says `allow_redirects=True`.
    """

    def __init__(self, steps: Steps, honours: Mapping[str, timedelta]) -> None:
        super().__init__()
        self._steps, self._honours, self._in_request = steps, honours, False

    @overload  # type: ignore[override]  # the keywords go through as they are
    def request(
        self,
        method: str,
        url: str,
        *args: Any,
        find: None = None,
        window: timedelta | None = None,
        repeat: bool = False,
        once: bool = False,
        **kwargs: Any,
    ) -> requests.Response: ...

    @overload
    def request(
        self,
        method: str,
        url: str,
        *args: Any,
        find: Callable[[Step], F | None],
        window: timedelta | None = None,
        repeat: bool = False,
        once: bool = False,
        **kwargs: Any,
    ) -> requests.Response | F: ...

    def request(
        self,
        method: str,
        url: str,
        *args: Any,
        find: Callable[[Step], Any] | None = None,
        window: timedelta | None = None,
        repeat: bool = False,
        once: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Send a request; `find`, `window`, `repeat` and `once` as in a step.

        What `find` returns is returned in the place of a response: a response, or JSON.
        """
        method, asked = method.upper(), _asked(args, kwargs)
        host = urlsplit(url).hostname or "nowhere"
        name = f"{OF_HTTP}{method}.{self._steps.mask.text(host)}"
        said = _Said(find, seconds_of("window", window), repeat=repeat, once=once)
        repetition, seconds = self._repetition(method, url, said)
        if repetition is Repetition.READ:
            return self._steps.read(name, lambda: self._read(method, url, asked), verdict_of_read)
        _make_repeatable(asked)
        send = self._sending(method, url, asked)
        caller = self._steps.caller

        def send_and_read(step: Step) -> requests.Response:
            return self._whole(send(step), method, url)

        if caller.inside is not None:
            if find is not None:
                raise ConfigurationError(
                    f"{name} inside a step cannot bring find=: give it to self.step(...)"
                )
            single = repetition is Repetition.ONCE
            return caller.call_inside_step(name, send_and_read, verdict, single=single)
        repetition, seconds = repetition_in_hook(
            repetition, seconds, removes=method == "DELETE", deleting=self._steps.deleting
        )
        call = Call(name=name, run=send, repetition=repetition, window=seconds, verdict=verdict)
        if repetition is Repetition.AT_WILL:
            call = replace(call, run=send_and_read, verdict=verdict_of_read)
        else:  # a body that is too long cannot be kept, and the step has acted
            call = self._recorded(replace(call, find=None if once else find), method, url, asked)
        return self._steps.run(call)

    @overload  # type: ignore[override]  # as `request`
    def post(
        self, url: str, data: Any = None, json: Any = None, *, find: None = None, **kwargs: Any
    ) -> requests.Response: ...

    @overload
    def post(
        self,
        url: str,
        data: Any = None,
        json: Any = None,
        *,
        find: Callable[[Step], F | None],
        **kwargs: Any,
    ) -> requests.Response | F: ...

    def post(self, url: str, data: Any = None, json: Any = None, **kwargs: Any) -> Any:
        """Send a POST."""
        return self.request("POST", url, data=data, json=json, **kwargs)

    @overload  # type: ignore[override]  # as `request`
    def put(
        self, url: str, data: Any = None, *, find: None = None, **kwargs: Any
    ) -> requests.Response: ...

    @overload
    def put(
        self, url: str, data: Any = None, *, find: Callable[[Step], F | None], **kwargs: Any
    ) -> requests.Response | F: ...

    def put(self, url: str, data: Any = None, **kwargs: Any) -> Any:
        """Send a PUT."""
        return self.request("PUT", url, data=data, **kwargs)

    @overload  # type: ignore[override]  # as `request`
    def patch(
        self, url: str, data: Any = None, *, find: None = None, **kwargs: Any
    ) -> requests.Response: ...

    @overload
    def patch(
        self, url: str, data: Any = None, *, find: Callable[[Step], F | None], **kwargs: Any
    ) -> requests.Response | F: ...

    def patch(self, url: str, data: Any = None, **kwargs: Any) -> Any:
        """Send a PATCH."""
        return self.request("PATCH", url, data=data, **kwargs)

    @overload  # type: ignore[override]  # as `request`
    def delete(self, url: str, *, find: None = None, **kwargs: Any) -> requests.Response: ...

    @overload
    def delete(
        self, url: str, *, find: Callable[[Step], F | None], **kwargs: Any
    ) -> requests.Response | F: ...

    def delete(self, url: str, **kwargs: Any) -> Any:
        """Send a DELETE."""
        return self.request("DELETE", url, **kwargs)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a prepared request, which only reads."""
        if not self._in_request and request.method not in READ_METHODS:
            raise ConfigurationError(
                f"self.http.send() of a {request.method} would be no step: call"
                " self.http.request(...), post, put, patch or delete"
            )
        with _BRIEF:
            return super().send(request, **kwargs)

    def get_adapter(self, url: str) -> BaseAdapter:
        """Return what sends a request, and reads of its response no more than is bearable."""
        return BoundedAdapter(super().get_adapter(url))

    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        """Keep what is meant for one host from another one that it redirects to."""
        super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]  # requests'
        before, after = str(response.request.url), str(prepared_request.url)
        if self.should_strip_auth(before, after):  # type: ignore[no-untyped-call]  # requests'
            for name in OUR_HEADERS:
                prepared_request.headers.pop(name, None)

    def _sending(
        self, method: str, url: str, asked: Mapping[str, Any]
    ) -> Callable[[Step], requests.Response]:
        """Return what sends a call that changes something, as often as its step says."""
        was_sent = False

        def send(step: Step) -> requests.Response:
            nonlocal was_sent
            again, was_sent = was_sent or step.again, True
            gone_is_done = self._steps.deleting or (method == "DELETE" and again)
            passed = GONE_STATUSES if gone_is_done else ()
            return self._send(method, url, self._with_headers(asked, step), passed)

        return send

    def _send(
        self, method: str, url: str, asked: Mapping[str, Any], passed: Any = None
    ) -> requests.Response:
        if passed is None:
            passed = GONE_STATUSES if self._steps.deleting else ()
        self._in_request = True
        try:
            response = super().request(method, url, **asked)
        except requests.RequestException as error:
            # Its own text tells the whole URL.
            raise clean(error, f"{method} {self._where(url)}") from None
        finally:
            self._in_request = False
        unfollowed = method not in READ_METHODS and response.is_redirect
        if (response.status_code >= 400 and response.status_code not in passed) or unfollowed:
            raise self._http_error(response, method, url)
        return response

    def _read(self, method: str, url: str, asked: Mapping[str, Any]) -> requests.Response:
        return self._whole(self._send(method, url, asked), method, url)

    def _whole(self, response: requests.Response, method: str, url: str) -> requests.Response:
        """Return a response whose body is there as a whole."""
        if was_cut(response):
            raise BodyTooLong(
                f"{method} {self._where(url)}: the body is longer than {LONGEST_BODY} bytes when it"
                " is decoded. Ask for less, or GET it with stream=True and read it in pieces"
            )
        return response

    def _where(self, url: str) -> str:
        """Return a URL without what may be a secret: its query, who asks, secret properties."""
        return where(self._steps.mask.text(url))  # masked before it is cut

    def _http_error(self, response: requests.Response, method: str, url: str) -> requests.HTTPError:
        message = f"{response.status_code} for {method} {self._where(url)}"
        if response.is_redirect:
            message += (
                f": it redirects to {self._where(response.headers['location'])}. A call that"
                " changes something is not sent on: call that URL, or say allow_redirects=True"
            )
        elif response.content:
            said = response.content.decode(errors="replace")
            message += ": " + self._steps.mask.text(said, is_cut=was_cut(response))[:MAX_QUOTE]
        error = requests.HTTPError(message, response=response)
        seconds = response.headers.get("retry-after", "")
        error.retry_after = float(seconds) if seconds.isdecimal() else 0.0  # type: ignore[attr-defined]  # read by the step
        return error

    def _with_headers(self, asked: Mapping[str, Any], step: Step) -> dict[str, Any]:
        """Add the step's key and name, unless the hook has its own."""
        headers = CaseInsensitiveDict[Any](asked.get("headers") or {})
        for name, value in zip(OUR_HEADERS, (step.token, step.correlation_id), strict=True):
            if name not in self.headers:
                headers.setdefault(name, value)
        return {**asked, "headers": headers}

    def _recorded(self, call: Call, method: str, url: str, asked: Mapping[str, Any]) -> Call:
        """Return a call whose response and error the ledger can keep."""
        request = requests.Request(method, url, params=asked.get("params"))
        return replace(
            call,
            arguments=arguments_to_record(url, asked),
            to_record=response_to_record,
            from_record=partial(response_from_record, request=request),
            error_to_record=partial(error_to_record, mask=self._steps.mask),
            error_from_record=partial(error_from_record, request=request),
        )

    def _repetition(self, method: str, url: str, said: "_Said") -> tuple[Repetition, float | None]:
        """Return what a second call may do, and its window: by the hook's word, else its method.

        Args:
            method: In upper case.
            url: Where the call goes.
            said: What the hook says of the call.
        """
        if method in READ_METHODS:
            return Repetition.READ, None
        stays_open = not said.once and said.find is None and said.window is None
        by_nature = method in IDEMPOTENT_METHODS and stays_open
        window = self._window(url) if said.window is None else said.window
        return declared_repetition(repeat=said.repeat or by_nature, once=said.once, window=window)

    def _window(self, url: str) -> float | None:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2].lower()
        remembered = self._honours.get(f"{parts.scheme}://{host}")
        return None if remembered is None else remembered.total_seconds()


def _timeouts(asked: Any) -> Any:
    """Return time-outs, whatever was asked for: without them a hook waits for ever."""
    if asked is None:
        return TIMEOUTS
    if not isinstance(asked, tuple):
        return asked
    return tuple(ours if theirs is None else theirs for theirs, ours in zip(asked, TIMEOUTS))  # noqa: B905 - requests says what is wrong with it


def _asked(args: tuple[Any, ...], keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `requests.Session.request` is given, by name, with time-outs."""
    asked = {**dict(zip(_POSITIONS, args, strict=False)), **keywords}
    asked["timeout"] = _timeouts(asked.get("timeout"))
    return asked


def _make_repeatable(asked: dict[str, Any]) -> None:
    """Follow no redirects unasked, and read files: one is read once, and a call be made twice."""
    asked.setdefault("allow_redirects", False)
    asked["stream"] = False  # what is kept is read
    for part in ("data", "files"):
        if asked.get(part) is not None:
            asked[part] = _contents(asked[part])


def _contents(value: Any) -> Any:
    """Return what is sent with every file in it read, and every iterator."""
    if isinstance(value, Mapping):
        return {name: _contents(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([_contents(part) for part in value])
    if hasattr(value, "read"):
        return value.read()
    return b"".join(value) if hasattr(value, "__next__") else value
