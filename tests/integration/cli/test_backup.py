"""``thumbs backup`` and ``thumbs restore`` with SQLite, with PostgreSQL, and between the two."""

import json
import stat
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from cryptography.fernet import Fernet
from sqlalchemy import create_engine, select
from typer.testing import CliRunner

from cli.errors import IncompleteBackup
from cli.main import app
from migrations import runner
from ml.serving.artifact import Manifest, manifest_hash
from storage.backup import archive
from storage.backup.rows import read_rows, tables_in
from storage.chat import inbox, outbox
from storage.chat.outbox import Draft
from storage.chat.people import upsert_person
from storage.db.database import Database
from storage.db.states import Consent, ReplyState, RunKind, RunState, Trigger, UpdateState, Vote
from storage.db.tables import DayRow, PersonRow, PredictionRow, ReplyRow, UpdateRow
from storage.errors import DatabaseNotEmpty, KeyWrong, UnusableBackup
from storage.feedback.votes import record_vote
from storage.models.artifact_store import ArtifactStore
from storage.models.registry import make_live, mark_removed, register
from storage.privacy.consent import record_consent
from storage.privacy.deletions import DeletionList
from storage.training import runs

BOT = 900
ADA, BEN = 7, 8
PLAIN = Manifest("", "", "small", 16, 4, 1.0, 0.7, {}, {}, {}, {}, [], {})


@pytest.fixture
def environment(database_url: str, keys: tuple[str, ...], tmp_path: Path) -> dict[str, str]:
    return {"DATABASE_URL": database_url, "ENCRYPTION_KEY": keys[0], "DATA_DIR": str(tmp_path / "data")}


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database that does not exist yet, or has no tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'restored' / 'thumbs.db'}"
        return
    with request.getfixturevalue("postgres_databases")() as url:
        yield url


