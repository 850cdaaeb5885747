"""``thumbs health``: asks a bot or worker on this machine whether it is ready."""

import json
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cli.addresses import reachable_host
from cli.errors import NotMonitored, NotReady
from core.errors import BadSetting

if TYPE_CHECKING:
    import httpx

_SECONDS: Final = 15.0


def health(
    as_json: Annotated[bool, typer.Option("--json", help="Print the checks as one JSON object.")] = False,
) -> None:
    """Check that the bot or worker on this machine is ready, so that it can reach everything it depends on.

    Asks the process that serves METRICS_PORT. The exit status is 1 if it is not ready or does not respond.

    \b
    Examples:
      METRICS_PORT=9464 thumbs health
      METRICS_PORT=9464 thumbs health --json
    """
    import httpx

    from core.settings import read_settings

    settings = read_settings()
    if not settings.metrics_port:
        raise BadSetting(name="METRICS_PORT", reason="it must be the port where the bot or worker reports its health")
    address = f"{reachable_host(settings.metrics_listen)}:{settings.metrics_port}"
    try:
        answer = httpx.get(f"http://{address}/ready", timeout=_SECONDS, trust_env=False)
    except httpx.HTTPError as error:
        raise NotMonitored(address=address) from error
    _report(answer, as_json)


def _report(answer: "httpx.Response", as_json: bool) -> None:
    checks: dict[str, str | None] = answer.json()["problems"]
    if as_json:
        typer.echo(json.dumps(answer.json()))
    problems = [f"{name}: {problem}" for name, problem in checks.items() if problem]
    if problems:
        raise NotReady(problems=" ".join(problems))
    if not as_json:
        typer.echo(f"Ready: {', '.join(checks)}.")
