"""How the chat shows a training run's progress."""

from datetime import UTC, datetime

import pytest

from bot.admin.run_text import render_run
from bot.texts import texts_for
from storage.db.states import RunKind, RunState, Trigger
from storage.training.runs import Run

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("speed", "shown"), [(0.4, "0.4"), (9.26, "9.3"), (18.2, "18"), (1869.0, "1869")])
def test_a_low_speed_has_a_decimal(speed: float, shown: str) -> None:
    run = Run(
        id=3,
        number=3,
        kind=RunKind.FULL_RUN,
        trigger=Trigger.ADMIN,
        requested_by=None,
        state=RunState.RUNNING,
        open=True,
        attempts=1,
        cancel_asked=False,
        snapshot_at=NOW,
        step=10,
        steps=2960,
        epochs=4,
        samples_per_second=speed,
        champion="one",
        candidate=None,
        decision=None,
        error=None,
        created_at=NOW,
        started_at=NOW,
        finished_at=None,
    )
    assert f"step 10 of 2,960 · {shown} " in render_run(texts_for("en"), run, NOW)