def command(environment: dict[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env=environment)


def fill(database: Database, store_review: Callable[..., Any], store: ArtifactStore, folder: Path) -> None:
    """Store people, reviews, votes, a run with its model, and updates and replies in every state."""
    with database.unit_of_work() as unit:
        ada = store_review(unit, "A wonderful film.", telegram_id=ADA)
        ben = store_review(unit, "A dull film.", telegram_id=BEN)
        mark_removed(unit, "one")  # the model that the reviews were stored with, which has no files
        record_vote(unit, ada.person_id, ada.prediction_id, Vote.WRONG)
        record_consent(unit, ben.person_id, Consent.GRANTED, "1")
        lease = runs.claim(unit, runs.request_run(unit, RunKind.FULL_RUN, Trigger.ADMIN, ADA).run.id, "a worker")
        assert lease is not None
        runs.finish(unit, lease, RunState.HELD, decision={"sentence": "Held."}, card=b"\x89PNG")
        model = folder / "two"
        model.mkdir()
        (model / "manifest.json").write_text("{}", encoding="ascii")
        register(unit, "two", "1" * 64, store.put(model, "two"), run_id=lease.run.id)
        make_live(unit, "two", "it is better")
        for number, state in enumerate(("pending", "handled")):
            inbox.receive(unit, BOT, number, ADA, f'{{"update_id": {number}}}')
            if state == "handled":
                inbox.finish(unit, BOT, number)
        for telegram_id in (ADA, BEN):
            outbox.enqueue(unit, Draft(BOT, telegram_id, {"text": "Positive"}, None))
        outbox.mark_sent(unit, outbox.enqueue(unit, Draft(BOT, ADA, {"text": "Negative"}, None)), 5)
        unit.execute(unit.insert(DayRow).values(day=date(2026, 11, 28), messages=2, people=2))


def all_rows(url: str, keys: tuple[str, ...]) -> dict[str, list[dict[str, Any]]]:
    database = Database.open(url, keys)
    with database.reading() as unit:
        connection = unit.connection()
        found = {table.name: list(read_rows(connection, table)) for table in tables_in(connection)}
    database.close()
    return found


def test_a_restored_database_has_every_row_and_model(
    environment: dict[str, str],
    *,
    database: Database,
    new_url: str,
    keys: tuple[str, ...],
    store_review: Callable[..., Any],
    tmp_path: Path,
) -> None:
    fill(database, store_review, ArtifactStore.open(str(tmp_path / "data" / "models")), tmp_path)
    before = all_rows(environment["DATABASE_URL"], keys)
    made = command(environment, "backup", "--out", str(tmp_path / "thumbs.tar"))
    assert made.exit_code == 0, made.output
    assert stat.S_IMODE((tmp_path / "thumbs.tar").stat().st_mode) == 0o600

    elsewhere = {**environment, "DATABASE_URL": new_url, "DATA_DIR": str(tmp_path / "elsewhere")}
    restored = command(elsewhere, "restore", str(tmp_path / "thumbs.tar"))
    assert restored.exit_code == 0, restored.output
    assert "Set aside: 1 pending updates, 2 pending replies." in restored.output
    after = all_rows(new_url, keys)
    assert after.keys() == before.keys()
    for table in before.keys() - {"updates", "replies"}:
        assert after[table] == before[table], table
    assert (tmp_path / "elsewhere" / "models" / "two" / "manifest.json").read_text(encoding="ascii") == "{}"
    opened = Database.open(new_url, keys)
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


def test_deletions_since_the_backup_are_applied_and_earlier_ones_are_not(
    environment: dict[str, str],
    *,
    database: Database,
    new_url: str,
    keys: tuple[str, ...],
    store_review: Callable[..., Any],
    tmp_path: Path,
) -> None:
    deletions = tmp_path / "data" / "deletions.txt"
    with database.unit_of_work() as unit:
        DeletionList(deletions).add(unit, BEN)  # Ben writes to the bot again afterwards
    line = deletions.read_text(encoding="ascii").split()
    long_ago = (datetime.now(UTC) - timedelta(days=30)).isoformat()
    deletions.write_text(f"{long_ago} {line[1]}\n", encoding="ascii")
    fill(database, store_review, ArtifactStore.open(str(tmp_path / "data" / "models")), tmp_path)
    assert command(environment, "backup", "--out", str(tmp_path / "thumbs.tar")).exit_code == 0
    with database.unit_of_work() as unit:
        DeletionList(deletions).add(unit, ADA)
    assert str(ADA) not in deletions.read_text(encoding="ascii").split()
    assert stat.S_IMODE(deletions.stat().st_mode) == 0o600

    restored = command({**environment, "DATABASE_URL": new_url}, "restore", str(tmp_path / "thumbs.tar"))
    assert "People deleted again: 1." in restored.output, restored.output
    opened = Database.open(new_url, keys)
    with opened.reading() as unit:
        assert list(unit.scalars(select(PersonRow.telegram_id))) == [BEN]
    opened.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_backup_of_an_earlier_release_is_restored_and_migrated(
    environment: dict[str, str],
    database: Database,
    keys: tuple[str, ...],
    store_review: Callable[..., Any],
    tmp_path: Path,
) -> None:
    fill(database, store_review, ArtifactStore.open(str(tmp_path / "data" / "models")), tmp_path)
    assert command(environment, "backup", "--out", str(tmp_path / "thumbs.tar")).exit_code == 0
    older = as_of(tmp_path / "thumbs.tar", tmp_path / "older.tar", "0003")
    url = f"sqlite:///{tmp_path / 'older' / 'thumbs.db'}"
    restored = command({**environment, "DATABASE_URL": url}, "restore", str(older))
    assert restored.exit_code == 0, restored.output
    assert runner.current(url) == runner.head()
    assert len(all_rows(url, keys)["people"]) == 2


def as_of(source: Path, target: Path, revision: str) -> Path:
    """Rewrite a backup as if an earlier release had made it, from a database at this revision."""
    with tarfile.open(source) as archive:
        files = {name: (archive.extractfile(name) or BytesIO()).read() for name in archive.getnames()}
    contents = json.loads(files.pop("backup.json"))
    columns = columns_at(f"sqlite:///{target}.db", revision)
    for name in [name for name in files if name.startswith("tables/")]:
        known = columns.get(name.removeprefix("tables/").removesuffix(".jsonl"))
        rows = [json.loads(line) for line in files.pop(name).splitlines()]
        if known is not None:
            older = [{column: value for column, value in row.items() if column in known} for row in rows]
            files[name] = b"".join(json.dumps(row).encode() + b"\n" for row in older)
    contents["revision"] = revision
    contents["hashes"] = {name: sha256(data).hexdigest() for name, data in files.items()}
    with tarfile.open(target, "w") as archive:
        for name, data in {**files, "backup.json": json.dumps(contents).encode()}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, BytesIO(data))
    return target


