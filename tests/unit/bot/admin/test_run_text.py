"""How the chat shows a training run's progress."""

from dataclasses import replace

import pytest

from bot.admin.run_text import render_run
from bot.texts import texts_for
from storage.db.states import RunState
from tests.queued_run import NOW, QUEUED


@pytest.mark.parametrize(("speed", "shown"), [(0.4, "0.4"), (9.26, "9.3"), (18.2, "18"), (1869.0, "1869")])
def test_a_low_speed_has_a_decimal(speed: float, shown: str) -> None:
    running = replace(QUEUED, state=RunState.RUNNING, started_at=NOW)
    run = replace(running, step=10, steps=2960, epochs=4, samples_per_second=speed)
    assert f"step 10 of 2,960 · {shown} " in render_run(texts_for("en"), run, NOW)
