"""Publishing is atomic, and a published folder that was changed later is rejected."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors import SafetensorError

from core.errors import UnwritableFile
from ml.errors import FolderTaken, UnusableArtifact
from ml.serving.artifact import (
    MANIFEST,
    Manifest,
    file_hashes,
    manifest_hash,
    prepare_destination,
    publish_artifact,
    verified_manifest,
)

PLAIN = Manifest(
    version="20260102-0123abcd",
    created="2026-01-02T03:04:05+00:00",
    base="an-encoder",
    window=128,
    overlap=32,
    temperature=1.25,
    unsure_below=0.7,
    data={"file": "reviews.csv"},
    recipe={"name": "default"},
    libraries={"numpy": "2.4.0"},
    figures={"dev": {"reviews": 10}},
    probe_logits=[[-1.0, 1.0]],
    files={},
)


def publish(folder: Path, weights: bytes = b"weights") -> Manifest:
    with publish_artifact(folder) as work:
        (work / "model.safetensors").write_bytes(weights)
        (work / "config.json").write_text("{}", encoding="utf-8")
        manifest = replace(PLAIN, files=file_hashes(work))
        manifest.write(work)
    return manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A published folder that is the only entry in its parent folder."""
    publish(tmp_path / "models" / "one")
    return tmp_path / "models" / "one"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def assert_refused(folder: Path, reason: str) -> None:
    with pytest.raises(UnusableArtifact) as caught:
        verified_manifest(folder)
    assert reason in str(caught.value)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_published_folder_is_verified(tmp_path: Path) -> None:
    manifest = publish(tmp_path / "models" / "one")
    assert verified_manifest(tmp_path / "models" / "one") == manifest
    assert set(manifest.files) == {"model.safetensors", "config.json"}


def test_a_published_folder_is_world_readable_and_leaves_no_other_entry(folder: Path) -> None:
    assert list(folder.parent.iterdir()) == [folder]
    assert folder.stat().st_mode & 0o777 == 0o755
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o644}


def test_publishing_again_replaces_the_old_folder(folder: Path) -> None:
    (folder / "leftover").touch()
    before = manifest_hash(folder)
    publish(folder, b"newer weights")
    assert set(contents(folder)) == {"model.safetensors", "config.json", MANIFEST}
    assert manifest_hash(folder) != before
    assert list(folder.parent.iterdir()) == [folder]


def test_an_interrupted_publication_keeps_the_old_folder_and_leaves_nothing_else(folder: Path) -> None:
    before = contents(folder)

    def interrupt() -> None:
        with publish_artifact(folder) as work:
            (work / "model.safetensors").write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert contents(folder) == before
    assert list(folder.parent.iterdir()) == [folder]


