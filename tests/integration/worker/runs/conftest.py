"""The home of real workers, in the smallest and the largest deployment."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from redis_server import RedisServer
from worker_process import WorkerHome

from storage.db.database import Database
from tests.worker_runs import ADMIN, opened_database


@pytest.fixture(params=["sqlite and a folder", "PostgreSQL and Redis"])
def home(request: pytest.FixtureRequest, keys: tuple[str, ...], tmp_path: Path) -> Iterator[WorkerHome]:
    """The workers' shared home, in the smallest and the largest deployment."""
    with ExitStack() as open_things:
        if request.param == "sqlite and a folder":
            shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "thumbs.db")
            settings = {"DATABASE_URL": f"sqlite:///{tmp_path / 'thumbs.db'}"}
        else:
            template = request.getfixturevalue("migrated_postgres")
            url = open_things.enter_context(request.getfixturevalue("postgres_databases")(template))
            server = open_things.enter_context(RedisServer.running(tmp_path))
            settings = {"DATABASE_URL": url, "BROKER_URL": server.address}
        folder = tmp_path / "home"
        folder.mkdir()
        settings.update(ENCRYPTION_KEY=keys[0], ADMIN_IDS=str(ADMIN), RETRAIN_AFTER="0")
        yield open_things.enter_context(WorkerHome.made(folder, **settings))


@pytest.fixture
def opened(
    home: WorkerHome, keys: tuple[str, ...], store_review: Callable[..., Any], tmp_path: Path
) -> Iterator[Database]:
    """The home's database. See ``opened_database``."""
    with opened_database(home, keys, store_review, tmp_path) as database:
        yield database
