"""
HTTP for hooks: a `requests.Session` whose writes are steps.

    GET, HEAD, OPTIONS    passed through
    PUT, DELETE           made again at will, unless the call says `once=True` or brings `find=`;
                          a DELETE of a create or update hook is recorded
    POST, PATCH           recorded; made again in doubt only where the API honours the key that is
                          sent along, or where `find=` has looked

No error tells more of a URL than its host and path: a query may hold a key.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from .._errors import ConfigurationError
from .call import Call, Repetition, Step, Verdict, declared_repetition, repetition_in_hook
from .http_bodies import LONGEST_BODY, BodyTooLong, BoundedAdapter, was_cut
from .http_codec import (
    arguments_to_record,
    error_from_record,
    error_to_record,
    response_from_record,
    response_to_record,
)
from .steps import Steps

TIMEOUTS = (5.0, 30.0)  # seconds to connect, and between two bytes
READ_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
IDEMPOTENT_METHODS = frozenset({"PUT", "DELETE"})  # idempotent by RFC 9110, section 9.2.2
GONE_STATUSES = frozenset({404, 410})
THROTTLED_STATUSES = frozenset({425, 429})
# Many servers answer a form that they took with these.
MAYBE_ACTED_STATUSES = frozenset({301, 302, 303})
MAX_QUOTE = 500  # characters of a response's body that an error quotes
OUR_HEADERS = ("Idempotency-Key", "X-Correlation-Id")
_POSITIONS = ("params", "data", "headers", "cookies", "files", "auth", "timeout")  # requests' own

Find = Callable[[Step], Any | None]


class Session(requests.Session):
    """What a hook knows as `self.http`.

    GET and HEAD pass through. POST and PATCH are steps; PUT and DELETE are repeated unless the
    call says `once=True` or brings `find=`. Every answer of 400 or above raises
    `requests.HTTPError`, but 404 and 410 in a delete hook, where gone already is done. Redirects
    of a call that changes something are not followed unless it says `allow_redirects=True`.
    """

    def __init__(self, steps: Steps, honours: Mapping[str, timedelta]) -> None:
        super().__init__()
        self._steps, self._honours, self._in_request = steps, honours, False

    def request(  # type: ignore[override]  # the keywords go through as they are
        self,
        method: str,
        url: str,
        *args: Any,
        find: Find | None = None,
        once: bool = False,
        **kwargs: Any,
    ) -> requests.Response:
        """Send a request; `find` and `once` as in a step.

        What `find` returns is returned in the place of a response: a response, or JSON.
        """
        method, asked = method.upper(), _asked(args, kwargs)
        host = urlsplit(url).hostname or "nowhere"
        name = f"http.{method}.{self._steps.mask.text(host)}"
        repetition, window = self._repetition(method, url, once=once, finds=find is not None)
        if repetition is Repetition.READ:
            return self._steps.read(name, lambda: self._read(method, url, asked), _verdict_of_read)
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
        repetition, window = repetition_in_hook(
            repetition, window, removes=method == "DELETE", deleting=self._steps.deleting
        )
        call = Call(name=name, run=send, repetition=repetition, window=window, verdict=verdict)
        if repetition is Repetition.AT_WILL:
            call = replace(call, run=send_and_read, verdict=_verdict_of_read)
        else:  # a body that is too long cannot be kept, and the step has acted
            call = self._recorded(replace(call, find=None if once else find), method, url, asked)
        response: requests.Response = self._steps.run(call)
        return response

    def post(self, url: str, data: Any = None, json: Any = None, **kwargs: Any) -> Any:  # type: ignore[override]  # as `request`
        """Send a POST."""
        return self.request("POST", url, data=data, json=json, **kwargs)

    def put(self, url: str, data: Any = None, **kwargs: Any) -> Any:  # type: ignore[override]  # as `request`
        """Send a PUT."""
        return self.request("PUT", url, data=data, **kwargs)

    def patch(self, url: str, data: Any = None, **kwargs: Any) -> Any:  # type: ignore[override]  # as `request`
        """Send a PATCH."""
        return self.request("PATCH", url, data=data, **kwargs)

    def delete(self, url: str, **kwargs: Any) -> Any:  # type: ignore[override]  # as `request`
        """Send a DELETE."""
        return self.request("DELETE", url, **kwargs)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a prepared request, which only reads."""
        if not self._in_request and request.method not in READ_METHODS:
            raise ConfigurationError(
                f"self.http.send() of a {request.method} would be no step: call"
                " self.http.request(...), post, put, patch or delete"
            )
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
            raise _clean(error, f"{method} {self._where(url)}") from None
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
        return _where(self._steps.mask.text(url))  # masked before it is cut

    def _http_error(self, response: requests.Response, method: str, url: str) -> requests.HTTPError:
        told = f"{response.status_code} for {method} {self._where(url)}"
        if response.is_redirect:
            told += (
                f": it redirects to {self._where(response.headers['location'])}. A call that"
                " changes something is not sent on: call that URL, or say allow_redirects=True"
            )
        elif response.content:
            said = response.content.decode(errors="replace")
            told += ": " + self._steps.mask.text(said, is_cut=was_cut(response))[:MAX_QUOTE]
        error = requests.HTTPError(told, response=response)
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

    def _repetition(
        self, method: str, url: str, *, once: bool, finds: bool
    ) -> tuple[Repetition, float | None]:
        """Return what a second call may do, and its window: by its method, and the hook's word.

        Args:
            method: In upper case.
            url: Where the call goes.
            once: It must never run twice.
            finds: It brings a look-up.
        """
        if method in READ_METHODS:
            return Repetition.READ, None
        by_nature = method in IDEMPOTENT_METHODS and not once and not finds
        return declared_repetition(repeat=by_nature, once=once, window=self._window(url))

    def _window(self, url: str) -> float | None:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2].lower()
        remembered = self._honours.get(f"{parts.scheme}://{host}")
        return None if remembered is None else remembered.total_seconds()


