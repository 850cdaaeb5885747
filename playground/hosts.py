"""Host names and addresses of this machine."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Return whether ``host``, without brackets and in lower case, always means this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
