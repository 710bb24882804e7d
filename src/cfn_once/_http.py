"""HTTP for hooks: a `requests.Session` whose writes are steps."""

import base64
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import requests

from ._request import Json, canonical
from ._steps import Call, Step, Steps, Verdict

TIMEOUTS = (5.0, 30.0)  # seconds to connect, and between two bytes
READS = frozenset({"GET", "HEAD", "OPTIONS"})
REPEATED = frozenset({"PUT", "DELETE"})  # idempotent by RFC 9110, section 9.2.2
GONE = frozenset({404, 410})
THROTTLES = frozenset({425, 429})

Find = Callable[[Step], Any | None]


class Session(requests.Session):
    """What a hook knows as `self.http`.

    GET and HEAD pass through. POST and PATCH are steps; PUT and DELETE are repeated unless the
    call says `once=True` or brings `find=`. Every answer of 400 or above raises
    `requests.HTTPError`, but 404 and 410 in a delete hook, where gone already is done.
    """

    def __init__(self, steps: Steps, honours: Mapping[str, timedelta]) -> None:
        super().__init__()
        self._steps, self._honours = steps, honours

    def request(  # type: ignore[override]  # the keywords go through as they are
        self,
        method: str,
        url: str,
        *args: Any,
        find: Find | None = None,
        once: bool = False,
        **kwargs: Any,
    ) -> requests.Response:
        """Send a request; `find` and `once` as in a step."""
        method = method.upper()
        kwargs.setdefault("timeout", TIMEOUTS)
        name = f"http.{method}.{urlsplit(url).hostname or 'nowhere'}"

        def send(step: Step | None) -> requests.Response:
            headers = dict(kwargs.get("headers") or {})
            if step is not None:
                headers["Idempotency-Key"] = step.token
                headers["X-Correlation-Id"] = step.correlation_id
            response = super(Session, self).request(
                method, url, *args, **{**kwargs, "headers": headers}
            )
            if not (self._steps.deleting and response.status_code in GONE):
                response.raise_for_status()
            return response

        if method in READS:
            return self._steps.read(name, lambda: send(None))
        if self._steps.inside is not None:
            return self._steps.within(name, send, verdict)
        found: requests.Response = self._steps.run(
            Call(
                name=name,
                run=send,
                arguments=_arguments(url, args, kwargs),
                find=find,
                window=self._window(url),
                repeat=method in REPEATED and not once and find is None,
                once=once,
                verdict=verdict,
                to_record=_to_record,
                from_record=lambda kept: _from_record(kept, method, url),
                error_to_record=_error_to_record,
                error_from_record=lambda kept: _error_from_record(kept, method, url),
            )
        )
        return found

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

    def _window(self, url: str) -> float | None:
        parts = urlsplit(url)
        remembered = self._honours.get(f"{parts.scheme}://{parts.netloc}")
        return None if remembered is None else remembered.total_seconds()


def verdict(error: Exception) -> Verdict:
    """Judge what requests raised: was the request acted on?"""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        status = error.response.status_code
        if status in THROTTLES:
            return Verdict.THROTTLED
        return Verdict.DEFINITIVE if 400 <= status < 500 else Verdict.IN_DOUBT
    if isinstance(error, requests.ConnectTimeout) or _never_connected(error):
        return Verdict.NOT_SENT
    unsent = (
        requests.exceptions.InvalidSchema,
        requests.exceptions.InvalidURL,
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidHeader,
        requests.exceptions.InvalidJSONError,
        TypeError,
    )
    return Verdict.DEFINITIVE if isinstance(error, unsent) else Verdict.IN_DOUBT


def _never_connected(error: Exception) -> bool:
    if not isinstance(error, requests.ConnectionError):
        return False
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    # urllib3's names for a refused connection and for a name that resolves to nothing
    return type(reason).__name__ in ("NewConnectionError", "NameResolutionError")


def _arguments(url: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    asked = {name: kwargs.get(name) for name in ("params", "json", "data")}
    try:
        return canonical([url, [repr(one) for one in args], asked])
    except TypeError:  # files and streams: told apart by their kinds
        return canonical([url, {name: type(value).__name__ for name, value in asked.items()}])


def _to_record(response: requests.Response) -> Json:
    kept = {
        "status": response.status_code,
        "type": response.headers.get("content-type", ""),
    }
    try:
        return {**kept, "text": response.content.decode()}
    except UnicodeDecodeError:
        return {**kept, "base64": base64.b64encode(response.content).decode()}


def _from_record(kept: Json, method: str, url: str) -> requests.Response:
    response = requests.Response()
    response.status_code = kept["status"]
    response.headers["content-type"] = kept["type"]
    content = kept["text"].encode() if "text" in kept else base64.b64decode(kept["base64"])
    response._content = content  # noqa: SLF001 - requests has no public way to build a response
    response.encoding = "utf-8" if "text" in kept else None
    response.url = url
    response.request = requests.Request(method, url).prepare()
    return response


def _error_to_record(error: Exception) -> Json:
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return _to_record(error.response)
    return {"status": 0, "kind": type(error).__name__}


def _error_from_record(kept: Json, method: str, url: str) -> Exception:
    if not kept["status"]:
        host = urlsplit(url).hostname
        return requests.ConnectionError(f"{method} to {host} was never sent: {kept['kind']}")
    response = _from_record(kept, method, url)
    path = urlsplit(url)
    text = response.text[:500]
    return requests.HTTPError(
        f"{kept['status']} for {method} {path.scheme}://{path.netloc}{path.path}: {text}",
        response=response,
    )
