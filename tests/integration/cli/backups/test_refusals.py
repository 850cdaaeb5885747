"""Backups never replace other files, and restores leave databases alone that contain rows or are newer."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import create_engine, text

from core.errors import UnwritableFile
from migrations import runner
from storage.chat import inbox
from storage.db.database import Database
from storage.errors import DatabaseNotEmpty, KeyWrong, RowsUndecipherable, UnknownMigration
from tests.backup_archives import ADA, BOT, command, sqlite_only


@sqlite_only
def test_a_backup_never_replaces_anything_but_a_backup(
    environment: dict[str, str], database_url: str, backup: Path, tmp_path: Path
) -> None:
    live = Path(database_url.removeprefix("sqlite:///"))
    before = live.read_bytes()
    link = tmp_path / "link.tar"
    link.symlink_to(live)
    for out in (live, link, tmp_path, Path("/dev/null"), tmp_path / "missing" / "thumbs.tar", Path("/"), Path()):
        refused = command(environment, "backup", "--out", out)
        assert isinstance(refused.exception, UnwritableFile), (out, refused.exception)
    assert live.read_bytes() == before
    empty = tmp_path / "empty.tar"
    empty.touch()
    for out in (backup, empty):
        assert command(environment, "backup", "--out", out).exit_code == 0


@sqlite_only
def test_a_full_disk_leaves_the_earlier_backup(
    environment: dict[str, str], backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = backup.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("storage.backup.archive.fsync", full)
    refused = command(environment, "backup", "--out", backup)
    assert isinstance(refused.exception, UnwritableFile), refused.exception
    assert backup.read_bytes() == before
    assert not list(backup.parent.glob(".*.part"))


@sqlite_only
def test_a_database_of_a_newer_release_is_left_alone(elsewhere: dict[str, str], backup: Path, tmp_path: Path) -> None:
    runner.upgrade(elsewhere["DATABASE_URL"])
    engine = create_engine(elsewhere["DATABASE_URL"])
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    assert isinstance(command(elsewhere, "restore", backup).exception, UnknownMigration)
    assert isinstance(command(elsewhere, "db", "upgrade").exception, UnknownMigration)


@sqlite_only
def test_a_backup_with_rows_of_two_keys_needs_both(
    environment: dict[str, str], *, elsewhere: dict[str, str], backup: Path, keys: tuple[str, ...], tmp_path: Path
) -> None:
    newer = Fernet.generate_key().decode()
    both = f"{newer},{keys[0]}"
    opened = Database.open(environment["DATABASE_URL"], both.split(","))
    with opened.unit_of_work() as unit:
        inbox.receive(unit, BOT, 2, ADA, '{"update_id": 2}')
    opened.close()
    assert command({**environment, "ENCRYPTION_KEY": both}, "backup", "--out", backup).exit_code == 0
    assert isinstance(command(elsewhere, "restore", backup).exception, RowsUndecipherable)
    restored = command({**elsewhere, "ENCRYPTION_KEY": both}, "restore", backup)
    assert restored.exit_code == 0, restored.output


@sqlite_only
def test_nothing_is_restored_into_a_database_with_rows(environment: dict[str, str], backup: Path) -> None:
    assert isinstance(command(environment, "restore", backup).exception, DatabaseNotEmpty)


@sqlite_only
def test_another_key_restores_nothing(elsewhere: dict[str, str], backup: Path, tmp_path: Path) -> None:
    other = {**elsewhere, "ENCRYPTION_KEY": Fernet.generate_key().decode()}
    assert isinstance(command(other, "restore", backup).exception, KeyWrong)
    assert not (tmp_path / "elsewhere").exists()
