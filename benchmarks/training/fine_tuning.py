"""How fast a model is fine-tuned. Whether the speed costs accuracy is for ``benchmarks.training.equal_steps``.

    make peers
    python -m benchmarks.training.fine_tuning --data imdb.parquet --sentences rt_polarity.csv.gz

Our loop (Keras 3 on TensorFlow) and Hugging Face's Trainer (on PyTorch, set up in several ways) train the same
encoder from the same weights, the new head among them, on the same padded batches. Each has a process of its own; they
take turns, a block of steps each, on the same cores. Untimed steps come first, in which each meets every shape of a
batch. Our blocks contain the checkpoints that our loop keeps every 50 steps; Trainer keeps none.

Then ``benchmarks.training.feedback_round`` times the command of a feedback round beside the steps of a full fine-tune.
"""

import argparse
import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.common.arguments import parameters
from benchmarks.common.interleaving import Ratio, Trainee, samples_per_second, speed_ratio, take_turns
from benchmarks.common.provenance import Provenance, provenance
from benchmarks.common.text_sets import Part, part_of
from benchmarks.training.feedback_round import FeedbackRound, Sizes, feedback_round
from benchmarks.training.job import TrainingJob, warm_up
from benchmarks.training.trainers import OURS, TRAINERS, Sample, add_peer, command, environment
from core.settings import Settings
from ml.training.recipe import Recipe

# Batches of each shape that a trainer meets before its time counts: TensorFlow traces anew for the first two shapes.
_WARM_UP = 2


@dataclass(frozen=True, slots=True)
class Trainer:
    """One trainer's run: what it computed with and its speed, by block and in the middle."""

    precision: str
    threads: int
    packages: dict[str, str]
    samples_per_second: list[float]
    median: float
    step_seconds: list[list[float]]
    """Of every timed step, block by block."""


@dataclass(frozen=True, slots=True)
class AgainstTrainer:
    """Our loop against Trainer, set up in several ways; what counts is the ratio to the fastest."""

    base: str
    parameters: int
    recipe: dict[str, Any]
    cores: int
    load_before: float
    """What the machine was busy with before, in processes (the mean of a minute)."""
    untimed_steps: int
    steps_a_block: int
    train: Part
    trainers: dict[str, Trainer]
    fastest: str
    """Which Trainer was."""
    ratio: Ratio
    """Ours over the fastest Trainer, in samples per second."""


@dataclass(frozen=True, slots=True)
class Report:
    """What ``benchmarks/results/fine_tuning.json`` holds."""

    provenance: Provenance
    against_trainer: AgainstTrainer
    feedback_round: FeedbackRound


def main() -> None:
    """Measure, write the JSON and print it as a table."""
    arguments = _arguments()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.cores])
    with TemporaryDirectory() as work:
        found = against_trainer(arguments, Path(work))
        _print(found)
        anchor = Settings.model_fields["anchor"].default
        quick = feedback_round(arguments.data, arguments.sentences, anchor, Path(work), Sizes())
    packages = ("keras", "tensorflow", "openvino", "tokenizers", "numpy")
    report = Report(provenance(*packages), found, quick)
    arguments.out.write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
    _print_round(quick)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training.fine_tuning", description="Measure fine-tuning."
    )
    parser.add_argument("--data", type=Path, required=True, help="labelled reviews with the official split: parquet")
    parser.add_argument("--sentences", type=Path, required=True, help="labelled sentences of another domain: CSV")
    parser.add_argument("--blocks", type=int, default=3, help="turns that each trainer has")
    parser.add_argument("--steps", type=int, default=20, help="steps a block")
    parser.add_argument("--cores", type=int, default=2, help="processor cores that all of it may use")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/fine_tuning.json"), help="results file")
    add_peer(parser)
    return parser.parse_args()


def against_trainer(arguments: argparse.Namespace, work: Path) -> AgainstTrainer:
    """Let our loop and Trainer take turns at one job in ``work``, a block of steps each."""
    load = os.getloadavg()[0]
    sample = Sample.draw(
        arguments.data, replace(Recipe.load("default"), epochs=1), arguments.steps * arguments.blocks, 1
    )
    epoch = sample.batches()
    first = warm_up(epoch, _WARM_UP)
    stops = [len(first) + arguments.steps * done for done in range(arguments.blocks + 1)]
    job = sample.write_job(work / "job", [*first, *epoch], stops)
    commands = {name: command(name, arguments.peer, job, work / name) for name in (OURS, *TRAINERS)}
    trainers = _train(commands, job, work)
    fastest = max((name for name in trainers if name != OURS), key=lambda name: trainers[name].median)
    return AgainstTrainer(
        base=job.recipe.base,
        parameters=parameters(job.start),
        recipe=asdict(job.recipe),
        cores=len(os.sched_getaffinity(0)),
        load_before=load,
        untimed_steps=job.stops[0],
        steps_a_block=arguments.steps,
        train=part_of(sample.split.train),
        trainers=trainers,
        fastest=fastest,
        ratio=speed_ratio(trainers[OURS].samples_per_second, trainers[fastest].samples_per_second),
    )


def _train(commands: dict[str, list[str]], job: TrainingJob, work: Path) -> dict[str, Trainer]:
    """Carry out the job with each command, in turns."""
    with ExitStack() as stack:
        trainees = {
            name: stack.enter_context(Trainee(started, environment(), work / f"{name}.log"))
            for name, started in commands.items()
        }
        seconds = take_turns(trainees, len(job.stops) - 1)
        for trainee in trainees.values():
            trainee.finish()
    sizes = [len(targets) for _, targets in job.batches.epoch(0)][job.stops[0] :]
    return {name: _trainer(trainee.facts, sizes, seconds[name]) for name, trainee in trainees.items()}


def _trainer(facts: dict[str, Any], sizes: Sequence[int], seconds: list[list[float]]) -> Trainer:
    speeds = samples_per_second(sizes, seconds)
    return Trainer(**facts, samples_per_second=speeds, median=median(speeds), step_seconds=seconds)


def _print(found: AgainstTrainer) -> None:
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


def _print_round(found: FeedbackRound) -> None:
    rounds = ", ".join(f"{seconds:.0f}" for seconds in found.round_seconds)
    print(f"a feedback round of {found.judgements} judgements: {rounds} s, from the command to the published folder")
    print(f"  a full fine-tune: {found.full_steps} steps, {found.full_seconds:.0f} s at the median of", end=" ")
    print(f"{found.timed_steps} timed ones: {found.times_faster:.1f} times as long")
    row = found.imdb
    low, high = row.interval or (float("nan"), float("nan"))
    print(f"  IMDB, {row.reviews} test reviews: {row.first_accuracy:.2%} to {row.second_accuracy:.2%}", end="  ")
    print(f"difference {row.difference * 100:+.2f} points ({low * 100:+.2f} to {high * 100:+.2f})")


if __name__ == "__main__":
    main()
