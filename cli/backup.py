"""``thumbs backup`` and ``thumbs restore`` save and restore the database and the published models in one archive."""

import dataclasses
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cli.open_database import open_database

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from core.settings import Settings
    from storage.backup.after_restore import AfterRestore
    from storage.backup.archive import Backup, BackupWriter
    from storage.db.database import Database
    from storage.models.registry import ModelVersion

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
      thumbs backup --out /srv/backups/thumbs.tar
      thumbs backup --out /srv/backups/thumbs.tar --json
    """
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
                writer.add_table(table.name, _counted(table.name, read_rows(connection, table)))
            ids, versions = last_ids(connection, tables), registry.versions(unit)
        missing = _add_models(settings, database, writer, versions)
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
      thumbs restore /srv/backups/thumbs.tar
      DATABASE_URL=postgresql+psycopg://thumbs@localhost/new thumbs restore /srv/backups/thumbs.tar --json
    """
    from core.settings import read_settings
    from storage.backup import archive

    settings = read_settings()
    with archive.reading(path) as opened:
        _check_backup(path, opened, settings)
        deleted = _deleted_since(opened.contents.created_at - _CLOCK_DIFFERENCE, deletions, settings)
        _restore_rows_and_models(path, opened, settings)
        settled = _finish(settings, deleted)
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


def _counted(name: str, rows: Iterable[dict[str, object]]) -> Iterator[dict[str, object]]:
    """Yield a table's rows while showing a progress bar."""
    from cli.progress import progress_bar

    with progress_bar() as bar:
        task = bar.add_task(name, total=None)
        for row in rows:
            bar.advance(task)
            yield row


def _add_models(
    settings: "Settings", database: "Database", writer: "BackupWriter", versions: "list[ModelVersion]"
) -> list[str]:
    """Add every model except the starter, which every installation already has.

    Print the versions of the models whose files are missing or unreadable, and return them.
    """
    from core.errors import UnusablePath
    from core.paths import STARTER
    from ml.errors import UnusableArtifact
    from ml.serving.artifact import holds_model
    from storage.backup.archive import model_name
    from storage.errors import ModelFolderUnusable, NotInTheStore
    from storage.models.artifact_store import is_folder

    missing = []
    for version in versions:
        is_outside_store = is_folder(version.location)
        if version.removed_at is not None or (is_outside_store and holds_model(STARTER, version.manifest_sha256)):
            continue
        name = model_name(version.version, version.manifest_sha256) if is_outside_store else version.location
        try:
            with TemporaryDirectory() as folder:
                writer.add_model(name, _model_folder(settings, version, Path(folder)))
        except (ModelFolderUnusable, NotInTheStore, UnusableArtifact, UnusablePath) as error:
            if _was_removed(database, version):
                typer.echo(
                    f"Model {version.version} was removed in the meantime, so it is not in the backup.", err=True
                )
            else:
                typer.echo(f"Model {version.version} is not in the backup. {error}", err=True)
                missing.append(version.version)
    return missing


def _model_folder(settings: "Settings", version: "ModelVersion", into: Path) -> Path:
    """Return the folder with a model's files, which is MODEL if MODEL contains the model.

    A remote model is copied to ``into``. Raise ModelFolderUnusable, NotInTheStore or UnusableArtifact if the files are
    missing.
    """
    from ml.serving.artifact import holds_model, require_registered
    from storage.models.artifact_store import ArtifactStore, is_folder

    # The model may have been moved since it was registered.
    if holds_model(settings.model, version.manifest_sha256):
        return settings.model
    folder = ArtifactStore.open(settings.store_address).fetch(version.location, into)
    if is_folder(version.location):
        require_registered(folder, version.version, version.manifest_sha256)
    return folder


def _was_removed(database: "Database", version: "ModelVersion") -> bool:
    """Return whether the worker or an operator has removed a model since the backup started."""
    from storage.models import registry

    with database.reading() as unit:
        return registry.get_version(unit, version.version).removed_at is not None


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


