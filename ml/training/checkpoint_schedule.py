"""Decides when a fine-tune saves a checkpoint: often enough to lose little work, and rarely enough to cost little time.

A step takes milliseconds on a GPU and many seconds on a CPU, and a checkpoint of BERT-base takes 1.3 GB, so no fixed
number of steps or seconds suits every machine and every network.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Final

# A checkpoint is due after this number of steps, or after this number of seconds if the steps take longer.
_STEPS: Final = 50
_SECONDS: Final = 60.0
# Training takes at least this many times as long as saving. This delays checkpoints that are large or on a slow disk.
_TRAINING_PER_SAVING: Final = 20


class CheckpointSchedule:
    """The times of one fine-tune's checkpoints, in seconds, as measured by ``clock``."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._saved_at = clock()
        self._shortest_pause = 0.0

    def is_due(self, step: int) -> bool:
        """Return whether to save a checkpoint after ``step``."""
        pause = self._clock() - self._saved_at
        return pause >= self._shortest_pause and (step % _STEPS == 0 or pause >= _SECONDS)

    @contextmanager
    def saving(self) -> Iterator[None]:
        """Measure how long the block takes to save a checkpoint. The longer it takes, the later the next one is due."""
        started = self._clock()
        yield
        self._saved_at = self._clock()
        self._shortest_pause = _TRAINING_PER_SAVING * (self._saved_at - started)
