"""Run directories: one run at a time, and a finished run leaves nothing behind."""

from pathlib import Path

import pytest

from core.settings import Settings
from worker.runs.run_directory import remove_stale_directories, run_directory


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path)


def directories(settings: Settings) -> set[str]:
    return {path.name for path in (settings.data_dir / "work").glob("run-*")}


def leave_behind(settings: Settings, *run_ids: int) -> None:
    """Create the directories that killed workers leave behind."""
    for run_id in run_ids:
        directory = settings.data_dir / "work" / f"run-{run_id}"
        directory.mkdir(parents=True)
        (directory / "checkpoint").write_bytes(b"weights")


def must_not_wait() -> None:
    pytest.fail("the lock is free")


def test_a_retry_finds_its_own_directory_and_removes_the_others(settings: Settings) -> None:
    leave_behind(settings, 1, 2, 12)
    with run_directory(settings, 2, must_not_wait) as directory:
        assert (directory.path / "checkpoint").is_file()
        assert directories(settings) == {"run-2"}
        directory.remove()
    assert directories(settings) == set()


def test_stale_directories_are_removed_and_the_open_runs_is_kept(settings: Settings) -> None:
    leave_behind(settings, 1, 2, 12)
    remove_stale_directories(settings, 2)
    assert directories(settings) == {"run-2"}
    remove_stale_directories(settings, None)
    assert directories(settings) == set()


def test_nothing_is_removed_while_a_run_is_in_progress(settings: Settings) -> None:
    with run_directory(settings, 2, must_not_wait):
        remove_stale_directories(settings, None)
        assert directories(settings) == {"run-2"}


def test_without_any_run_there_is_nothing_to_remove(settings: Settings) -> None:
    remove_stale_directories(settings, None)
    assert not (settings.data_dir / "work").exists()
