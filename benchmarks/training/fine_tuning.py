"""Measures fine-tuning speed, compared with Hugging Face's Trainer.

    make peers
    python -m benchmarks.training.fine_tuning --data imdb.parquet --sentences rt_polarity.csv.gz

Our loop (Keras 3 on TensorFlow) and Hugging Face's Trainer (on PyTorch, in several configurations) train the same
encoder from the same weights, including the classification head, on the same padded batches. Each runs in a separate
process. The processes first run untimed steps with every batch shape, and then take turns on the same cores, one block
of steps at a time. Our times include the checkpoints that our loop writes every 50 steps. Trainer writes none.
``benchmarks.training.equal_steps`` measures whether the higher speed costs accuracy.

Then ``benchmarks.training.feedback_round`` times the command for a feedback round and the steps of a full fine-tune.
"""

import argparse
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.common.interleaving import SpeedRatio, TrainerProcess, interleave, samples_per_second, speed_ratio
from benchmarks.common.options import add_imdb_option, add_out_option, add_sentences_option
from benchmarks.common.provenance import Provenance, provenance
from benchmarks.common.results import write_results
from benchmarks.common.text_sets import TextSet, text_set
from benchmarks.common.thumbs_command import count_parameters
from benchmarks.training.feedback_round import FeedbackRoundReport, MeasurementSizes, measure_feedback_round
from benchmarks.training.job import TrainingJob, warm_up_batches
from benchmarks.training.trainers import (
    OURS,
    TRAINERS,
    ReviewSample,
    add_peer_option,
    trainer_command,
    trainer_environment,
)
from core.settings import Settings
from ml.training.recipe import Recipe

# Number of untimed batches of each shape. TensorFlow traces a new graph for each of the first two shapes.
_WARM_UP_TIMES = 2


@dataclass(frozen=True, slots=True)
class TrainerSpeed:
    """One trainer's packages, precision and speed.

    ``samples_per_second`` has a value for each block, and ``median`` is the median of these values.
    """

    precision: str
    threads: int
    packages: dict[str, str]
    samples_per_second: list[float]
    median: float
    step_seconds: list[list[float]]
    """Seconds for each timed step, by block."""


@dataclass(frozen=True, slots=True)
class TrainerComparison:
    """The speeds of our loop and of several Trainer configurations."""

    base: str
    parameters: int
    recipe: dict[str, Any]
    cores: int
    load_before: float
    """The machine's load before the start: average number of runnable processes over one minute."""
    untimed_steps: int
    steps_a_block: int
    train: TextSet
    trainers: dict[str, TrainerSpeed]
    fastest: str
    """The fastest Trainer configuration."""
    ratio: SpeedRatio
    """Our speed divided by the speed of ``fastest``."""


@dataclass(frozen=True, slots=True)
class FineTuningReport:
    """The content of ``benchmarks/results/fine_tuning.json``."""

    provenance: Provenance
    against_trainer: TrainerComparison
    feedback_round: FeedbackRoundReport


def main() -> None:
    """Measure, write and print the results."""
    arguments = _arguments()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.cores])
    with TemporaryDirectory() as work:
        found = compare_trainers(arguments, Path(work))
        _print(found)
        anchor = Settings.model_fields["anchor"].default
        quick = measure_feedback_round(arguments.data, arguments.sentences, anchor, Path(work), MeasurementSizes())
    packages = ("keras", "tensorflow", "openvino", "tokenizers", "numpy")
    report = FineTuningReport(provenance(*packages), found, quick)
    write_results(arguments.out, report)
    _print_round(quick)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training.fine_tuning", description="Measure fine-tuning speed."
    )
    add_imdb_option(parser)
    add_sentences_option(parser)
    parser.add_argument("--blocks", type=int, default=3, help="number of blocks of steps for each trainer")
    parser.add_argument("--steps", type=int, default=20, help="number of steps in a block")
    parser.add_argument("--cores", type=int, default=2, help="number of CPU cores to use")
    add_out_option(parser, "fine_tuning")
    add_peer_option(parser)
    return parser.parse_args()


