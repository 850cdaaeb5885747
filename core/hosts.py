"""Recognises the host names and addresses of this machine."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Return whether ``host``, in lower case and without brackets, always refers to this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
