"""Runs a training job from ``benchmarks.training.fine_tuning`` with our training loop, and waits at each stop.

    python -m benchmarks.training.trainer_ours JOB OUT

The program writes JSON objects to standard output, one per line. The first object contains the precision, the number of
threads and the package versions. At each stop in the job, it writes an object with the steps' durations in seconds and
their mean loss. The program continues when it reads a line. The fine-tuned model is saved to OUT as a Hugging Face
folder.
"""

import json
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

import keras

from benchmarks.training.job import TrainingJob
from ml.bert.config import BertConfig
from ml.bert.pretrained import read_checkpoint, write_checkpoint
from ml.text.tokenization import WindowTokenizer
from ml.training.checkpoint import Checkpoint, plan_digest
from ml.training.devices import use_precision
from ml.training.loop import TrainingCallbacks, TrainingProgress, train


class StepTimer:
    """Times each step, including the previous step's checkpoint, and waits at each stop in the job."""

    def __init__(self, stops: Sequence[int]) -> None:
        self._stops = set(stops)
        self._seconds: list[float] = []
        self._since = perf_counter()

    def step_done(self, progress: TrainingProgress) -> None:
        """Record one step. At a stop, report the steps, and wait for a line from the parent process."""
        self._seconds.append(perf_counter() - self._since)
        if progress.step in self._stops:
            emit(seconds=self._seconds, loss=progress.loss)
            sys.stdin.readline()
            self._seconds.clear()
        self._since = perf_counter()


def main() -> None:
    """Run the job and write the folder."""
    job, out = TrainingJob.read(Path(sys.argv[1])), Path(sys.argv[2])
    with use_precision(job.recipe.precision) as precision:
        packages = {name: version(name) for name in ("keras", "tensorflow")}
        emit(precision=precision, threads=len(os.sched_getaffinity(0)), packages=packages)
        network = train_job(job, out.parent / f".{out.name}-training", StepTimer(job.stops).step_done)
    reader = WindowTokenizer.read(job.start, job.recipe.window, job.recipe.overlap, job.recipe.reading)
    write_checkpoint(out, network, BertConfig.read(job.start), reader)


def train_job(job: TrainingJob, checkpoints: Path, report: Callable[[TrainingProgress], None]) -> keras.Model:
    """Train a network with our loop, from the job's initial weights, and return it.

    Write the checkpoint to ``checkpoints``.
    """
    keras.utils.set_random_seed(job.recipe.seed)
    network = read_checkpoint(job.start)
    state = Checkpoint(checkpoints, plan_digest(job=str(job.folder)))
    train(network, job.batches, state, False, TrainingCallbacks(report, lambda: False))
    return network


def emit(**facts: object) -> None:
    """Write the facts to standard output as one line of JSON."""
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main()
