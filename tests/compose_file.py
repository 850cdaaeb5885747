"""Reads docker-compose.yml the way Docker Compose does, for tests that check the file or start its services."""

import re
from typing import Any

import yaml
from paths import ROOT

Service = dict[str, Any]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Service] = COMPOSE["services"]


def interpolated(text: str, given: dict[str, str]) -> str:
    """Return ``text`` with ``${A:-b}``, ``${A:+b}`` and ``$$`` expanded, using the variables in ``given``."""

    def value(found: re.Match[str]) -> str:
        name, kind, other = found.groups()
        if name is None:
            return "$"
        return (other if given.get(name) else "") if kind == "+" else given.get(name) or other

    return re.sub(r"\$\$|\$\{(\w+):([-+])([^}]*)\}", value, text)


def environment(service: Service, **given: str) -> dict[str, str]:
    """Return the environment for a service's process."""
    return {name: interpolated(str(value), given) for name, value in service.get("environment", {}).items()}


def mounts(service: Service, **given: str) -> dict[str, tuple[str, bool]]:
    """Return the source of each mounted folder and whether the folder is writable."""
    parts = [interpolated(volume, given).split(":") for volume in service.get("volumes", [])]
    return {part[1]: (part[0], part[2:] != ["ro"]) for part in parts}
