"""Restores an archive's rows and models into an empty database."""

from base64 import b64decode
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError, StatementError

from cli.backup.row_progress import with_progress
from core.settings import Settings
from migrations import runner
from storage.backup.after_restore import AfterRestore, settle
from storage.backup.archive import Backup, model_name
from storage.backup.rows import advance_ids, tables_in, write_rows
from storage.db.database import Database
from storage.db.encryption import Cipher, read_keys
from storage.db.engine import RESTORING
from storage.db.key_rotation import sample_keys
from storage.errors import DatabaseNotEmpty, RowsUndecipherable, UnusableBackup
from storage.models.artifact_store import ArtifactStore, is_folder


def require_restorable(path: Path, opened: Backup, settings: Settings) -> None:
    """Raise UnusableBackup or KeyWrong, before writing anything, if this release or key cannot restore the archive."""
    if not runner.knows(opened.contents.revision):
        raise UnusableBackup(path=path, reason="it was made by a newer release of Thumbs; install that release")
    keys = read_keys(settings)
    with _fitting_rows(path):
        secrets = {row["name"]: b64decode(row["value"]) for row in opened.rows("secrets")}
        Cipher(keys, secrets["hash_key"])


def restore_rows_and_models(path: Path, opened: Backup, settings: Settings) -> None:
    """Create the tables as they were when the backup was made, insert the rows, store the models, and migrate."""
    address, contents = settings.database_address, opened.contents
    store = ArtifactStore.open(settings.store_address)
    with runner.restoring(address, contents.revision, _require_empty) as connection:
        with _fitting_rows(path):
            tables = tables_in(connection)
            for table in tables:
                rows = opened.rows(table.name)
                if table.name == "model_versions":
                    rows = _in_the_store(rows, contents.models)
                write_rows(connection, table, with_progress(table.name, rows))
            advance_ids(connection, tables, contents.last_ids)
        for name in contents.models:
            with TemporaryDirectory() as folder:
                store.put(opened.extract_model(name, Path(folder)), name)


def _in_the_store(rows: Iterable[dict[str, object]], models: list[str]) -> Iterator[dict[str, object]]:
    """Yield the registry's rows. The location of a model from outside the store changes to its name in the store."""
    for row in rows:
        name = model_name(str(row["version"]), str(row["manifest_sha256"]))
        yield {**row, "location": name} if name in models and is_folder(str(row["location"])) else row


def finish(settings: Settings, deleted: set[bytes]) -> AfterRestore:
    """Apply the deletions, set aside pending work, and let other processes use the database.

    This is one transaction. Raise RowsUndecipherable if the key cannot decrypt the rows.
    """
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


def _require_empty(connection: Connection) -> None:
    """Raise DatabaseNotEmpty if any table has rows, apart from the secrets that opening a new database creates."""
    for table in tables_in(connection):
        if table.name != "secrets" and connection.execute(select(table).limit(1)).first() is not None:
            raise DatabaseNotEmpty(address=connection.engine.url.set(query={}).render_as_string())


@contextmanager
def _fitting_rows(path: Path) -> Iterator[None]:
    """Convert errors caused by missing, unknown or invalid values in rows to UnusableBackup."""
    try:
        yield
    except OperationalError:  # a problem with the database, such as a full disk
        raise
    except (AttributeError, LookupError, OverflowError, RecursionError, StatementError, TypeError, ValueError) as error:
        raise UnusableBackup(path=path, reason=f"its rows do not fit the tables ({type(error).__name__})") from error
