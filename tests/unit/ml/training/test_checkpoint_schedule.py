"""Checkpoints are saved often enough that little work can be lost, and take only a small share of the time."""

from dataclasses import dataclass

import pytest

from ml.training.checkpoint_schedule import CheckpointSchedule


@dataclass
class Training:
    """Simulates training steps and checkpoints that each take a fixed time, without waiting."""

    seconds_per_step: float
    seconds_per_checkpoint: float
    now: float = 0.0

    def checkpoints(self, steps: int) -> dict[int, float]:
        """Return the steps that have a checkpoint, each with its completion time."""
        schedule = CheckpointSchedule(lambda: self.now)
        found: dict[int, float] = {}
        for step in range(1, steps + 1):
            self.now += self.seconds_per_step
            if schedule.is_due(step):
                with schedule.saving():
                    self.now += self.seconds_per_checkpoint
                found[step] = self.now
        return found


def test_a_small_network_on_a_cpu_saves_every_50_steps() -> None:
    assert list(Training(0.43, 0.3).checkpoints(200)) == [50, 100, 150, 200]


def test_a_large_network_on_a_cpu_loses_about_a_minute() -> None:
    saved = Training(8.0, 3.0).checkpoints(40)
    assert list(saved)[:3] == [8, 16, 24]


@pytest.mark.parametrize(
    ("seconds_per_step", "seconds_per_checkpoint", "steps"),
    [(0.017, 2.5, 3000), (0.43, 60.0, 3000), (8.0, 40.0, 500), (0.003, 0.005, 400)],
    ids=["GPU", "slow disk", "large network on a slow disk", "tiny network"],
)
def test_saving_takes_at_most_a_twentieth_of_the_time_after_the_first_checkpoint(
    seconds_per_step: float, seconds_per_checkpoint: float, steps: int
) -> None:
    training = Training(seconds_per_step, seconds_per_checkpoint)
    later = len(training.checkpoints(steps)) - 1
    assert later >= 0
    assert later * seconds_per_checkpoint <= steps * seconds_per_step / 20
