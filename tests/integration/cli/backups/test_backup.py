"""``thumbs backup`` and ``thumbs restore`` with SQLite, with PostgreSQL, and between the two."""

import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, select, text

from migrations import runner
from storage.backup.rows import tables_in
from storage.chat.people import upsert_person
from storage.db.database import Database
from storage.db.states import ReplyState, UpdateState
from storage.db.tables import PredictionRow, ReplyRow, UpdateRow
from tests.backup_archives import ADA, Change, all_rows, command, rewritten, sqlite_only


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_tables_of_another_program_in_the_same_database_are_left_alone(
    environment: dict[str, str], database: Database, database_url: str, backup: Path, elsewhere: dict[str, str]
) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text('CREATE TABLE "Other 2" (id uuid PRIMARY KEY)'))
        connection.execute(text('INSERT INTO "Other 2" VALUES (gen_random_uuid())'))
    engine.dispose()
    assert command(environment, "backup", "--out", backup).exit_code == 0
    restored = command(elsewhere, "restore", backup)
    assert restored.exit_code == 0, restored.output


@sqlite_only
def test_programs_can_read_the_results(environment: dict[str, str], elsewhere: dict[str, str], backup: Path) -> None:
    made = json.loads(command(environment, "backup", "--out", backup, "--json").stdout)
    assert (made["archive"], made["models"]) == (str(backup), 1)
    restored = json.loads(command(elsewhere, "restore", backup, "--json").stdout)
    assert (restored["rows"], restored["models"], restored["updates"]) == (made["rows"], 1, 1)
    assert datetime.now(UTC) - datetime.fromisoformat(restored["created_at"]) < timedelta(minutes=1)


def test_a_restored_database_has_every_row_and_model(
    environment: dict[str, str],
    *,
    elsewhere: dict[str, str],
    full_backup: Path,
    empty_url: str,
    keys: tuple[str, ...],
    store_review: Callable[..., Any],
    tmp_path: Path,
) -> None:
    assert stat.S_IMODE(full_backup.stat().st_mode) == 0o600
    before = all_rows(environment["DATABASE_URL"], keys)
    restored = command({**elsewhere, "DATABASE_URL": empty_url}, "restore", full_backup)
    assert restored.exit_code == 0, restored.output
    assert "Set aside: 1 pending updates, 2 pending replies." in restored.output
    after = all_rows(empty_url, keys)
    assert after.keys() == before.keys()
    for table in before.keys() - {"updates", "replies"}:
        assert after[table] == before[table], table
    assert (tmp_path / "elsewhere" / "models" / "two" / "manifest.json").read_text(encoding="ascii") == "{}"
    opened = Database.open(empty_url, keys)
    with opened.unit_of_work() as unit:
        assert list(unit.scalars(select(UpdateRow.state).order_by(UpdateRow.update_id))) == [
            UpdateState.FAILED,
            UpdateState.HANDLED,
        ]
        states = list(unit.scalars(select(ReplyRow.state).order_by(ReplyRow.id)))
        assert states == [ReplyState.UNCERTAIN, ReplyState.UNCERTAIN, ReplyState.SENT]
        # Buttons that were sent after the backup contain ids that other rows must not get.
        newest = max(unit.scalars(select(PredictionRow.id)))
        assert store_review(unit, "Another film.", telegram_id=ADA).prediction_id > newest + 100_000
        assert upsert_person(unit, 99, "Cleo", "en").id > 100_000
    opened.close()


@sqlite_only
def test_a_backup_of_an_earlier_release_is_restored_and_migrated(
    elsewhere: dict[str, str], full_backup: Path, keys: tuple[str, ...], tmp_path: Path
) -> None:
    older = rewritten(full_backup, as_of("0003", f"sqlite:///{tmp_path / 'columns.db'}"))
    restored = command(elsewhere, "restore", older)
    assert restored.exit_code == 0, restored.output
    assert runner.current(elsewhere["DATABASE_URL"]) == runner.head()
    assert len(all_rows(elsewhere["DATABASE_URL"], keys)["people"]) == 2


def as_of(revision: str, url: str) -> Change:
    """Return a change that makes a backup look as if an earlier release had made it at this revision.

    ``url`` is the address of a temporary database.
    """
    columns = columns_at(url, revision)

    def change(contents: dict[str, Any], files: dict[str, bytes]) -> None:
        for name in [name for name in files if name.startswith("tables/")]:
            known = columns.get(name.removeprefix("tables/").removesuffix(".jsonl"))
            rows = [json.loads(line) for line in files.pop(name).splitlines()]
            if known is not None:
                older = [{column: value for column, value in row.items() if column in known} for row in rows]
                files[name] = b"".join(json.dumps(row).encode() + b"\n" for row in older)
        contents["revision"] = revision
        contents["hashes"] = {}

    return change


def columns_at(url: str, revision: str) -> dict[str, set[str]]:
    """Return the names of the columns that each table had at a revision."""
    runner.upgrade(url, revision)
    engine = create_engine(url)
    with engine.connect() as connection:
        columns = {table.name: set(table.columns.keys()) for table in tables_in(connection)}
    engine.dispose()
    return columns


def test_an_interrupted_restore_may_be_repeated(
    elsewhere: dict[str, str], full_backup: Path, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = {**elsewhere, "DATABASE_URL": empty_url}
    with monkeypatch.context() as interrupted:
        interrupted.setattr("cli.backup.restoring.advance_ids", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert command(target, "restore", full_backup).exit_code != 0
    again = command(target, "restore", full_backup)
    assert again.exit_code == 0, again.output