def columns_at(url: str, revision: str) -> dict[str, set[str]]:
    """Return the names of the columns that each table had at a revision."""
    runner.upgrade(url, revision)
    engine = create_engine(url)
    with engine.connect() as connection:
        columns = {table.name: set(table.columns.keys()) for table in tables_in(connection)}
    engine.dispose()
    return columns


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nothing_is_restored_into_a_database_with_rows(
    environment: dict[str, str], database: Database, store_review: Callable[..., Any], tmp_path: Path
) -> None:
    fill(database, store_review, ArtifactStore.open(str(tmp_path / "data" / "models")), tmp_path)
    assert command(environment, "backup", "--out", str(tmp_path / "thumbs.tar")).exit_code == 0
    refused = command(environment, "restore", str(tmp_path / "thumbs.tar"))
    assert isinstance(refused.exception, DatabaseNotEmpty)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("damage", ["cut", "changed", "renamed", "not a tar", "missing"])
def test_a_damaged_backup_is_refused_before_anything_is_written(
    environment: dict[str, str], database: Database, damage: str, tmp_path: Path
) -> None:
    path = tmp_path / "thumbs.tar"
    assert command(environment, "backup", "--out", str(path)).exit_code == 0
    data = bytearray(path.read_bytes())
    if damage == "cut":
        data = data[: len(data) // 2]
    elif damage == "changed":
        at = data.index(b'"created_at"')
        data[at + 3] ^= 1
    elif damage == "renamed":
        data = data.replace(b"tables/secrets.jsonl", b"../../../secret.json")
    elif damage == "not a tar":
        data = bytearray(b"a backup")
    path.write_bytes(data)
    if damage == "missing":
        path.unlink()
    url = f"sqlite:///{tmp_path / 'new' / 'thumbs.db'}"
    refused = command({**environment, "DATABASE_URL": url}, "restore", str(path))
    assert isinstance(refused.exception, UnusableBackup), refused.exception
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_another_key_restores_nothing(environment: dict[str, str], database: Database, tmp_path: Path) -> None:
    assert command(environment, "backup", "--out", str(tmp_path / "thumbs.tar")).exit_code == 0
    url = f"sqlite:///{tmp_path / 'new' / 'thumbs.db'}"
    other = {**environment, "DATABASE_URL": url, "ENCRYPTION_KEY": Fernet.generate_key().decode()}
    assert isinstance(command(other, "restore", str(tmp_path / "thumbs.tar")).exception, KeyWrong)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("version", ["mine-1", "../my model"])
def test_a_model_outside_the_store_is_restored_into_the_store_and_a_missing_one_is_named(
    environment: dict[str, str], *, database: Database, keys: tuple[str, ...], version: str, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}", encoding="ascii")
    name = version if version == "mine-1" else manifest_hash(folder)
    with database.unit_of_work() as unit:
        register(unit, version, manifest_hash(folder), str(folder))
        register(unit, "gone-1", "2" * 64, str(tmp_path / "gone"))
        make_live(unit, version, "the bot started with it")
    made = command(environment, "backup", "--out", str(tmp_path / "thumbs.tar"))
    assert f"Model gone-1 is not in the backup. The model folder {tmp_path / 'gone'} cannot be used" in made.output
    assert isinstance(made.exception, IncompleteBackup)
    assert made.exception.exit_code == 1
    url = f"sqlite:///{tmp_path / 'new' / 'thumbs.db'}"
    elsewhere = {**environment, "DATABASE_URL": url, "DATA_DIR": str(tmp_path / "elsewhere")}
    restored = command(elsewhere, "restore", str(tmp_path / "thumbs.tar"))
    assert restored.exit_code == 0, restored.output
    assert (tmp_path / "elsewhere" / "models" / name / "manifest.json").read_text(encoding="ascii") == "{}"
    locations = {row["version"]: row["location"] for row in all_rows(url, keys)["model_versions"]}
    assert locations == {version: name, "gone-1": str(tmp_path / "gone")}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_model_that_is_registered_under_another_path_is_backed_up_from_the_folder_in_model(
    environment: dict[str, str], *, database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    replace(PLAIN, version="mine-1").write(folder)
    with database.unit_of_work() as unit:
        register(unit, "mine-1", manifest_hash(folder), "/elsewhere/mine")
    made = command({**environment, "MODEL": str(folder)}, "backup", "--out", str(tmp_path / "thumbs.tar"), "--json")
    assert made.exit_code == 0, made.output
    facts = json.loads(made.stdout)
    assert (facts["models"], facts["missing"]) == (1, [])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_model_with_an_unreadable_file_is_named_and_left_out(
    environment: dict[str, str], *, database: Database, keys: tuple[str, ...], tmp_path: Path
) -> None:
    store = ArtifactStore.open(str(tmp_path / "data" / "models"))
    with database.unit_of_work() as unit:
        for name in ("good", "torn"):
            folder = tmp_path / name
            folder.mkdir()
            (folder / "manifest.json").write_text("{}", encoding="ascii")
            register(unit, name, name[0] * 64, store.put(folder, name))
    # Reading this file fails even for root.
    unreadable = tmp_path / "data" / "models" / "torn" / "weights"
    unreadable.symlink_to("/proc/self/mem")
    path = tmp_path / "thumbs.tar"
    made = command(environment, "backup", "--out", str(path), "--json")
    assert f"Model torn is not in the backup. {unreadable} cannot be used: Input/output error." in made.stderr
    assert isinstance(made.exception, IncompleteBackup)
    assert json.loads(made.stdout)["missing"] == ["torn"]
    with archive.reading(path) as opened:
        assert opened.contents.models == ["good"]
        assert not any(name.startswith("models/torn") for name in opened.contents.hashes)
    url = f"sqlite:///{tmp_path / 'new' / 'thumbs.db'}"
    elsewhere = {**environment, "DATABASE_URL": url, "DATA_DIR": str(tmp_path / "elsewhere")}
    assert command(elsewhere, "restore", str(path)).exit_code == 0


def test_an_interrupted_restore_may_be_repeated(
    environment: dict[str, str],
    *,
    database: Database,
    new_url: str,
    store_review: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(database, store_review, ArtifactStore.open(str(tmp_path / "data" / "models")), tmp_path)
    assert command(environment, "backup", "--out", str(tmp_path / "thumbs.tar")).exit_code == 0
    elsewhere = {**environment, "DATABASE_URL": new_url, "DATA_DIR": str(tmp_path / "elsewhere")}
    with monkeypatch.context() as interrupted:
        interrupted.setattr("storage.backup.rows.advance_ids", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert command(elsewhere, "restore", str(tmp_path / "thumbs.tar")).exit_code != 0
    again = command(elsewhere, "restore", str(tmp_path / "thumbs.tar"))
    assert again.exit_code == 0, again.output