def _check_backup(path: Path, opened: "Backup", settings: "Settings") -> None:
    """Raise UnusableBackup or KeyWrong, before writing anything, if this release or key cannot restore the archive."""
    from base64 import b64decode

    from migrations import runner
    from storage.db.encryption import Cipher, read_keys
    from storage.errors import UnusableBackup

    if not runner.knows(opened.contents.revision):
        raise UnusableBackup(path=path, reason="it was made by a newer release of Thumbs; install that release")
    keys = read_keys(settings)
    with _fitting_rows(path):
        secrets = {row["name"]: b64decode(row["value"]) for row in opened.rows("secrets")}
        Cipher(keys, secrets["hash_key"])


def _restore_rows_and_models(path: Path, opened: "Backup", settings: "Settings") -> None:
    """Create the tables as they were when the backup was made, insert the rows, store the models, and migrate."""
    from migrations import runner
    from storage.backup.rows import advance_ids, tables_in, write_rows
    from storage.models.artifact_store import ArtifactStore

    address, contents = settings.database_address, opened.contents
    store = ArtifactStore.open(settings.store_address)
    with runner.restoring(address, contents.revision, _require_empty) as connection:
        with _fitting_rows(path):
            tables = tables_in(connection)
            for table in tables:
                rows = opened.rows(table.name)
                if table.name == "model_versions":
                    rows = _in_the_store(rows, contents.models)
                write_rows(connection, table, _counted(table.name, rows))
            advance_ids(connection, tables, contents.last_ids)
        for name in contents.models:
            with TemporaryDirectory() as folder:
                store.put(opened.extract_model(name, Path(folder)), name)


def _in_the_store(rows: Iterable[dict[str, object]], models: list[str]) -> Iterator[dict[str, object]]:
    """Yield the registry's rows. The location of a model from outside the store changes to its name in the store."""
    from storage.backup.archive import model_name
    from storage.models.artifact_store import is_folder

    for row in rows:
        name = model_name(str(row["version"]), str(row["manifest_sha256"]))
        yield {**row, "location": name} if name in models and is_folder(str(row["location"])) else row


def _finish(settings: "Settings", deleted: set[bytes]) -> "AfterRestore":
    """Apply the deletions, set aside pending work, and let other processes use the database.

    This is one transaction. Raise RowsUndecipherable if the key cannot decrypt the rows.
    """
    from migrations import runner
    from storage.backup.after_restore import settle
    from storage.db.database import Database
    from storage.db.encryption import read_keys
    from storage.db.engine import RESTORING
    from storage.db.key_rotation import sample_keys
    from storage.errors import RowsUndecipherable

    database = Database.open(settings.database_address, read_keys(settings), RESTORING)
    try:
        with database.unit_of_work() as unit:
            unknown = sample_keys(unit).unknown
            if unknown:
                raise RowsUndecipherable(tables=", ".join(unknown))
            settled = settle(unit, deleted)
            runner.finish_restore(unit.connection())
    finally:
        database.close()
    return settled


def _require_empty(connection: "Connection") -> None:
    """Raise DatabaseNotEmpty if any table has rows, apart from the secrets that opening a new database creates."""
    from sqlalchemy import select

    from storage.backup.rows import tables_in
    from storage.errors import DatabaseNotEmpty

    for table in tables_in(connection):
        if table.name != "secrets" and connection.execute(select(table).limit(1)).first() is not None:
            raise DatabaseNotEmpty(address=connection.engine.url.set(query={}).render_as_string())


@contextmanager
def _fitting_rows(path: Path) -> Iterator[None]:
    """Convert errors caused by missing, unknown or invalid values in rows to UnusableBackup."""
    from sqlalchemy.exc import OperationalError, StatementError

    from storage.errors import UnusableBackup

    try:
        yield
    except OperationalError:  # a problem with the database, such as a full disk
        raise
    except (AttributeError, LookupError, OverflowError, RecursionError, StatementError, TypeError, ValueError) as error:
        raise UnusableBackup(path=path, reason=f"its rows do not fit the tables ({type(error).__name__})") from error
