"""Celery's scheduler logs a broker outage only once, but logs any other error with its traceback."""

from pathlib import Path

import pytest
from celery import beat
from kombu.exceptions import OperationalError

from core.outages import Outage
from core.settings import Settings
from worker import celery_parts
from worker.app import make_app
from worker.celery_parts import Scheduler
from worker.stop_with_parent import StopWithParent


@pytest.fixture
def scheduler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scheduler:
    monkeypatch.setattr(celery_parts, "BROKER", Outage("The broker"))
    app = make_app(Settings(_env_file=None, data_dir=tmp_path), StopWithParent())
    return Scheduler(app, lazy=True)


def send_due(scheduler: Scheduler, *errors: Exception | None) -> None:
    """Send a scheduled message once for each item in ``errors``. If the item is an error, sending raises it."""
    entry = beat.ScheduleEntry("name", "no such task", schedule=1, app=scheduler.app)
    outcomes = iter(errors)

    def send_task(*_: object, **__: object) -> None:
        if error := next(outcomes):
            raise error

    scheduler.send_task = send_task
    for _ in errors:
        scheduler.apply_entry(entry)


def test_an_outage_of_the_broker_is_two_lines(scheduler: Scheduler, caplog: pytest.LogCaptureFixture) -> None:
    refused = OperationalError("Connection refused")
    send_due(scheduler, None, refused, refused, ConnectionError("Reset"), None, None)
    assert [(record.message, record.exc_info) for record in caplog.records] == [
        ("The broker cannot be used; will retry: Connection refused", None),
        ("The broker can be used again, after 0 seconds", None),
    ]


def test_another_error_keeps_its_traceback(scheduler: Scheduler, caplog: pytest.LogCaptureFixture) -> None:
    send_due(scheduler, ValueError("a defect"))
    (record,) = caplog.records
    assert record.exc_info is not None
