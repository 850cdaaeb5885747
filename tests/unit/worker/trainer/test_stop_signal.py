"""A trainer that is told to stop exits in time, no matter what it is doing."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from worker.trainer.process import GRACE as WORKER_GRACE
from worker.trainer.stop_signal import EXIT_STATUS, GRACE

Start = Callable[[float, str], Any]
BUSY = """
import sys
from worker.trainer import stop_signal
stop_signal.GRACE = float(sys.argv[1])
stop = stop_signal.StopSignal()
stop.listen(sys.stdin.fileno())
print("busy", flush=True)
while sys.argv[2] == "never checks" or not stop.requested():
    pass
print("stopped in order", flush=True)
stop.check()
"""


@pytest.fixture
def busy() -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def start(grace: float, behaviour: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", BUSY, str(grace), behaviour]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "busy\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_work_that_never_checks(busy: Start, number: int) -> None:
    process = busy(0.1, "never checks")
    process.send_signal(number)
    assert process.wait(30) == EXIT_STATUS
    assert process.stdout.read() == ""


def test_the_end_of_input_ends_work_but_more_input_does_not(busy: Start) -> None:
    process = busy(0.1, "never checks")
    process.stdin.write("more\n")
    process.stdin.flush()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.stdin.close()
    assert process.wait(30) == EXIT_STATUS


def test_work_that_checks_ends_in_order(busy: Start) -> None:
    process = busy(60, "checks")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == EXIT_STATUS
    assert process.stdout.read() == "stopped in order\n"


def test_the_trainer_exits_before_its_worker_kills_it() -> None:
    assert GRACE < WORKER_GRACE
