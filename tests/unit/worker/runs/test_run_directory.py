"""The folders that runs are carried out in: one run at a time, and nothing is left of one that ended."""

from pathlib import Path

import pytest

from core.settings import Settings
from worker.runs.run_directory import remove_stale_directories, run_directory


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path)


def left(settings: Settings) -> set[str]:
    return {path.name for path in (settings.data_dir / "work").glob("run-*")}


def leave(settings: Settings, *run_ids: int) -> None:
    """What workers that were killed leave."""
    for run_id in run_ids:
        room = settings.data_dir / "work" / f"run-{run_id}"
        room.mkdir(parents=True)
        (room / "checkpoint").write_bytes(b"weights")


def must_not_wait() -> None:
    pytest.fail("nobody holds the lock")


def test_a_room_keeps_what_its_own_run_left_and_clears_the_others(settings: Settings) -> None:
    leave(settings, 1, 2, 12)
    with run_directory(settings, 2, must_not_wait) as room:
        assert (room.folder / "checkpoint").is_file()
        assert left(settings) == {"run-2"}
        room.purge()
    assert left(settings) == set()


def test_rooms_of_ended_runs_are_cleared_and_the_open_ones_stays(settings: Settings) -> None:
    leave(settings, 1, 2, 12)
    remove_stale_directories(settings, 2)
    assert left(settings) == {"run-2"}
    remove_stale_directories(settings, None)
    assert left(settings) == set()


def test_nothing_is_cleared_while_a_run_is_carried_out(settings: Settings) -> None:
    with run_directory(settings, 2, must_not_wait):
        remove_stale_directories(settings, None)
        assert left(settings) == {"run-2"}


def test_where_no_run_was_ever_carried_out_there_is_nothing_to_clear(settings: Settings) -> None:
    remove_stale_directories(settings, None)
    assert not (settings.data_dir / "work").exists()
