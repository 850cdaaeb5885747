"""``thumbs backup`` and ``thumbs restore``: the database and the published models in one archive."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cli.open_database import open_database

if TYPE_CHECKING:
    from sqlalchemy import URL

    from core.settings import Settings
    from storage.backup.archive import Backup, BackupWriter
    from storage.models.registry import ModelVersion

# The clocks of the machines that made the backup and the list of deletions may differ by this much.
_CLOCK_DIFFERENCE: Final = timedelta(minutes=5)


def backup(
    out: Annotated[Path, typer.Option(help="Archive to write; it must not be on the same disk as the database.")],
) -> None:
    """Write the database and the published models to one archive, while the bots and workers are running.

    People's texts stay encrypted. The archive does not contain the key: keep a copy of the key, elsewhere. DATA_DIR has
    the list of deletions that a restore applies.

    \b
    Example:
      thumbs backup --out /srv/backups/thumbs.tar
    """
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
                writer.add_table(table.name, _counted(table.name, read_rows(connection, table)))
            ids, versions = last_ids(connection, tables), registry.versions(unit)
        _add_models(settings, writer, versions)
        contents = writer.finish(started, SCHEMA_REVISION, ids)
    rows = sum(contents.rows.values())
    typer.echo(
        f"Wrote {rows:,} rows and {len(contents.models)} models to {out}. Keep the key somewhere else.", err=True
    )


def restore(
    path: Annotated[Path, typer.Argument(metavar="ARCHIVE", help="Archive that thumbs backup wrote.")],
    deletions: Annotated[
        list[Path] | None,
        typer.Option(help="List of deletions to apply; may be repeated. Default: deletions.txt in DATA_DIR."),
    ] = None,
) -> None:
    """Restore an archive into an empty database, and apply the deletions that were made since.

    Needs the key that the database was encrypted with. What was pending when the backup was made is set aside, because
    the bot may have handled it since; see thumbs updates list and thumbs outbox list.

    \b
    Examples:
      thumbs restore /srv/backups/thumbs.tar
      DATABASE_URL=postgresql+psycopg://thumbs@localhost/new thumbs restore /srv/backups/thumbs.tar
    """
    from core.settings import read_settings
    from storage.backup import archive
    from storage.backup.after_restore import settle
    from storage.privacy.deletions import FILE_NAME, DeletionList

    settings = read_settings()
    lists = [DeletionList(file) for file in deletions or [settings.data_dir / FILE_NAME]]
    with archive.reading(path) as opened:
        _check_key(opened, settings)
        _restore_models(opened, settings)
        _restore_rows(opened, settings.database_address)
        since = opened.contents.created_at - _CLOCK_DIFFERENCE
        deleted = set[bytes]().union(*(each.since(since) for each in lists))
        with open_database(settings) as database, database.unit_of_work() as unit:
            settled = settle(unit, deleted)
    typer.echo(
        f"Restored the backup of {opened.contents.created_at:%Y-%m-%d %H:%M} UTC: "
        f"{sum(opened.contents.rows.values()):,} rows and {len(opened.contents.models)} models. Deleted again "
        f"{settled.people} people. Set aside {settled.updates} pending updates and {settled.replies} pending replies.",
        err=True,
    )


def _counted(name: str, rows: Iterable[dict[str, object]]) -> Iterator[dict[str, object]]:
    """Show a progress bar while a table is read."""
    from cli.progress import progress_bar

    with progress_bar() as bar:
        task = bar.add_task(name, total=None)
        for row in rows:
            bar.advance(task)
            yield row


def _add_models(settings: "Settings", writer: "BackupWriter", versions: "list[ModelVersion]") -> None:
    """Add the models in the store; a shipped model in its own folder comes back with the installation."""
    from storage.errors import NotInTheStore
    from storage.models.artifact_store import ArtifactStore, is_folder

    store = ArtifactStore.open(settings.store_address)
    with TemporaryDirectory() as folder:
        for version in versions:
            if version.removed_at is not None or is_folder(version.location):
                continue
            try:
                writer.add_model(version.location, store.fetch(version.location, Path(folder)))
            except NotInTheStore:
                typer.echo(f"Model {version.version} is no longer in the store, so it is not in the backup.", err=True)


def _check_key(opened: "Backup", settings: "Settings") -> None:
    """Raise KeyWrong, before anything is written, if the key does not decrypt the backup."""
    from base64 import b64decode

    from storage.db.encryption import Cipher, read_keys

    for row in opened.rows("secrets"):
        Cipher(read_keys(settings), b64decode(row["value"]))


def _restore_models(opened: "Backup", settings: "Settings") -> None:
    from storage.models.artifact_store import ArtifactStore

    store = ArtifactStore.open(settings.store_address)
    with TemporaryDirectory() as folder:
        for name in opened.contents.models:
            store.put(opened.extract_model(name, Path(folder)), name)


def _restore_rows(opened: "Backup", address: "str | URL") -> None:
    """Create the tables as they were when the backup was made, insert the rows in one transaction, and migrate."""
    from migrations import runner
    from storage.backup.rows import advance_ids, tables_in, write_rows
    from storage.db.engine import parse_address, reachable, writing_engine

    parsed = parse_address(address)
    _require_empty(address)
    runner.downgrade(address, "base") if runner.current(address) else None
    runner.upgrade(address, opened.contents.revision)
    engine = writing_engine(parsed)
    try:
        with reachable(parsed), engine.begin() as connection:
            tables = tables_in(connection)
            for table in tables:
                write_rows(connection, table, _counted(table.name, opened.rows(table.name)))
            advance_ids(connection, tables, opened.contents.last_ids)
    finally:
        engine.dispose()
    runner.upgrade(address)


def _require_empty(address: "str | URL") -> None:
    """Raise DatabaseNotEmpty if any table has rows, other than the secrets that opening a new database creates."""
    from sqlalchemy import select

    from migrations import runner
    from storage.backup.rows import tables_in
    from storage.db.engine import parse_address, reachable, reading_engine, writing_engine
    from storage.errors import DatabaseNotEmpty

    if runner.current(address) is None:
        return
    parsed = parse_address(address)
    engine = writing_engine(parsed)
    try:
        with reachable(parsed), reading_engine(engine).connect() as connection:
            for table in tables_in(connection):
                if table.name != "secrets" and connection.execute(select(table).limit(1)).first() is not None:
                    raise DatabaseNotEmpty(address=parsed.set(query={}).render_as_string())
    finally:
        engine.dispose()
