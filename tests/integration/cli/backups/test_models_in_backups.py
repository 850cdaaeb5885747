"""Backups with models that are outside the store, unreadable, being removed, or too large for the disk."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cli.errors import IncompleteBackup
from core.errors import UnwritableFile
from ml.serving.artifact import Manifest, manifest_hash
from storage.backup import archive
from storage.db.database import Database
from storage.errors import DatabaseNotEmpty
from storage.models.artifact_store import ArtifactStore
from storage.models.registry import make_live, mark_removed, register
from tests.backup_archives import ADA, all_rows, command, people, sqlite_only

PLAIN = Manifest("", "", "small", 16, 4, 1.0, 0.7, {}, {}, {}, {}, [], {})


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
def test_no_model_is_stored_beside_a_database_with_rows(
    environment: dict[str, str], backup: Path, tmp_path: Path
) -> None:
    other = {**environment, "DATA_DIR": str(tmp_path / "other")}
    assert isinstance(command(other, "restore", backup).exception, DatabaseNotEmpty)
    assert not (tmp_path / "other" / "models").exists()


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


@sqlite_only
@pytest.mark.parametrize("version", ["mine-1", "../my model"])
def test_a_model_outside_the_store_is_restored_into_the_store_and_a_missing_one_is_named(
    environment: dict[str, str],
    *,
    elsewhere: dict[str, str],
    database: Database,
    keys: tuple[str, ...],
    version: str,
    tmp_path: Path,
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}", encoding="ascii")
    name = version if version == "mine-1" else manifest_hash(folder)
    with database.unit_of_work() as unit:
        register(unit, version, manifest_hash(folder), str(folder))
        register(unit, "gone-1", "2" * 64, str(tmp_path / "gone"))
        make_live(unit, version, "the bot started with it")
    made = command(environment, "backup", "--out", tmp_path / "thumbs.tar")
    assert f"Model gone-1 is not in the backup. The model folder {tmp_path / 'gone'} cannot be used" in made.output
    assert isinstance(made.exception, IncompleteBackup)
    assert made.exception.exit_code == 1
    restored = command(elsewhere, "restore", tmp_path / "thumbs.tar")
    assert restored.exit_code == 0, restored.output
    assert (tmp_path / "elsewhere" / "models" / name / "manifest.json").read_text(encoding="ascii") == "{}"
    locations = {row["version"]: row["location"] for row in all_rows(elsewhere["DATABASE_URL"], keys)["model_versions"]}
    assert locations == {version: name, "gone-1": str(tmp_path / "gone")}


@sqlite_only
def test_a_model_that_is_registered_under_another_path_is_backed_up_from_the_folder_in_model(
    environment: dict[str, str], *, database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    replace(PLAIN, version="mine-1").write(folder)
    with database.unit_of_work() as unit:
        register(unit, "mine-1", manifest_hash(folder), "/elsewhere/mine")
    made = command({**environment, "MODEL": str(folder)}, "backup", "--out", tmp_path / "thumbs.tar", "--json")
    assert made.exit_code == 0, made.output
    facts = json.loads(made.stdout)
    assert (facts["models"], facts["missing"]) == (1, [])


@sqlite_only
def test_a_model_with_an_unreadable_file_is_named_and_left_out(
    environment: dict[str, str], elsewhere: dict[str, str], database: Database, tmp_path: Path
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
    made = command(environment, "backup", "--out", path, "--json")
    assert f"Model torn is not in the backup. {unreadable} cannot be used: Input/output error." in made.stderr
    assert isinstance(made.exception, IncompleteBackup)
    assert json.loads(made.stdout)["missing"] == ["torn"]
    with archive.reading(path) as opened:
        assert opened.contents.models == ["good"]
        assert not any(name.startswith("models/torn") for name in opened.contents.hashes)
    assert command(elsewhere, "restore", path).exit_code == 0
