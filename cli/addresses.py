"""Addresses of servers on this machine."""


def reachable_host(host: str) -> str:
    """Return the host name that processes on this machine use to reach a server listening on ``host``."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- compared, not listened on
