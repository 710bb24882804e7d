"""Which proxy an answer goes through: as the environment says, like every other call."""

import os
from dataclasses import field
from urllib.parse import unquote, urlsplit

from .._frozen import Frozen


class ProxyUnreadable(ValueError):
    """The environment names a proxy that nobody can go through; the text does not repeat it."""


class Proxy(Frozen):
    """One proxy.

    Attributes:
        url: Its scheme, host and port, without credentials.
        credentials: `user:password`, or nothing; a secret.
    """

    url: str
    credentials: str = field(default="", repr=False)

    def headers(self) -> dict[str, str]:
        """Return what tells the proxy who asks."""
        if not self.credentials:
            return {}
        from base64 import b64encode  # only where it is needed

        encoded = b64encode(self.credentials.encode("utf-8", "replace"))
        return {"proxy-authorization": f"Basic {encoded.decode()}"}


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy for a URL by HTTPS_PROXY or HTTP_PROXY, ALL_PROXY and NO_PROXY.

    Their names may be in lower case. NO_PROXY names hosts and domains, with a port or without one,
    and networks such as 10.0.0.0/8, as it does for requests; `*` is all.

    Raises:
        ProxyUnreadable: There is a proxy, and its URL is not http:// or https:// and a host.
    """
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    from urllib.request import getproxies, proxy_bypass  # only where there may be a proxy

    proxies, parts = getproxies(), urlsplit(url)
    named = proxies.get(parts.scheme) or proxies.get("all")
    if not named or proxy_bypass(parts.netloc):
        return None
    if _is_in_network(parts.hostname or "", proxies.get("no", "")):
        return None
    return _read(named)


def _read(named: str) -> Proxy:
    try:
        parts = urlsplit(named if "://" in named else f"http://{named.lstrip('/')}")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        parts, port = urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ProxyUnreadable("give HTTPS_PROXY as http://host:port or https://host:port")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    url = f"{parts.scheme}://{host}{port}"
    return Proxy(url=url, credentials=f"{user}:{password}" if user else "")


def _is_in_network(host: str, no_proxy: str) -> bool:
    """Tell whether a host is an address in one of the networks that NO_PROXY names."""
    networks = [name.strip() for name in no_proxy.split(",") if "/" in name]
    if not networks:
        return False
    from ipaddress import ip_address, ip_network  # as above

    try:
        address = ip_address(host)
        return any(address in ip_network(network, strict=False) for network in networks)
    except ValueError:  # a name, or something else than a network
        return False
