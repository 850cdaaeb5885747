"""``thumbs db`` migrates, checks and purges the database."""

import dataclasses
import json
from typing import Annotated

import typer

from cli.open_database import open_database

app = typer.Typer(help="Migrate, check and purge the database.", no_args_is_help=True)


@app.command()
def upgrade() -> None:
    """Migrate the database to the version that this release needs.

    \b
    Example:
      DATABASE_URL=postgresql+psycopg://thumbs@localhost/thumbs thumbs db upgrade
    """
    from core.settings import read_settings
    from migrations.runner import upgrade as apply_migrations

    apply_migrations(read_settings().database_address)
    typer.echo("The database is up to date.", err=True)


@app.command()
def check() -> None:
    """Check the database's connection, version and key.

    The check decrypts the oldest and newest rows in every table, and lists the tables that still need an older key.

    \b
    Example:
      thumbs db check && thumbs bot
    """
    from core.settings import read_settings
    from storage.db.key_rotation import sample_keys
    from storage.errors import RowsUndecipherable

    with open_database(read_settings()) as database, database.reading() as unit:
        use = sample_keys(unit)
    if use.unknown:
        raise RowsUndecipherable(tables=", ".join(use.unknown))
    if use.older:
        typer.echo(f"These tables need an older key: {', '.join(use.older)}. Run thumbs key rotate.", err=True)
    typer.echo("The database responds, is up to date and can be decrypted with this key.", err=True)


@app.command()
def purge(
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as one JSON object.")] = False,
) -> None:
    """Delete data past its retention period, and print the counts.

    RETENTION_DAYS and INBOX_RETENTION_DAYS set the periods.

    \b
    Examples:
      thumbs db purge
      RETENTION_DAYS=30 thumbs db purge --json
    """
    from datetime import UTC, datetime

    from core.settings import read_settings
    from storage.privacy.retention import purge as purge_rows

    settings = read_settings()
    with open_database(settings) as database, database.unit_of_work() as unit:
        now = datetime.now(UTC)
        purged = purge_rows(unit, now, settings.retention_days, settings.inbox_retention_days)
    counts = dataclasses.asdict(purged)
    if as_json:
        typer.echo(json.dumps(counts))
    else:
        typer.echo("Deleted:")
        for name, count in counts.items():
            typer.echo(f"{count:8,} {name.replace('_', ' ')}")
