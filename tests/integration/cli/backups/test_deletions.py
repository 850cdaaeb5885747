"""A restore repeats the deletion of people who were deleted since the backup."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.errors import UnusablePath
from migrations import runner
from storage.db.database import Database
from storage.errors import RestoreUnfinished
from storage.privacy.deletions import DeletionList
from tests.backup_archives import ADA, BEN, command, people, sqlite_only


@pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
def test_a_restore_that_is_killed_before_the_deletions_leaves_nothing_that_a_bot_could_use(
    environment: dict[str, str],
    *,
    database: Database,
    backup: Path,
    empty_url: str,
    keys: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = {**environment, "DATABASE_URL": empty_url}
    with database.unit_of_work() as unit:
        DeletionList(tmp_path / "data" / "deletions.txt").add(unit, ADA)
    with monkeypatch.context() as killed:
        killed.setattr("cli.backup.restoring.settle", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert command(target, "restore", backup).exit_code != 0
    with pytest.raises(RestoreUnfinished):
        Database.open(empty_url, keys)
    assert isinstance(command(target, "db", "upgrade").exception, RestoreUnfinished)

    again = command(target, "restore", backup)
    assert again.exit_code == 0, again.output
    assert people(target, keys) == []
    assert runner.current(empty_url) == runner.head()


@sqlite_only
@pytest.mark.parametrize(
    "lines", ["a list", "2026-13-45T00:00:00+00:00 zz", "\N{GREEK SMALL LETTER ALPHA}", f"{'0' * 65}"]
)
def test_a_list_of_deletions_with_anything_else_is_refused_before_anything_is_written(
    elsewhere: dict[str, str], backup: Path, lines: str, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.txt"
    wrong.write_text(lines, encoding="utf-8")
    refused = command(elsewhere, "restore", backup, "--deletions", wrong)
    assert isinstance(refused.exception, UnusablePath), refused.exception
    assert not (tmp_path / "elsewhere").exists()


@sqlite_only
def test_a_list_of_deletions_that_does_not_exist_is_refused(
    elsewhere: dict[str, str], backup: Path, tmp_path: Path
) -> None:
    refused = command(elsewhere, "restore", backup, "--deletions", tmp_path / "delteions.txt")
    assert isinstance(refused.exception, UnusablePath), refused.exception
    assert not (tmp_path / "elsewhere").exists()
    assert "There is no list of deletions at " in command(elsewhere, "restore", backup).output


@sqlite_only
@pytest.mark.parametrize("change", ["cut-off", "crlf", "byte order mark", "naive"])
def test_a_deletion_is_found_in_a_list_that_a_crash_or_an_editor_changed(
    elsewhere: dict[str, str], *, database: Database, backup: Path, keys: tuple[str, ...], change: str, tmp_path: Path
) -> None:
    path = tmp_path / "deletions.txt"
    deletions = DeletionList(path)
    with database.unit_of_work() as unit:
        deletions.add(unit, 99)
        if change == "cut-off":  # the next deletion continues the line that the crash left
            path.write_bytes(path.read_bytes()[:-20])
        deletions.add(unit, ADA)
    if change == "crlf":
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    if change == "byte order mark":
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    if change == "naive":
        path.write_bytes(path.read_bytes().replace(b"+00:00", b"Z"))
    restored = command(elsewhere, "restore", backup, "--deletions", path)
    assert restored.exit_code == 0, restored.output
    assert people(elsewhere, keys) == []


def test_deletions_since_the_backup_are_applied_and_earlier_ones_are_not(
    environment: dict[str, str],
    *,
    database: Database,
    full_backup: Path,
    empty_url: str,
    keys: tuple[str, ...],
    tmp_path: Path,
) -> None:
    deletions = tmp_path / "data" / "deletions.txt"
    with database.unit_of_work() as unit:
        DeletionList(deletions).add(unit, BEN)
    # As if Ben had been deleted long before the backup, and had written to the bot again.
    line = deletions.read_text(encoding="ascii").split()
    long_ago = (datetime.now(UTC) - timedelta(days=30)).isoformat()
    deletions.write_text(f"{long_ago} {line[1]}\n", encoding="ascii")
    with database.unit_of_work() as unit:
        DeletionList(deletions).add(unit, ADA)
    assert str(ADA) not in deletions.read_text(encoding="ascii").split()
    assert stat.S_IMODE(deletions.stat().st_mode) == 0o600

    target = {**environment, "DATABASE_URL": empty_url}
    restored = command(target, "restore", full_backup)
    assert "People deleted again: 1." in restored.output, restored.output
    assert people(target, keys) == [BEN]
