"""Processes that change the live model at the same moment, on PostgreSQL: SQLite lets one at a time write."""

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

SOON = 20.0
Work = Callable[[UnitOfWork], None]


@pytest.fixture
def database(
    migrated_postgres: str, postgres_databases: Callable[..., AbstractContextManager[str]], keys: tuple[str, ...]
) -> Iterator[Database]:
    """A database with three models, none of them live."""
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


def at_once(database: Database, first: Work, second: Work) -> ThumbsError | None:
    """Let ``second`` begin before ``first`` commits, and wait for it; what it was told."""
    told: list[ThumbsError] = []

    def follow() -> None:
        try:
            with database.unit_of_work() as unit:
                second(unit)
        except ThumbsError as error:
            told.append(error)

    following = threading.Thread(target=follow)
    with database.unit_of_work() as unit:
        first(unit)
        unit.flush()
        following.start()
        deadline = time.monotonic() + SOON
        while not unit.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            assert time.monotonic() < deadline, "the second never waited for the first"
            threading.Event().wait(0.02)
    following.join(SOON)
    return told[0] if told else None


@pytest.mark.parametrize("before", ["one", None])
def test_the_second_of_two_changes_is_refused(database: Database, before: str | None) -> None:
    if before is not None:
        with database.unit_of_work() as unit:
            make_live(unit, before, "a test begins")
    told = at_once(
        database, lambda unit: make_live(unit, "two", "first"), lambda unit: make_live(unit, "three", "second")
    )
    assert isinstance(told, LiveModelChanged)
    assert live_now(database) == "two"
    with database.reading() as unit:
        assert [change.why for change in changes(unit)] == ["first", *(["a test begins"] if before else [])]


def test_a_model_whose_files_go_meanwhile_does_not_go_live(database: Database) -> None:
    with database.unit_of_work() as unit:
        make_live(unit, "one", "a test begins")
    told = at_once(database, lambda unit: mark_removed(unit, "two"), lambda unit: make_live(unit, "two", "second"))
    assert isinstance(told, ModelRemoved)
    assert live_now(database) == "one"


def test_the_files_of_a_model_that_goes_live_meanwhile_stay(database: Database) -> None:
    with database.unit_of_work() as unit:
        make_live(unit, "one", "a test begins")
    told = at_once(database, lambda unit: make_live(unit, "two", "first"), lambda unit: mark_removed(unit, "two"))
    assert isinstance(told, LiveModelChanged)
    assert live_now(database) == "two"
