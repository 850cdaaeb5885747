"""``thumbs status`` shows what the bots and workers are doing, according to the database."""

import dataclasses
import json
from typing import Annotated

import typer

from cli.open_database import open_database

AsJson = Annotated[bool, typer.Option("--json", help="Print the status as one JSON object.")]


def status(as_json: AsJson = False) -> None:
    """Show pending work, the last run, models, workers and errors.

    The status also includes each bot's model and the free disk space.

    \b
    Examples:
      thumbs status
      thumbs status --json
    """
    from bot.admin.system_status import read_status, read_surroundings, status_lines
    from core.settings import read_settings

    settings = read_settings()
    with open_database(settings) as database, database.reading() as unit:
        found = read_status(unit)
    around = read_surroundings(settings)
    if not as_json:
        for line in status_lines(found, around):
            typer.echo(line)
        return
    parts = {**dataclasses.asdict(found.chat), **dataclasses.asdict(found.learning), **dataclasses.asdict(around)}
    typer.echo(json.dumps({**parts, "errors_of_24_hours": dataclasses.asdict(found.errors)}, default=str))
