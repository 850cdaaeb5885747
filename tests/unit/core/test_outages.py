"""An outage is logged once when it begins and once when it ends."""

import os

import pytest

from core.outages import Outage


def test_an_outage_is_two_lines_however_often_the_work_is_retried(caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage("The wire")
    outage.succeeded()
    for number in range(3):
        outage.failed(ConnectionError(f"attempt {number}\nand more"))
    outage.succeeded()
    outage.succeeded()
    assert [record.message for record in caplog.records] == [
        "The wire cannot be used; will retry: attempt 0",
        "The wire can be used again, after 0 seconds",
    ]


def test_the_processes_that_a_process_forks_log_an_outage_once_between_them(caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage("The wire")
    child = os.fork()
    if not child:
        outage.failed(ConnectionError())
        os._exit(0)
    os.waitpid(child, 0)
    outage.failed(ConnectionError())
    assert caplog.records == []
    outage.succeeded()
    assert len(caplog.records) == 1
