"""What requests raised, and what it says of the effect; no text tells more than host and path."""

from http import HTTPStatus
from urllib.parse import urlsplit

import requests

from .._errors import ConfigurationError
from .call import Verdict
from .http_bodies import BodyTooLong

IDEMPOTENT_METHODS = frozenset({"PUT", "DELETE"})  # idempotent by RFC 9110, section 9.2.2
THROTTLED_STATUSES = frozenset({425, 429})
# Many servers answer a form that they took with these.
MAYBE_ACTED_STATUSES = frozenset({301, 302, 303})


def verdict_of_read(error: Exception) -> Verdict:
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
    if isinstance(error, UnicodeEncodeError) and error.encoding in ("latin-1", "iso-8859-1"):
        return Verdict.DEFINITIVE  # a header, which is spelt before anything is sent
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


def where(url: str) -> str:
    """Return a URL without its query, and without who asks."""
    parts = urlsplit(url)
    if not parts.scheme or not parts.netloc:
        return "what is no URL"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def clean(error: requests.RequestException, what: str) -> requests.RequestException:
    """Return the same kind of error with a text of ours."""
    cause = getattr(error.args[0] if error.args else None, "reason", None)
    kind = type(error if cause is None else cause).__name__
    masked = type(error)(f"{what}: {kind}{_system_error(error)}")
    masked.request = error.request
    # urllib3's names for a refused connection, and for a name that resolves to nothing.
    refused = kind in ("NewConnectionError", "NameResolutionError", "ProxyError")
    masked.never_sent = refused or isinstance(error, requests.ConnectTimeout)  # type: ignore[attr-defined]  # read by `verdict`
    return masked


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
