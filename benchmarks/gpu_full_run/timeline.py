"""Follows a training run in the database, and records when each of its phases began."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from storage.db.states import RunState
from storage.training.runs import Run


@dataclass(slots=True)
class Timeline:
    """The times at which a run reached its phases, in seconds, as measured by ``clock``.

    ``requested`` is when the run was queued, and ``claimed`` is when a worker claimed it. ``trained`` is when the
    candidate was complete and its evaluation began, and ``decided`` is when the run ended. ``steps`` lists the observed
    steps, each with its time.
    """

    requested: float
    clock: Callable[[], float] = time.monotonic
    claimed: float | None = None
    trained: float | None = None
    decided: float | None = None
    steps: list[tuple[float, int]] = field(default_factory=list)

    def note(self, run: Run) -> None:
        """Record any changes in the run's row."""
        now = self.clock()
        if self.claimed is None and run.state is not RunState.QUEUED:
            self.claimed = now
        if run.step and (not self.steps or run.step > self.steps[-1][1]):
            self.steps.append((now, run.step))
        if self.trained is None and (run.state is RunState.EVALUATING or not run.open):
            self.trained = now
        if self.decided is None and not run.open:
            self.decided = now

    @property
    def steps_per_second(self) -> float:
        """The speed after the first observed step, which is excluded because it includes compiling."""
        (start, first), (end, last) = self.steps[0], self.steps[-1]
        return (last - first) / (end - start) if end > start else 0.0

    def phases(self) -> dict[str, float]:
        """Return the duration of each of the run's phases, in seconds, named as in ``report.Phases``.

        Raise ValueError if the run has not ended, or ended before its first step.
        """
        if self.claimed is None or self.trained is None or self.decided is None or not self.steps:
            raise ValueError("the run has not gone through all its phases")
        first_step = self.steps[0][0]
        seconds = {
            "queued": self.claimed - self.requested,
            "preparing": first_step - self.claimed,
            "training": self.trained - first_step,
            "evaluating": self.decided - self.trained,
        }
        return {name: round(value, 1) for name, value in seconds.items()}
