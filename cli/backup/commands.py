"""``thumbs backup`` and ``thumbs restore`` save and restore the database and the published models in one archive."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cli.open_database import open_database

if TYPE_CHECKING:
    from core.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
# Maximum difference between the clocks on two machines: the one that made the backup and the one with the list of
# deletions.
_CLOCK_DIFFERENCE: Final = timedelta(minutes=5)


def backup(
    out: Annotated[Path, typer.Option(help="Archive to write, preferably on a different disk from the database.")],
    as_json: AsJson = False,
) -> None:
    """Write the database and the published models to an archive.

    Bots and workers can keep running in the meantime. If a model's files are missing or unreadable, the command leaves
    that model out, names it, and exits with status 1.

    People's texts stay encrypted. The archive does not contain the key, so keep a copy of the key somewhere else.
    DATA_DIR contains the list of deletions that a restore applies.

    \b
    Examples:
      thumbs backup --out /mnt/backups/thumbs.tar
      thumbs backup --out /mnt/backups/thumbs.tar --json
    """
    from cli.backup.models import add_models
    from cli.backup.row_progress import with_progress
    from cli.errors import IncompleteBackup
    from core.settings import read_settings
    from storage.backup import archive
    from storage.backup.rows import last_ids, read_rows, tables_in
    from storage.db.tables import SCHEMA_REVISION
    from storage.models import registry

    settings = read_settings()
    started = datetime.now(UTC)
    with open_database(settings) as database, archive.writing(out) as writer:
        with database.reading() as unit:
            connection = unit.connection()
            tables = tables_in(connection)
            for table in tables:
                writer.add_table(table.name, with_progress(table.name, read_rows(connection, table)))
            ids, versions = last_ids(connection, tables), registry.versions(unit)
        missing = add_models(settings, database, writer, versions)
        contents = writer.finish(started, SCHEMA_REVISION, ids)
    rows, models = sum(contents.rows.values()), len(contents.models)
    if as_json:
        typer.echo(json.dumps({"archive": str(out), "rows": rows, "models": models, "missing": missing}))
    else:
        typer.echo(f"Wrote {rows:,} rows and {models} models to {out}. Keep the key somewhere else.", err=True)
    if missing:
        raise IncompleteBackup(path=out, versions=", ".join(missing))


def restore(
    path: Annotated[Path, typer.Argument(metavar="ARCHIVE", help="Archive written by thumbs backup.")],
    deletions: Annotated[
        list[Path] | None,
        typer.Option(help="List of deletions to apply; may be repeated. Default: deletions.txt in DATA_DIR."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Restore an archive into an empty database.

    Deletions made since the backup are applied again.

    You need the key that the database was encrypted with. Updates and replies that were pending when the backup was
    made are set aside, because the bot may have handled them since. To see them, run thumbs updates list and thumbs
    outbox list.

    \b
    Examples:
      thumbs restore /mnt/backups/thumbs.tar
      DATABASE_URL=postgresql+psycopg://thumbs@localhost/new thumbs restore /mnt/backups/thumbs.tar --json
    """
    from cli.backup.restoring import finish, require_restorable, restore_rows_and_models
    from core.settings import read_settings
    from storage.backup import archive

    settings = read_settings()
    with archive.reading(path) as opened:
        require_restorable(path, opened, settings)
        deleted = _deleted_since(opened.contents.created_at - _CLOCK_DIFFERENCE, deletions, settings)
        restore_rows_and_models(path, opened, settings)
        settled = finish(settings, deleted)
    contents = opened.contents
    rows, models = sum(contents.rows.values()), len(contents.models)
    if as_json:
        counts = {"rows": rows, "models": models, **dataclasses.asdict(settled)}
        typer.echo(json.dumps({"created_at": contents.created_at.isoformat(), **counts}))
    else:
        typer.echo(
            f"Restored the backup of {contents.created_at:%Y-%m-%d %H:%M} UTC: {rows:,} rows and {models} models. "
            f"People deleted again: {settled.people}. Messages deleted again: {settled.messages}. "
            f"Set aside: {settled.updates} pending updates, {settled.replies} pending replies.",
            err=True,
        )


def _deleted_since(moment: datetime, given: list[Path] | None, settings: "Settings") -> set[bytes]:
    """Return the hashes in the given lists, or in the bot's own list by default. Warn if the bot has no list."""
    from storage.privacy.deletions import FILE_NAME, DeletionList

    own = settings.data_dir / FILE_NAME
    if not given and not own.exists():
        typer.echo(
            f"There is no list of deletions at {own}, so people who were deleted after the backup are restored. "
            "If you have a copy of the list, pass it with --deletions.",
            err=True,
        )
        return set()
    return set[bytes]().union(*(DeletionList(file).since(moment) for file in given or [own]))
