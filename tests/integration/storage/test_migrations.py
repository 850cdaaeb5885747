"""Migrations on SQLite and PostgreSQL, which must produce exactly the tables that the code declares."""

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from older_rows import write_rows
from sqlalchemy import Connection, inspect, text

from core.errors import BadSetting
from migrations import runner
from storage.db.database import Database
from storage.db.encryption import Cipher, new_hash_key
from storage.db.engine import parse_address, writing_engine
from storage.db.tables import Base
from storage.errors import DatabaseUnusable, MigrationRefused, SchemaMismatch

# A process that loads Alembic and then migrates as soon as its input ends.
WAITS_AND_MIGRATES = """
import sys
import psycopg
from alembic import command
from migrations import runner
runner.head()
print("ready", flush=True)
sys.stdin.read()
runner.upgrade(sys.argv[1])
"""


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = writing_engine(parse_address(url))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def tables_in(url: str) -> set[str]:
    with connected(url) as connection:
        return set(inspect(connection).get_table_names()) - {"alembic_version"}


def test_upgrade_downgrade_and_upgrade_again(empty_url: str) -> None:
    assert runner.current(empty_url) is None
    runner.upgrade(empty_url)
    assert runner.current(empty_url) == runner.head()
    assert tables_in(empty_url) == set(Base.metadata.tables)

    runner.downgrade(empty_url, "base")
    assert runner.current(empty_url) is None
    assert tables_in(empty_url) == set()

    runner.upgrade(empty_url)
    assert tables_in(empty_url) == set(Base.metadata.tables)


def test_the_migrations_create_exactly_the_tables(database_url: str) -> None:
    with connected(database_url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_every_foreign_key_is_named_and_indexed(database_url: str) -> None:
    with connected(database_url) as connection:
        schema = inspect(connection)
        for table in Base.metadata.tables:
            indexed = {index["column_names"][0] for index in schema.get_indexes(table)}
            indexed |= {unique["column_names"][0] for unique in schema.get_unique_constraints(table)}
            indexed |= {schema.get_pk_constraint(table)["constrained_columns"][0]}
            for key in schema.get_foreign_keys(table):
                assert key["name"] == f"fk_{table}_{key['constrained_columns'][0]}_{key['referred_table']}"
                # Rows for model versions, and for the runs that produced them, are never deleted.
                if key["referred_table"] != "model_versions" and (table, key["referred_table"]) != (
                    "model_versions",
                    "training_runs",
                ):
                    assert key["constrained_columns"][0] in indexed


def rows_in(url: str, tables: set[str]) -> dict[str, int]:
    with connected(url) as connection:
        return {table: connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0 for table in tables}


def test_rows_survive_an_upgrade_and_a_downgrade(empty_url: str, keys: tuple[str, ...]) -> None:
    runner.upgrade(empty_url, "0001")
    hash_key = new_hash_key(keys)
    with connected(empty_url) as connection:
        write_rows(connection, Cipher(keys, hash_key), hash_key)
    before = rows_in(empty_url, tables_in(empty_url))
    assert all(before.values())
    runner.upgrade(empty_url)
    assert rows_in(empty_url, set(before)) == before
    runner.downgrade(empty_url, "0001")
    assert rows_in(empty_url, set(before)) == before


def test_a_migration_that_would_leave_a_broken_reference_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'thumbs.db'}"
    runner.upgrade(url, "0001")
    with sqlite3.connect(tmp_path / "thumbs.db") as other:  # a connection that does not enforce foreign keys
        other.execute("INSERT INTO message_addresses VALUES (900, 7, 5, 1)")
    with pytest.raises(MigrationRefused, match=r"missing rows \(1\)"):
        runner.upgrade(url)
    assert runner.current(url) == "0001"


def test_concurrent_processes_migrate_once(empty_url: str) -> None:
    command = [sys.executable, "-c", WAITS_AND_MIGRATES, empty_url]
    processes = [subprocess.Popen(command, stdin=PIPE, stdout=PIPE, text=True) for _ in range(3)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    assert runner.current(empty_url) == runner.head()


def test_a_database_without_migrations_is_refused(empty_url: str, keys: tuple[str, ...]) -> None:
    with pytest.raises(SchemaMismatch, match="thumbs db upgrade"):
        Database.open(empty_url, keys)
    assert not (empty_url.startswith("sqlite") and Path(parse_address(empty_url).database or "").exists())
    runner.upgrade(empty_url)
    runner.downgrade(empty_url, "base")
    with pytest.raises(SchemaMismatch, match="thumbs db upgrade"):
        Database.open(empty_url, keys)


def test_only_the_owner_may_read_a_sqlite_file_and_its_folder(tmp_path: Path, keys: tuple[str, ...]) -> None:
    path = tmp_path / "made" / "thumbs.db"
    runner.upgrade(f"sqlite:///{path}")
    database = Database.open(f"sqlite:///{path}", keys)
    with database.reading():
        files = [path.parent, *path.parent.iterdir()]
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in files}
    database.close()
    assert modes == {"made": 0o700, "thumbs.db": 0o600, "thumbs.db-wal": 0o600, "thumbs.db-shm": 0o600}


@pytest.mark.parametrize(
    "url",
    ["nonsense", "mysql://host/thumbs", "postgresql+psycopg2://host/thumbs", "sqlite://", "sqlite:///:memory:"],
)
def test_an_unsupported_address_is_refused(url: str) -> None:
    with pytest.raises(BadSetting, match="DATABASE_URL"):
        runner.upgrade(url)


def test_an_unreachable_server_is_named_without_its_password(keys: tuple[str, ...], tmp_path: Path) -> None:
    url = f"postgresql://someone:hush@/thumbs?host={tmp_path}"
    with pytest.raises(DatabaseUnusable, match="someone") as caught:
        Database.open(url, keys)
    assert "hush" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_a_database_is_refused(keys: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "thumbs.db"
    path.write_text("a shopping list: milk, bread, apples and a good film for the evening\n" * 20)
    with pytest.raises(DatabaseUnusable, match="not a database"):
        Database.open(f"sqlite:///{path}", keys)


def test_a_folder_that_cannot_be_created_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DatabaseUnusable):
        runner.upgrade(f"sqlite:///{tmp_path / 'file' / 'thumbs.db'}")
