"""``thumbs backup`` and ``thumbs restore``: wrong arguments, damaged files, interruptions and interfering programs."""

import json
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from cryptography.fernet import Fernet
from sqlalchemy import create_engine, select, text
from typer.testing import CliRunner

from cli.errors import IncompleteBackup
from cli.main import app
from core.errors import UnusablePath, UnwritableFile
from migrations import runner
from storage.chat import inbox
from storage.db.database import Database
from storage.db.tables import PersonRow
from storage.errors import (
    DatabaseNotEmpty,
    RestoreUnfinished,
    RowsUndecipherable,
    UnknownMigration,
    UnusableBackup,
)
from storage.models.artifact_store import ArtifactStore
from storage.models.registry import mark_removed, register
from storage.privacy.deletions import DeletionList

ADA = 7
Fill = Callable[..., Path]
sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def environment(database_url: str, keys: tuple[str, ...], tmp_path: Path) -> dict[str, str]:
    return {"DATABASE_URL": database_url, "ENCRYPTION_KEY": keys[0], "DATA_DIR": str(tmp_path / "data")}


@pytest.fixture
def elsewhere(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """Settings for an installation without a database."""
    folder = tmp_path / "elsewhere"
    return {**environment, "DATABASE_URL": f"sqlite:///{folder / 'thumbs.db'}", "DATA_DIR": str(folder)}


def command(environment: dict[str, str], *arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env=environment)


@pytest.fixture
def backup(environment: dict[str, str], database: Database, store_review: Callable[..., Any], tmp_path: Path) -> Path:
    """A backup with one review, a pending update, and a model."""
    with database.unit_of_work() as unit:
        store_review(unit, "A wonderful film.", telegram_id=ADA)
        mark_removed(unit, "one")  # the model that the review was stored with, which has no files
        inbox.receive(unit, 900, 1, ADA, '{"update_id": 1}')
        publish(tmp_path, unit)
    path = tmp_path / "thumbs.tar"
    made = command(environment, "backup", "--out", path)
    assert made.exit_code == 0, made.output
    return path


def publish(tmp_path: Path, unit: Any) -> Path:
    """Store a model that also contains a hidden file and a subfolder, and return its folder in the store."""
    built = tmp_path / "built"
    built.mkdir()
    (built / "manifest.json").write_text("{}", encoding="ascii")
    register(unit, "two", "1" * 64, ArtifactStore.open(str(tmp_path / "data" / "models")).put(built, "two"))
    stored = tmp_path / "data" / "models" / "two"
    (stored / ".DS_Store").write_text("x", encoding="ascii")
    (stored / "notes").mkdir()
    return stored


def rewritten(source: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> Path:
    """Return a copy of a backup after ``change`` has altered its contents and files. Its hashes match again."""
    with tarfile.open(source) as archive:
        files = {name: (archive.extractfile(name) or BytesIO()).read() for name in archive.getnames()}
    contents = json.loads(files.pop("backup.json"))
    change(contents, files)
    contents.setdefault("hashes", {}).update({name: sha256(data).hexdigest() for name, data in files.items()})
    target = source.with_name("rewritten.tar")
    with tarfile.open(target, "w") as archive:
        for name, data in {**files, "backup.json": json.dumps(contents).encode()}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, BytesIO(data))
    return target


def people(environment: dict[str, str], keys: tuple[str, ...]) -> list[int]:
    opened = Database.open(environment["DATABASE_URL"], keys)
    with opened.reading() as unit:
        found = list(unit.scalars(select(PersonRow.telegram_id)))
    opened.close()
    return found


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
        killed.setattr("storage.backup.after_restore.settle", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
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


@sqlite_only
def test_hidden_files_and_folders_beside_a_model_do_not_spoil_the_backup(
    elsewhere: dict[str, str], backup: Path, tmp_path: Path
) -> None:
    restored = command(elsewhere, "restore", backup)
    assert restored.exit_code == 0, restored.output
    assert [path.name for path in (tmp_path / "elsewhere" / "models" / "two").iterdir()] == ["manifest.json"]


@sqlite_only
def test_a_model_that_the_worker_removes_meanwhile_is_left_out(
    environment: dict[str, str], database: Database, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def removed_after_the_check(*_: object) -> Path:
        with database.unit_of_work() as unit:
            mark_removed(unit, "two")
        return backup.with_name("removed")

    monkeypatch.setattr(ArtifactStore, "fetch", removed_after_the_check)
    made = command(environment, "backup", "--out", backup)
    assert made.exit_code == 0, made.output
    assert "Model two was removed in the meantime" in made.output


@sqlite_only
def test_a_model_that_cannot_be_read_is_not_blamed_on_the_archive(
    environment: dict[str, str], backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(folder: Path) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr("storage.backup.archive.Path.iterdir", unreadable)
    failed = command(environment, "backup", "--out", backup)
    assert "models/two cannot be used: Permission denied" in failed.output
    assert isinstance(failed.exception, IncompleteBackup), failed.exception


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
def test_no_model_is_stored_beside_a_database_with_rows(
    environment: dict[str, str], backup: Path, tmp_path: Path
) -> None:
    other = {**environment, "DATA_DIR": str(tmp_path / "other")}
    assert isinstance(command(other, "restore", backup).exception, DatabaseNotEmpty)
    assert not (tmp_path / "other" / "models").exists()


def _row(table: str, **values: object) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    def change(_: dict[str, Any], files: dict[str, bytes]) -> None:
        name = f"tables/{table}.jsonl"
        rows = [{**json.loads(line), **values} for line in files[name].splitlines()]
        files[name] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)

    return change


def _contents(**values: object) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    return lambda contents, _: contents.update(values)


def _file(name: str, data: bytes) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    return lambda _, files: files.update({name: data})


@sqlite_only
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_row("people", created_at="yesterday"), id="a time that is none"),
        pytest.param(_row("people", created_at=5), id="a number as a time"),
        pytest.param(_row("people", id=[]), id="a list as an id"),
        pytest.param(_row("people", id=2**70), id="an id above 64 bits"),
        pytest.param(_row("people", shoe_size=44), id="an unknown column"),
        pytest.param(_row("updates", payload="*"), id="bytes that are not base64"),
        pytest.param(_row("secrets", value=7), id="a number as a secret"),
        pytest.param(_file("tables/secrets.jsonl", b""), id="no secrets"),
        pytest.param(_file("tables/people.jsonl", b"[1]\n"), id="a list as a row"),
        pytest.param(_file("tables/people.jsonl", b"{\n"), id="half a row"),
        pytest.param(_file("tables/people.jsonl", b"[" * 100_000), id="deep JSON"),
        pytest.param(_contents(models=["../../escaped"]), id="a model outside the store"),
        pytest.param(_contents(models=["/tmp/escaped"]), id="a model with an absolute path"),
        pytest.param(_contents(models=7), id="a number of models"),
        pytest.param(_contents(created_at="2026-11-01T00:00:00"), id="a time without a zone"),
        pytest.param(_contents(revision="9999"), id="a newer release"),
        pytest.param(_contents(revision=4), id="a number as the revision"),
        pytest.param(_contents(last_ids={"people": 2**70}), id="a last id above 64 bits"),
        pytest.param(_contents(last_ids=[1]), id="a list of last ids"),
        pytest.param(_contents(colour="red"), id="an unknown field"),
        pytest.param(lambda contents, _: contents.pop("revision"), id="no revision"),
        pytest.param(lambda _, files: files.pop("tables/people.jsonl"), id="no people"),
    ],
)
def test_a_strange_backup_is_refused_and_nothing_is_restored(
    elsewhere: dict[str, str],
    backup: Path,
    change: Callable[[dict[str, Any], dict[str, bytes]], None],
    *,
    keys: tuple[str, ...],
    tmp_path: Path,
) -> None:
    refused = command(elsewhere, "restore", rewritten(backup, change))
    assert isinstance(refused.exception, UnusableBackup), refused.exception
    assert not (tmp_path / "escaped").exists()
    assert not (tmp_path / "elsewhere" / "models").exists()
    # A valid backup can be restored into the same database.
    assert command(elsewhere, "restore", backup).exit_code == 0
    assert people(elsewhere, keys) == [ADA]


