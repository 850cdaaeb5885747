"""An attempt ends when it has taken too long. The run continues later if training has made progress."""

from dataclasses import replace

import pytest

from broker.queues import SOFT_LIMIT
from storage.db.states import RunState
from tests.queued_run import NOW, QUEUED
from worker.errors import RunPaused, RunTooLong
from worker.runs.stop_conditions import StopConditions

RUN = replace(QUEUED, id=4, state=RunState.RUNNING, attempts=2, snapshot_at=NOW, step=100, steps=900, started_at=NOW)


class HeldLease:
    """A lease keeper whose lease is never lost and whose run is never cancelled."""

    cancel_requested = False

    def check(self) -> None:
        """Raise nothing."""


def late_attempt(*steps: int) -> StopConditions:
    """Return the stop conditions of an attempt that recorded ``steps`` before its time ran out."""
    now = 0.0
    stop = StopConditions(RUN, HeldLease(), lambda: False, lambda: now)
    for step in steps:
        stop.record_step(step)
        stop.check()
    now = SOFT_LIMIT + 1.0
    assert stop.out_of_time()
    return stop


def test_an_attempt_that_got_further_is_continued_later() -> None:
    with pytest.raises(RunPaused, match="Run 4 has been training for 12 hours and will continue from"):
        late_attempt(90, 101).check()


@pytest.mark.parametrize("steps", [(), (60, 100)], ids=["nothing", "what an earlier attempt did"])
def test_an_attempt_without_progress_fails(steps: tuple[int, ...]) -> None:
    with pytest.raises(RunTooLong, match="it made no progress in training for 12 hours"):
        late_attempt(*steps).check()
