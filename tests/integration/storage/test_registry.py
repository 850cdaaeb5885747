"""Processes that change the live model at the same time.

These tests run only on PostgreSQL, because SQLite allows only one writer at a time.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import text

from core.errors import ThumbsError
from storage.db.database import Database, UnitOfWork
from storage.errors import LiveModelChanged, ModelRemoved
from storage.models.registry import changes, live_model, make_live, mark_removed, register

TIMEOUT = 20.0
Work = Callable[[UnitOfWork], None]


@pytest.fixture
def database(
    migrated_postgres: str, postgres_databases: Callable[..., AbstractContextManager[str]], keys: tuple[str, ...]
) -> Iterator[Database]:
    """A database with three models. None of them is live."""
    with postgres_databases(migrated_postgres) as url:
        opened = Database.open(url, keys)
        with opened.unit_of_work() as unit:
            for number, version in enumerate(("one", "two", "three")):
                register(unit, version, f"{number}" * 64, f"models/{version}")
        yield opened
        opened.close()


def live_now(database: Database) -> str | None:
    with database.reading() as unit:
        version = live_model(unit)
        return version.version if version else None


def run_concurrently(database: Database, first: Work, second: Work) -> ThumbsError | None:
    """Start ``second`` before ``first`` commits, wait for both, and return the error from ``second``."""
    errors: list[ThumbsError] = []

    def run_second() -> None:
        try:
            with database.unit_of_work() as unit:
                second(unit)
        except ThumbsError as error:
            errors.append(error)

    thread = threading.Thread(target=run_second)
    with database.unit_of_work() as unit:
        first(unit)
        unit.flush()
        thread.start()
        deadline = time.monotonic() + TIMEOUT
        while not unit.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            assert time.monotonic() < deadline, "the second unit of work never waited for the first"
            threading.Event().wait(0.02)
    thread.join(TIMEOUT)
    return errors[0] if errors else None


@pytest.mark.parametrize("before", ["one", None])
def test_the_second_of_two_concurrent_changes_is_refused(database: Database, before: str | None) -> None:
    if before is not None:
        with database.unit_of_work() as unit:
            make_live(unit, before, "setup")
    error = run_concurrently(
        database, lambda unit: make_live(unit, "two", "first"), lambda unit: make_live(unit, "three", "second")
    )
    assert isinstance(error, LiveModelChanged)
    assert live_now(database) == "two"
    with database.reading() as unit:
        assert [change.why for change in changes(unit)] == ["first", *(["setup"] if before else [])]


def test_a_model_whose_files_are_removed_concurrently_does_not_go_live(database: Database) -> None:
    with database.unit_of_work() as unit:
        make_live(unit, "one", "setup")
    error = run_concurrently(
        database, lambda unit: mark_removed(unit, "two"), lambda unit: make_live(unit, "two", "second")
    )
    assert isinstance(error, ModelRemoved)
    assert live_now(database) == "one"


def test_the_files_of_a_model_that_goes_live_concurrently_are_kept(database: Database) -> None:
    with database.unit_of_work() as unit:
        make_live(unit, "one", "setup")
    error = run_concurrently(
        database, lambda unit: make_live(unit, "two", "first"), lambda unit: mark_removed(unit, "two")
    )
    assert isinstance(error, LiveModelChanged)
    assert live_now(database) == "two"