def _verdict_of_read(error: Exception) -> Verdict:
    """Judge an error of a call that may be made again: a body stays as long as it is."""
    return Verdict.DEFINITIVE if isinstance(error, BodyTooLong) else verdict(error)


def verdict(error: Exception) -> Verdict:
    """Judge what requests raised: was the request acted on?"""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return _verdict_of(error.response)
    if getattr(error, "never_sent", False):
        return Verdict.NOT_SENT
    unsent = (
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidSchema,
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidHeader,
        requests.exceptions.InvalidJSONError,
        ConfigurationError,
        TypeError,
    )
    untrusted = isinstance(error, requests.exceptions.SSLError) and "certificate" in str(error)
    return Verdict.DEFINITIVE if untrusted or isinstance(error, unsent) else Verdict.IN_DOUBT


def _verdict_of(response: requests.Response) -> Verdict:
    status = response.status_code
    if status in THROTTLED_STATUSES:
        return Verdict.THROTTLED
    if status in MAYBE_ACTED_STATUSES and response.request.method not in IDEMPOTENT_METHODS:
        return Verdict.IN_DOUBT
    # After 408 the server had waited too long, perhaps for the rest of what it had begun to do.
    doubt = status >= 500 or status == HTTPStatus.REQUEST_TIMEOUT
    return Verdict.IN_DOUBT if doubt else Verdict.DEFINITIVE


def _where(url: str) -> str:
    parts = urlsplit(url)
    if not parts.scheme or not parts.netloc:
        return "what is no URL"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _clean(error: requests.RequestException, what: str) -> requests.RequestException:
    """Return the same kind of error with a text of ours."""
    cause = getattr(error.args[0] if error.args else None, "reason", None)
    kind = type(error if cause is None else cause).__name__
    clean = type(error)(f"{what}: {kind}{_system_error(error)}")
    clean.request = error.request
    # urllib3's names for a refused connection, and for a name that resolves to nothing.
    refused = kind in ("NewConnectionError", "NameResolutionError", "ProxyError")
    clean.never_sent = refused or isinstance(error, requests.ConnectTimeout)  # type: ignore[attr-defined]  # read by `verdict`
    return clean


def _system_error(error: BaseException) -> str:
    """Return what the system said, which knows nothing of URLs."""
    met: list[BaseException] = []
    while error not in met:
        met.append(error)
        if isinstance(error, OSError) and error.strerror:
            return f": {error.strerror}"
        following = error.__cause__ or error.__context__
        if following is None:
            break
        error = following
    return ""


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