@sqlite_only
@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_a_backup_with_a_link_as_its_contents_is_refused(
    elsewhere: dict[str, str], kind: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "links.tar"
    with tarfile.open(path, "w") as archive:
        member = tarfile.TarInfo("backup.json")
        member.type, member.linkname = kind, "backup.json"
        archive.addfile(member)
    assert isinstance(command(elsewhere, "restore", path).exception, UnusableBackup)


@sqlite_only
def test_a_folder_is_not_a_backup(elsewhere: dict[str, str], tmp_path: Path) -> None:
    assert isinstance(command(elsewhere, "restore", tmp_path).exception, UnusableBackup)


@sqlite_only
def test_a_database_of_a_newer_release_is_left_alone(elsewhere: dict[str, str], backup: Path, tmp_path: Path) -> None:
    runner.upgrade(elsewhere["DATABASE_URL"])
    engine = create_engine(elsewhere["DATABASE_URL"])
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    assert isinstance(command(elsewhere, "restore", backup).exception, UnknownMigration)
    assert isinstance(command(elsewhere, "db", "upgrade").exception, UnknownMigration)


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
def test_a_backup_with_rows_of_two_keys_needs_both(
    environment: dict[str, str], *, elsewhere: dict[str, str], backup: Path, keys: tuple[str, ...], tmp_path: Path
) -> None:
    newer = Fernet.generate_key().decode()
    both = f"{newer},{keys[0]}"
    opened = Database.open(environment["DATABASE_URL"], both.split(","))
    with opened.unit_of_work() as unit:
        inbox.receive(unit, 900, 2, ADA, '{"update_id": 2}')
    opened.close()
    assert command({**environment, "ENCRYPTION_KEY": both}, "backup", "--out", backup).exit_code == 0
    assert isinstance(command(elsewhere, "restore", backup).exception, RowsUndecipherable)
    restored = command({**elsewhere, "ENCRYPTION_KEY": both}, "restore", backup)
    assert restored.exit_code == 0, restored.output


@sqlite_only
def test_programs_can_read_the_results(environment: dict[str, str], elsewhere: dict[str, str], backup: Path) -> None:
    made = json.loads(command(environment, "backup", "--out", backup, "--json").stdout)
    assert (made["archive"], made["models"]) == (str(backup), 1)
    restored = json.loads(command(elsewhere, "restore", backup, "--json").stdout)
    assert (restored["rows"], restored["models"], restored["updates"]) == (made["rows"], 1, 1)
    assert datetime.now(UTC) - datetime.fromisoformat(restored["created_at"]) < timedelta(minutes=1)


@sqlite_only
def test_a_full_disk_for_models_is_not_blamed_on_the_database(
    elsewhere: dict[str, str], backup: Path, keys: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("storage.backup.archive.shutil.copyfileobj", full)
        refused = command(elsewhere, "restore", backup)
    assert isinstance(refused.exception, UnwritableFile), refused.exception
    assert command(elsewhere, "restore", backup).exit_code == 0
    assert people(elsewhere, keys) == [ADA]
