"""If the database breaks while a command is running, the command prints one sentence and no traceback."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from storage.errors import DatabaseUnusable

COMMANDS = [["status"], ["updates", "list"], ["outbox", "list"], ["db", "check"], ["db", "purge"], ["models", "list"]]


@pytest.fixture
def environment(migrated_sqlite: Path, keys: tuple[str, ...], tmp_path: Path) -> dict[str, str]:
    shutil.copy(migrated_sqlite, tmp_path / "thumbs.db")
    environment = {"DATA_DIR": str(tmp_path), "ENCRYPTION_KEY": keys[0]}
    assert CliRunner().invoke(app, ["db", "check"], env=environment).exit_code == 0
    return environment


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_missing_table_is_reported(environment: dict[str, str], arguments: list[str], tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "thumbs.db")
    for table in ("updates", "replies", "model_versions"):
        connection.execute(f"DROP TABLE {table}")
    connection.close()
    failed = CliRunner().invoke(app, arguments, env=environment)
    assert isinstance(failed.exception, DatabaseUnusable), failed.exception
    assert "no such table" in str(failed.exception)
    assert "SELECT" not in str(failed.exception)


def test_a_damaged_file_is_reported(environment: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "thumbs.db"
    connection = sqlite3.connect(path)
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    pages = connection.execute("SELECT rootpage FROM sqlite_master WHERE tbl_name = 'updates'").fetchall()
    connection.close()
    damaged = bytearray(path.read_bytes())
    for (page,) in pages:
        damaged[(page - 1) * size : page * size] = b"\x07" * size
    path.write_bytes(damaged)
    failed = CliRunner().invoke(app, ["status"], env=environment)
    assert isinstance(failed.exception, DatabaseUnusable), failed.exception
    assert "malformed" in str(failed.exception)
