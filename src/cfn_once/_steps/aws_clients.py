"""boto3 clients, kept across events: one for each service and its options.

A client takes milliseconds to make, and most of a run in a test. What a hook gets is a face of it,
whose calls go through the hook's steps; the client behind it belongs to no event.
"""

import os
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import UnknownServiceError

from .._errors import ConfigurationError
from .._properties.suggestions import did_you_mean

CONNECT_TIMEOUT, READ_TIMEOUT = 5, 60  # seconds; botocore would wait a minute for each
MOST_KEPT = 32  # a Region each, say; then the one that was made first goes
REDIRECTS = frozenset({301, 302, 307, 308})
# What botocore reads of the environment when it makes a client.
_READ = re.compile(r"AWS_|REQUESTS_CA_BUNDLE$|(HTTPS?|ALL|NO)_PROXY$", re.IGNORECASE)
_OF_ONE_EVENT = frozenset({"aws_access_key_id", "aws_secret_access_key", "aws_session_token"})


class Clients:
    """The clients of a process, of boto3's default session at the time."""

    def __init__(self) -> None:
        self._kept: dict[Any, Any] = {}
        self._session: Any = None
        self._lock = threading.Lock()  # boto3's default session may not be used by two threads

    def get(self, service: str, options: Mapping[str, Any]) -> Any:
        """Return the client of a service, made or kept.

        One with credentials of its own is made each time: they are of one event.

        Raises:
            ConfigurationError: boto3 has no such service.
        """
        if _OF_ONE_EVENT.intersection(name for name, value in options.items() if value is not None):
            return _made(service, options)
        config = options.get("config")
        try:
            settings = None if config is None else vars(config)
            key = (service, _frozen({**options, "config": settings}), _environment())
        except TypeError:  # something in it may exist twice, and compare equal
            return _made(service, options)
        with self._lock:
            if boto3.DEFAULT_SESSION is not self._session:
                self._kept.clear()
            if key not in self._kept:
                while len(self._kept) >= MOST_KEPT:
                    del self._kept[next(iter(self._kept))]
                self._kept[key] = _made(service, options)
                self._session = boto3.DEFAULT_SESSION
            return self._kept[key]


CLIENTS = Clients()


def face_of(client: Any, send: Callable[[str, dict[str, Any]], Any]) -> Any:
    """Return a client that is like another one, and whose calls go through `send`.

    All operations come through the one method that is replaced, paginators and waiters too.
    """
    face = _twin(client)
    face._make_api_call = send  # noqa: SLF001 - botocore has no public one
    return face


def sends_once(client: Any) -> Callable[[str, dict[str, Any]], Any]:
    """Return what sends a call once, over a connection that nobody has used before.

    botocore acts on a lost answer by itself, and a connection that was kept over a freeze of the
    function is lost as soon as it is used. A redirect is followed: nothing was done there.

    Raises:
        ConfigurationError: This botocore is made otherwise.
    """
    once = _twin(client)
    endpoint = vars(client).get("_endpoint")
    again = getattr(endpoint, "_needs_retry", None)
    if again is None:
        raise ConfigurationError(
            f"botocore {botocore.__version__} is made otherwise than those that are known here, and"
            " a call that must not be made twice might be: pin the botocore that you had before"
        )

    def is_redirected(_: int, *of: Any) -> bool:
        response = of[2][0] if len(of) > 2 and of[2] is not None else None
        return response is not None and response.status_code in REDIRECTS and bool(again(_, *of))

    once._endpoint = _twin(endpoint)  # noqa: SLF001 - as above
    once._endpoint._needs_retry = is_redirected  # noqa: SLF001 - as above
    client.close()
    sent: Callable[[str, dict[str, Any]], Any] = once._make_api_call  # noqa: SLF001 - as above
    return sent


def _twin(thing: Any) -> Any:
    """Return another one with the same parts; `copy` would ask a client for what it has not."""
    twin = object.__new__(type(thing))
    vars(twin).update(vars(thing))
    return twin


def _made(service: str, options: Mapping[str, Any]) -> Any:
    given = {**options, "config": _with_timeouts(options.get("config"))}
    try:
        return boto3.client(service, **given)  # type: ignore[call-overload]  # any service
    except UnknownServiceError as error:
        near = did_you_mean(str(service), str(error.kwargs["known_service_names"]).split(", "))
        raise ConfigurationError(f"boto3 has no service {service!r}{near}") from None


def _with_timeouts(given: Config | None) -> Config:
    config = Config(
        connect_timeout=CONNECT_TIMEOUT, read_timeout=READ_TIMEOUT, retries={"mode": "standard"}
    )
    config = config if given is None else config.merge(given)
    options: Any = config  # its attributes are made of its arguments
    if options.connect_timeout is None:
        config = config.merge(Config(connect_timeout=CONNECT_TIMEOUT))
    return config if options.read_timeout else config.merge(Config(read_timeout=READ_TIMEOUT))


def _environment() -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, value) for name, value in os.environ.items() if _READ.match(name)))


def _frozen(value: Any) -> Any:
    """Return a value that is equal where the options are.

    Raises:
        TypeError: Something in it does not differ from another one.
    """
    if isinstance(value, Mapping):
        return tuple((name, _frozen(value[name])) for name in sorted(value))
    if isinstance(value, list | tuple):
        return tuple(map(_frozen, value))
    hash(value)
    return value
