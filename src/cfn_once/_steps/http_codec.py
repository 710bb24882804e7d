"""
What the ledger keeps of an HTTP call: JSON, and what a hook gets of it in a later run.

    what was asked for    text; a repetition that asks for something else is refused
    response              status, content type and body
    what `find` returned  as it is
    error                 kind and message, with its response where there was one
"""

import base64
from collections.abc import Mapping
from http.client import responses
from typing import Any

import requests
from requests.utils import get_encoding_from_headers

from .._cloudformation.canonical import Json, canonical
from .._errors import PermanentError
from .._observability.mask import Mask
from .call import LONGEST_RESULT, failure_from_record, failure_to_record
from .http_bodies import hide_secrets


def arguments_to_record(url: str, asked: Mapping[str, Any]) -> str:
    """Return what a call asks for as text.

    Args:
        url: Where it goes.
        asked: The keywords of `requests.Session.request`.
    """
    parts = {name: asked.get(name) for name in ("params", "json", "data", "files")}
    return canonical(_plain([url, parts]))


def _plain(value: Any) -> Json:
    if isinstance(value, Mapping):
        return {str(name): _plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(element) for element in value]
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if value is None or isinstance(value, str | int | float):
        return value
    return type(value).__name__  # what tells two of a kind apart may differ from run to run


def response_to_record(response: Any) -> Json:
    """Keep a response, or what a look-up returned in its place.

    Raises:
        PermanentError: Its body is too long; what was asked for has been done.
    """
    if not isinstance(response, requests.Response):
        return {"found": response}
    if len(response.content) > LONGEST_RESULT:
        raise PermanentError(
            f"{response.request.method} was answered {response.status_code} with a body of more"
            f" than the {LONGEST_RESULT} bytes that can be kept: ask for less, or make the call"
            " inside self.step(...) and return what is needed of it"
        )
    kept = {
        "status": response.status_code,
        "type": response.headers.get("content-type", ""),
    }
    try:
        return {**kept, "text": response.content.decode()}
    except UnicodeDecodeError:
        return {**kept, "base64": base64.b64encode(response.content).decode()}


def response_from_record(kept: Json, *, request: requests.Request) -> Any:
    """Return the response to a request, or what a look-up returned in its place."""
    if "found" in kept:
        return kept["found"]
    response = requests.Response()
    response.status_code = kept["status"]
    response.reason = responses.get(kept["status"], "")
    if kept["type"]:
        response.headers["content-type"] = kept["type"]
    content = kept["text"].encode() if "text" in kept else base64.b64decode(kept["base64"])
    response._content = content  # noqa: SLF001 - requests has no public way to build a response
    response.encoding = get_encoding_from_headers(response.headers)
    response.request = request.prepare()
    response.url = str(response.request.url)
    return response


def error_to_record(error: Exception, *, mask: Mask) -> Json:
    """Keep an error, with the response that it brings, less what the mask hides in its body."""
    kept = failure_to_record(error)
    if isinstance(error, requests.HTTPError) and error.response is not None:
        hide_secrets(error.response, mask)
        return {**kept, "response": response_to_record(error.response)}
    return kept


def error_from_record(kept: Json, *, request: requests.Request) -> Exception:
    """Return the error of a request: of requests where it was one, else StepFailed."""
    if "response" in kept:
        response = response_from_record(kept["response"], request=request)
        return requests.HTTPError(kept["message"], response=response)
    kind = getattr(requests.exceptions, kept["kind"], None)
    if isinstance(kind, type) and issubclass(kind, requests.RequestException):
        return kind(kept["message"])
    return failure_from_record(kept)