def compare_trainers(arguments: argparse.Namespace, work: Path) -> TrainerComparison:
    """Let our loop and Trainer run the same job in ``work`` and take turns after each block of steps."""
    load = os.getloadavg()[0]
    sample = ReviewSample.draw(
        arguments.data, replace(Recipe.load("default"), epochs=1), arguments.steps * arguments.blocks, 1
    )
    epoch = sample.batches()
    first = warm_up_batches(epoch, _WARM_UP_TIMES)
    stops = [len(first) + arguments.steps * done for done in range(arguments.blocks + 1)]
    job = sample.write_job(work / "job", [*first, *epoch], stops)
    commands = {name: trainer_command(name, arguments.peer, job, work / name) for name in (OURS, *TRAINERS)}
    trainers = _run_interleaved(commands, job, work)
    fastest = max((name for name in trainers if name != OURS), key=lambda name: trainers[name].median)
    return TrainerComparison(
        base=job.recipe.base,
        parameters=count_parameters(job.start),
        recipe=asdict(job.recipe),
        cores=len(os.sched_getaffinity(0)),
        load_before=load,
        untimed_steps=job.stops[0],
        steps_a_block=arguments.steps,
        train=text_set(sample.split.train),
        trainers=trainers,
        fastest=fastest,
        ratio=speed_ratio(trainers[OURS].samples_per_second, trainers[fastest].samples_per_second),
    )


def _run_interleaved(commands: dict[str, list[str]], job: TrainingJob, work: Path) -> dict[str, TrainerSpeed]:
    """Run the job with each command, taking turns, and return each trainer's speed."""
    with ExitStack() as stack:
        processes = {
            name: stack.enter_context(TrainerProcess(started, trainer_environment(), work / f"{name}.log"))
            for name, started in commands.items()
        }
        seconds = interleave(processes, len(job.stops) - 1)
        for process in processes.values():
            process.finish()
    sizes = [len(targets) for _, targets in job.batches.epoch(0)][job.stops[0] :]
    return {name: _trainer_speed(process.facts, sizes, seconds[name]) for name, process in processes.items()}


def _trainer_speed(facts: dict[str, Any], sizes: Sequence[int], seconds: list[list[float]]) -> TrainerSpeed:
    speeds = samples_per_second(sizes, seconds)
    return TrainerSpeed(**facts, samples_per_second=speeds, median=median(speeds), step_seconds=seconds)


def _print(found: TrainerComparison) -> None:
    print(f"{found.base}, {found.parameters:,} parameters, window {found.recipe['window']} tokens, {found.cores} cores")
    print(
        f"load before {found.load_before:.2f}; {found.untimed_steps} untimed steps, then {found.steps_a_block} a block"
    )
    print(f"  train {found.train.reviews:>6} reviews, digest {found.train.digest}")
    for name, trainer in found.trainers.items():
        blocks = " ".join(f"{speed:6.2f}" for speed in trainer.samples_per_second)
        versions = ", ".join(f"{package} {number}" for package, number in trainer.packages.items())
        print(f"  {name:24} samples/s {blocks}  median {trainer.median:6.2f}  {versions}")
    ratio = found.ratio
    print(f"  ours over {found.fastest}: {ratio.of_medians:.2f} ({ratio.lowest:.2f} to {ratio.highest:.2f})")


def _print_round(found: FeedbackRoundReport) -> None:
    rounds = ", ".join(f"{seconds:.0f}" for seconds in found.round_seconds)
    print(f"a feedback round of {found.judgements} corrections: {rounds} s, from the command to the published folder")
    print(f"  a full fine-tune: {found.full_steps} steps, {found.full_seconds:.0f} s at the median of", end=" ")
    print(f"{found.timed_steps} timed ones: {found.times_faster:.1f} times as long")
    row = found.imdb
    low, high = row.interval or (float("nan"), float("nan"))
    print(f"  IMDB, {row.reviews} test reviews: {row.first_accuracy:.2%} to {row.second_accuracy:.2%}", end="  ")
    print(f"difference {row.difference * 100:+.2f} points ({low * 100:+.2f} to {high * 100:+.2f})")


if __name__ == "__main__":
    main()