def test_the_old_folder_is_removed_only_after_the_new_one_is_in_place(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove: Callable[..., None] = shutil.rmtree
    removed: list[set[str]] = []

    def rmtree(path: Path, **options: bool) -> None:
        removed.append(set(contents(path / "old")))
        assert verified_manifest(folder).files == file_hashes(folder)
        assert (folder / "model.safetensors").read_bytes() == b"newer weights"
        remove(path, **options)

    (folder / "old").touch()
    monkeypatch.setattr(shutil, "rmtree", rmtree)
    publish(folder, b"newer weights")
    assert [("old" in names) for names in removed] == [True]


def kill_while_publishing(folder: Path, moment: str) -> None:
    """Publish in a process that is killed before the old folder is moved, or between the two renames."""
    program = f"""
import os, signal
from pathlib import Path
from ml.serving.artifact import publish_artifact
if {moment == "between"}:
    Path.rename = lambda path, target, rename=Path.rename: (rename(path, target), os.kill(os.getpid(), signal.SIGKILL))
with publish_artifact(Path({str(folder)!r})) as work:
    (work / "model.safetensors").write_bytes(b"half")
    if {moment == "written"}:
        os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -signal.SIGKILL


@pytest.mark.parametrize("moment", ["written", "between"])
def test_the_rest_of_a_killed_publication_is_removed_and_the_old_model_restored(folder: Path, moment: str) -> None:
    before = contents(folder)
    kill_while_publishing(folder, moment)
    assert len([path for path in folder.parent.iterdir() if path != folder]) == 1
    prepare_destination(folder)
    assert contents(folder) == before
    assert list(folder.parent.iterdir()) == [folder]


def test_publishing_after_a_kill_keeps_the_new_model(folder: Path) -> None:
    kill_while_publishing(folder, "between")
    publish(folder, b"newer weights")
    assert (folder / "model.safetensors").read_bytes() == b"newer weights"
    assert list(folder.parent.iterdir()) == [folder]


def test_a_publication_in_progress_is_not_removed(folder: Path) -> None:
    with publish_artifact(folder) as work:
        (work / "model.safetensors").write_bytes(b"slow")
        publish(folder, b"quick")
        assert (work / "model.safetensors").read_bytes() == b"slow"
        replace(PLAIN, files=file_hashes(work)).write(work)
    assert (folder / "model.safetensors").read_bytes() == b"slow"
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.parametrize("other", [".one-training", ".one-two-0a1b2c3d.publishing", ".two-0a1b2c3d.publishing"])
def test_other_hidden_folders_are_not_removed(folder: Path, other: str) -> None:
    (folder.parent / other).mkdir()
    publish(folder)
    assert {path.name for path in folder.parent.iterdir()} == {folder.name, other}


def test_a_folder_of_other_files_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "novel.txt").write_text("Chapter one", encoding="utf-8")
    with pytest.raises(FolderTaken) as caught:
        publish(tmp_path / "home")
    assert str(tmp_path / "home") in str(caught.value)
    assert contents(tmp_path / "home") == {"novel.txt": b"Chapter one"}
    assert list(tmp_path.iterdir()) == [tmp_path / "home"]


def test_the_target_of_a_link_is_replaced(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "current").symlink_to(folder)
    publish(tmp_path / "current", b"newer weights")
    assert (tmp_path / "current").is_symlink()
    assert (folder / "model.safetensors").read_bytes() == b"newer weights"


@pytest.mark.parametrize("place", ["file", "file/under"])
def test_an_unwritable_destination_is_refused_before_the_block_runs(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("kept", encoding="utf-8")
    with pytest.raises((FolderTaken, UnwritableFile)) as caught, publish_artifact(tmp_path / place):
        pytest.fail("the block ran")
    assert caught.value.exit_code == 2
    assert (tmp_path / "file").read_text(encoding="utf-8") == "kept"
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_full_disk_is_reported_and_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(error: Exception) -> None:
        with publish_artifact(tmp_path / "model") as new:
            (new / "half").write_bytes(b"half")
            raise error

    for error in (OSError(errno.ENOSPC, "No space left on device"), SafetensorError("No space left on device")):
        with pytest.raises(UnwritableFile, match="No space left on device"):
            interrupt(error)
        assert list(tmp_path.iterdir()) == []


def test_a_truncated_file_is_refused(folder: Path) -> None:
    os.truncate(folder / "model.safetensors", 3)
    assert_refused(folder, "model.safetensors is not the file that was published")


def test_an_altered_file_is_refused(folder: Path) -> None:
    (folder / "config.json").write_text("[]", encoding="utf-8")
    assert_refused(folder, "config.json is not the file that was published")


def test_a_missing_file_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    assert_refused(folder, "model.safetensors cannot be read (No such file or directory)")


@pytest.mark.parametrize("name", ["../outside", "/etc/hostname", "deeper/file", "..", ".", ""])
def test_a_file_outside_the_folder_is_refused(folder: Path, name: str) -> None:
    outside = folder.parent / "outside"
    outside.write_bytes(b"weights")
    (hashed,) = {value for file, value in file_hashes(folder).items() if file == "model.safetensors"}
    replace(PLAIN, files={name: hashed}).write(folder)
    assert_refused(folder, "lists" if Path(name).name != name else "cannot be read")


def test_a_manifest_of_another_format_is_refused(folder: Path) -> None:
    content_of_manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    (folder / MANIFEST).write_text(json.dumps({**content_of_manifest, "format": 2}), encoding="utf-8")
    assert_refused(folder, "its format is 2, but this program reads 1")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"manifest"',
        b"{}",
        b'{"format": 1}',
        b'{"format": 1, "name": "an app", "start_url": "/"}',
        b"\xff\xfe",
    ],
)
def test_json_that_is_not_a_manifest_is_refused(folder: Path, content: bytes) -> None:
    (folder / MANIFEST).write_bytes(content)
    assert_refused(folder, f"{MANIFEST} cannot be read")


def test_a_manifest_with_an_unknown_field_is_refused(folder: Path) -> None:
    content_of_manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    (folder / MANIFEST).write_text(json.dumps({**content_of_manifest, "mood": "fine"}), encoding="utf-8")
    assert_refused(folder, f"{MANIFEST} cannot be read")


def test_a_folder_that_is_not_a_model_is_refused(tmp_path: Path) -> None:
    assert_refused(tmp_path, f"{MANIFEST} cannot be read")
    assert_refused(tmp_path / "nowhere", f"{MANIFEST} cannot be read")
