"""Chooses the proxy for calls to Telegram from the usual environment variables."""

import os
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from core.errors import BadSetting
from core.hosts import is_loopback


def proxy_for(url: str) -> str | None:
    """Return the URL of the proxy for ``url``, or None to connect directly.

    Connections to this machine are always direct. Raise BadSetting if the environment names a proxy that is not an HTTP
    proxy.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host) or proxy_bypass(host):
        return None
    proxies = getproxies()
    scheme = next((scheme for scheme in (parts.scheme, "all") if proxies.get(scheme)), None)
    if scheme is None:
        return None
    address = proxies[scheme] if "://" in proxies[scheme] else f"http://{proxies[scheme]}"
    if not _is_http_proxy(address):
        reason = f"only URLs of HTTP proxies are supported; set NO_PROXY={host} to connect directly"
        raise BadSetting(name=_variable(scheme), reason=reason)
    return address


def _is_http_proxy(address: str) -> bool:
    try:
        url = httpx.Proxy(address).url
    except (ValueError, httpx.InvalidURL):  # the message may contain a password, so it is dropped
        return False
    return url.scheme in ("http", "https") and bool(url.host)


def _variable(scheme: str) -> str:
    """Return the name of the variable that sets the proxy. The lower-case name takes precedence."""
    name = f"{scheme}_proxy"
    return name if os.environ.get(name) else name.upper()
