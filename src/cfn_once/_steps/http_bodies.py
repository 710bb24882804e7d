"""Bodies of HTTP responses: read no further than a bound, however few bytes are sent of them.

A few kilobytes of gzip may become gigabytes. A body is decoded piece by piece, so that the memory
and the time that it takes are bounded, and the watchdog's thread gets its turn.
"""

from typing import Any

import requests
from requests.adapters import BaseAdapter

from .._observability.mask import Mask

LONGEST_BODY = 16 * 2**20  # bytes, decoded; what is longer is read with stream=True
# An error and its body fit into a record of the ledger, though JSON may need six bytes for one.
LONGEST_ERROR_BODY = 48 * 2**10
PIECE = 8192  # bytes; zlib makes up to a thousand of one


class BodyTooLong(requests.RequestException):
    """A response came, and its body is too long to be read."""


class BoundedAdapter(BaseAdapter):
    """Reads bodies up to the bound, before requests reads them without one.

    Args:
        adapter: Sends the requests.
    """

    def __init__(self, adapter: BaseAdapter) -> None:
        super().__init__()
        self._adapter = adapter

    def send(  # type: ignore[override]  # the keywords go through as they are
        self, request: requests.PreparedRequest, **options: Any
    ) -> requests.Response:
        response = self._adapter.send(request, **options)
        response.connection = self  # type: ignore[assignment]  # by which digest asks again
        if not options.get("stream") or response.is_redirect or response.status_code >= 400:
            _read(response)
        return response

    def close(self) -> None:
        self._adapter.close()


def _read(response: requests.Response) -> None:
    limit = LONGEST_ERROR_BODY if response.status_code >= 400 else LONGEST_BODY
    body = bytearray()
    for piece in response.iter_content(PIECE):
        body += piece
        if len(body) > limit:
            response.close()
            response.was_cut = True  # type: ignore[attr-defined]  # read below
            break
    # requests has no public way to say what was read.
    vars(response).update(_content=bytes(body[:limit]), _content_consumed=True)


def was_cut(response: requests.Response) -> bool:
    """Tell whether a response has more of a body than was read."""
    return getattr(response, "was_cut", False)


def hide_secrets(response: requests.Response, mask: Mask) -> None:
    """Take secrets out of the body of a response that is kept."""
    # As Latin-1 each byte is a character, whatever they spell together.
    text = response.content.decode("latin-1")
    masked = mask.text(text, is_cut=was_cut(response))
    response._content = masked.encode("latin-1")  # noqa: SLF001 - as above
