"""A trainer that is told to stop is gone, whatever it does."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from worker.trainer.process import GRACE as WORKERS_GRACE
from worker.trainer.stop_signal import GRACE, STATUS

Start = Callable[[float, str], Any]
BUSY = """
import sys
from worker.trainer import stop_signal
stop_signal.GRACE = float(sys.argv[1])
stop = stop_signal.StopSignal()
stop.listen(sys.stdin.fileno())
print("busy", flush=True)
while sys.argv[2] == "deaf" or not stop.requested():
    pass
print("stopped by itself", flush=True)
stop.check()
"""


@pytest.fixture
def busy() -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def start(grace: float, how: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", BUSY, str(grace), how]
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
def test_a_signal_ends_work_that_never_looks(busy: Start, number: int) -> None:
    process = busy(0.1, "deaf")
    process.send_signal(number)
    assert process.wait(30) == STATUS
    assert process.stdout.read() == ""


def test_the_end_of_input_ends_it_too_and_more_input_does_not(busy: Start) -> None:
    process = busy(0.1, "deaf")
    process.stdin.write("more\n")
    process.stdin.flush()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    process.stdin.close()
    assert process.wait(30) == STATUS


def test_work_that_looks_ends_by_itself(busy: Start) -> None:
    process = busy(60, "looking")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == STATUS
    assert process.stdout.read() == "stopped by itself\n"


def test_the_trainer_is_gone_before_its_worker_loses_patience() -> None:
    assert GRACE < WORKERS_GRACE
