"""A lease is renewed in the background, even after a database outage."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import pytest
from sqlalchemy.exc import OperationalError

from core.outages import Outage
from storage.db.database import Database, UnitOfWork
from storage.db.states import RunKind, Trigger
from storage.training import runs
from worker.runs import lease_keeper
from worker.runs.lease_keeper import LeaseKeeper

SOON = 20.0


class DatabaseThatGoesAway:
    """A database whose first units of work fail, as during an outage."""

    def __init__(self, database: Database, failures: int) -> None:
        self._database = database
        self._failures = failures

    @contextmanager
    def unit_of_work(self) -> Iterator[UnitOfWork]:
        if self._failures:
            self._failures -= 1
            raise OperationalError("UPDATE", {}, Exception("connection refused\nIs the server running?"))
        with self._database.unit_of_work() as unit:
            yield unit


def test_an_outage_of_the_database_is_two_lines_and_the_lease_is_renewed_after_it(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lease_keeper, "_RENEW_INTERVAL", 0.01)
    monkeypatch.setattr(lease_keeper, "DATABASE", Outage("The database"))
    with database.unit_of_work() as unit:
        run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN).run
        lease = runs.claim(unit, run.id, "a worker")
        assert lease is not None
        runs.cancel(unit, run.id)
    with LeaseKeeper(cast("Database", DatabaseThatGoesAway(database, failures=3)), lease) as keeper:
        until = time.monotonic() + SOON
        while not keeper.cancel_requested:  # it is read with the renewal
            assert time.monotonic() < until
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == [
        "The database cannot be used; will retry: connection refused",
        "The database can be used again, after 0 seconds",
    ]
