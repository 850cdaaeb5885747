"""A worker's threads use the SQLite file while the worker forks its task processes."""

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from broker.queues import QUEUES
from core.settings import Settings
from worker.heartbeat import heartbeat
from worker.monitoring import WorkerMonitor


class Pause:
    """Pauses a thread when it takes SQLite's write lock, until the test is about to fork."""

    def __init__(self) -> None:
        self.locked, self.forking = threading.Event(), threading.Event()

    def __call__(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement == "BEGIN IMMEDIATE":
            self.locked.set()
            self.forking.wait(20)


@pytest.fixture
def pause() -> Iterator[Pause]:
    listener = Pause()
    event.listen(Engine, "after_cursor_execute", listener)
    yield listener
    event.remove(Engine, "after_cursor_execute", listener)


@pytest.fixture
def settings(migrated_sqlite: Path, keys: tuple[str, ...], tmp_path: Path) -> Settings:
    shutil.copy(migrated_sqlite, tmp_path / "thumbs.db")
    address = f"sqlite:///{tmp_path / 'thumbs.db'}"
    return Settings(_env_file=None, data_dir=tmp_path, database_url=address, encryption_key=keys[0])  # type: ignore[arg-type]


def report(settings: Settings) -> None:
    with heartbeat(settings, QUEUES):
        pass


def scrape(settings: Settings) -> None:
    list(WorkerMonitor(settings).collect())


def check(settings: Settings) -> None:
    WorkerMonitor(settings).ready()


@pytest.mark.parametrize("use", [report, scrape, check])
def test_a_process_that_is_forked_while_a_thread_uses_the_database_can_write(
    use: Callable[[Settings], None], settings: Settings, pause: Pause, tmp_path: Path
) -> None:
    thread = threading.Thread(target=use, args=(settings,))
    thread.start()
    assert pause.locked.wait(20)
    pause.forking.set()
    child = os.fork()
    if child == 0:
        os._exit(write(tmp_path / "thumbs.db"))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    thread.join()


def write(path: Path) -> int:
    """Take the write lock of the file and release it. Return 0, or 1 if the file stays locked for two seconds."""
    try:
        connection = sqlite3.connect(path, timeout=2, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return 1
    return 0
