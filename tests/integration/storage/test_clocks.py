"""Processes agree on leases and on which instances are alive, even if their machines' clocks differ."""

from datetime import datetime, timedelta, tzinfo

import pytest

from storage.db import column_types
from storage.db.database import Database
from storage.db.states import RunKind, Trigger
from storage.models import instances, registry
from storage.training import runs

# A SQLite file is shared only by processes on one machine.
pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def test_a_worker_whose_clock_is_ahead_does_not_take_over_a_run(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.unit_of_work() as unit:
        run_id = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN, 7).run.id
        lease = runs.claim(unit, run_id, "on time")
        assert lease is not None
    set_clock(monkeypatch, timedelta(seconds=runs.LEASE_SECONDS + 10))
    with database.unit_of_work() as unit:
        assert runs.unclaimed_runs(unit) == []
        assert runs.claim(unit, run_id, "ahead") is None
        assert runs.cancel(unit, run_id), "its worker ends it"
        assert runs.get_run(unit, run_id).open
        assert runs.renew(unit, lease), "the lease still holds"


def test_a_worker_whose_clock_is_behind_keeps_its_run(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.unit_of_work() as unit:
        run_id = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN, 7).run.id
        with monkeypatch.context() as behind:
            set_clock(behind, timedelta(seconds=-runs.LEASE_SECONDS - 10))
            assert runs.claim(unit, run_id, "behind") is not None
        assert runs.claim(unit, run_id, "on time") is None


def test_a_bot_whose_clock_is_behind_counts_as_running(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with database.unit_of_work() as unit:
        registry.register(unit, "one", "0" * 64, "models/one")
        with monkeypatch.context() as behind:
            set_clock(behind, timedelta(seconds=-instances.ALIVE_SECONDS - 10))
            instances.acknowledge(unit, "behind", 900, "one")
            instances.heartbeat(unit, "behind")
        assert [instance.process for instance in instances.live_instances(unit)] == ["behind"]


def set_clock(monkeypatch: pytest.MonkeyPatch, ahead: timedelta) -> None:
    """Shift this process's clock ``ahead`` of the database's clock."""

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + ahead

    monkeypatch.setattr(column_types, "datetime", Shifted)
