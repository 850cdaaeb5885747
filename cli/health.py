"""``thumbs health`` asks a bot or worker on this machine whether it is ready."""

import json
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cli.addresses import reachable_host
from cli.errors import MetricsPortNotSet, NotMonitored, NotReady

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECONDS: Final = 15.0


def health(
    as_json: Annotated[bool, typer.Option("--json", help="Print the checks as one JSON object.")] = False,
) -> None:
    """Check that the bot or worker on this machine is ready.

    A process is ready if it can reach everything that it depends on. The command asks the process that listens on
    METRICS_PORT. The exit status is 1 if that process is not ready or does not respond.

    \b
    Examples:
      METRICS_PORT=9464 thumbs health
      METRICS_PORT=9464 thumbs health --json
    """
    import httpx

    from core.settings import read_settings

    settings = read_settings()
    if not settings.metrics_port:
        raise MetricsPortNotSet
    host = reachable_host(settings.metrics_listen)
    address = f"[{host}]:{settings.metrics_port}" if ":" in host else f"{host}:{settings.metrics_port}"
    try:
        answer = httpx.get(f"http://{address}/ready", timeout=_SECONDS, trust_env=False)
        checks = {str(name): problem for name, problem in answer.json()["problems"].items()}
    # Another program may be using the port, and it may send anything.
    except (httpx.HTTPError, httpx.InvalidURL, AttributeError, LookupError, TypeError, ValueError) as error:
        raise NotMonitored(address=address) from error
    _report(checks, as_json)


def _report(checks: "Mapping[str, str | None]", as_json: bool) -> None:
    problems = [f"{name}: {problem}" for name, problem in checks.items() if problem]
    if as_json:
        typer.echo(json.dumps({"working": not problems, "problems": checks}))
    if problems:
        raise NotReady(problems=" ".join(problems))
    if not as_json:
        typer.echo(f"Ready: {', '.join(checks)}.")
