"""How fast a model is fine-tuned, and whether the speed costs accuracy.

    make peers
    python -m benchmarks.fine_tuning --data imdb.parquet --sentences rt_polarity.csv.gz

Our loop (Keras 3 on TensorFlow) and Hugging Face's Trainer (on PyTorch, set up in several ways) train the same
encoder from the same weights, the new head among them, on the same padded batches. Each has a process of its own; they
take turns, a block of steps each, on the same cores. Untimed steps come first, in which each meets every shape of a
batch. Our blocks contain the checkpoints that our loop keeps every 50 steps; Trainer keeps none. At the end all have
done the same steps, and one float32 engine reads held-out train reviews with our model and with that of the Trainer
which was fastest.

Then the command of a feedback round is timed beside the steps of a full fine-tune, see ``benchmarks.feedback_round``.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
import pandas as pd

from benchmarks.feedback_round import FeedbackRound, Sizes, feedback_round
from benchmarks.parts import Part, part_of, shared_texts
from benchmarks.provenance import Provenance, provenance
from benchmarks.training_job import TrainingJob, warm_up
from benchmarks.turns import Ratio, Trainee, samples_per_second, speed_ratio, take_turns
from config.settings import Settings
from ml.base_model import find_base_model
from ml.batches import WindowBatches
from ml.bert_config import BertConfig
from ml.checkpoint import read_checkpoint
from ml.comparison import Comparison, compare
from ml.data import read_reviews
from ml.lesson import Examples
from ml.prediction import Engine, Logits
from ml.recipe import Recipe
from ml.splits import Split
from ml.tokens import FILES, TextReader
from ml.training_data import TrainingData

OURS = "ours"
# Batches of each shape that a trainer meets before its time counts: TensorFlow traces anew for the first two shapes.
_WARM_UP = 2
# How Trainer is set up: what it multiplies in, and the form of attention. sdpa is what transformers chooses by itself;
# eager is the faster one in bfloat16 on some processors.
_SET_UPS = (("float32", "sdpa"), ("bfloat16", "sdpa"), ("bfloat16", "eager"))
_PEER = Path(__file__).with_name("trainer_peer.py")


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
    dev: Part
    shared_texts: int
    """Texts that stand in train and dev, counted by their fingerprints."""
    trainers: dict[str, Trainer]
    fastest: str
    """Which Trainer was."""
    ratio: Ratio
    """Ours over the fastest Trainer, in samples per second."""
    accuracy: Comparison
    """The fastest Trainer (first) and ours (second) on dev, after equally many steps."""


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
        anchor = Settings.model_fields["anchor"].default
        quick = feedback_round(arguments.data, arguments.sentences, anchor, Path(work), Sizes())
    packages = ("keras", "tensorflow", "openvino", "tokenizers", "numpy")
    report = Report(provenance(*packages), found, quick)
    arguments.out.write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
    _print(found)
    _print_round(quick)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fine_tuning", description="Measure fine-tuning.")
    parser.add_argument("--data", type=Path, required=True, help="labelled reviews with the official split: parquet")
    parser.add_argument("--sentences", type=Path, required=True, help="labelled sentences of another domain: CSV")
    parser.add_argument("--blocks", type=int, default=3, help="turns that each trainer has")
    parser.add_argument("--steps", type=int, default=40, help="steps a block")
    parser.add_argument("--dev", type=int, default=1200, help="held-out train reviews that accuracy is measured on")
    parser.add_argument("--cores", type=int, default=2, help="processor cores that all of it may use")
    parser.add_argument("--peer", type=Path, default=Path(".venv-peers/bin/python"), help="Python with PyTorch")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/fine_tuning.json"), help="results file")
    arguments = parser.parse_args()
    if not arguments.peer.exists():
        parser.error(f"there is no {arguments.peer}; `make peers` makes it")
    return arguments


def against_trainer(arguments: argparse.Namespace, work: Path) -> AgainstTrainer:
    """Let our loop and Trainer take turns at one job in ``work``, then compare the models that come out."""
    load = os.getloadavg()[0]
    recipe = replace(Recipe.named("default"), epochs=1)
    split = _sample(arguments, recipe)
    job, parameters = _write_job(work / "job", split.train, recipe, arguments.steps, arguments.blocks)
    commands = {OURS: [sys.executable, "-m", "benchmarks.trainer_ours", str(job.folder), str(work / OURS)]}
    for set_up in _SET_UPS:
        name = f"Trainer, {' '.join(set_up)}"
        commands[name] = [str(arguments.peer), str(_PEER), str(job.folder), str(work / name), *set_up]
    trainers = _train(commands, job, work)
    fastest = max((name for name in trainers if name != OURS), key=lambda name: trainers[name].median)
    first, second = (_logits(job, work / name, split.dev["text"].tolist()) for name in (fastest, OURS))
    return AgainstTrainer(
        base=recipe.base,
        parameters=parameters,
        recipe=asdict(recipe),
        cores=len(os.sched_getaffinity(0)),
        load_before=load,
        untimed_steps=job.stops[0],
        steps_a_block=arguments.steps,
        train=part_of(split.train),
        dev=part_of(split.dev),
        shared_texts=shared_texts([split.train, split.dev]),
        trainers=trainers,
        fastest=fastest,
        ratio=speed_ratio(trainers[OURS].samples_per_second, trainers[fastest].samples_per_second),
        accuracy=compare((fastest, OURS), first, second, split.dev["label"].to_numpy(np.int8)),
    )


def _sample(arguments: argparse.Namespace, recipe: Recipe) -> Split:
    """As many reviews as the timed steps take, and held-out ones; of the official train part both."""
    split = TrainingData.choose(read_reviews(arguments.data), arguments.data, recipe, None).split
    wanted = arguments.steps * arguments.blocks * recipe.batch_size
    train = split.train.sample(wanted, random_state=recipe.seed)
    return Split(train, split.dev.sample(min(arguments.dev, len(split.dev)), random_state=recipe.seed))


def _write_job(folder: Path, train: pd.DataFrame, recipe: Recipe, steps: int, blocks: int) -> tuple[TrainingJob, int]:
    """The job of one epoch behind its warm-up, and how many parameters it trains."""
    keras.utils.set_random_seed(recipe.seed)
    base = find_base_model(recipe.base).folder
    config = replace(
        BertConfig.read(base),
        hidden_dropout_prob=recipe.hidden_dropout,
        attention_probs_dropout_prob=recipe.attention_dropout,
    )
    reader = TextReader.read(base, recipe.window, recipe.overlap, recipe.reading)
    examples = Examples.labelled(train["text"].tolist(), train["label"].tolist())
    epoch = list(WindowBatches(examples, reader, recipe).epoch(0))
    first = warm_up(epoch, _WARM_UP)
    stops = [len(first) + steps * done for done in range(blocks + 1)]
    network = read_checkpoint(base, config)
    job = TrainingJob.write(folder, network, config, reader, recipe, [*first, *epoch], stops)
    return job, network.count_params()


def _train(commands: dict[str, list[str]], job: TrainingJob, work: Path) -> dict[str, Trainer]:
    """Carry out the job with each command, in turns."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    with ExitStack() as stack:
        trainees = {
            name: stack.enter_context(Trainee(command, environment, work / f"{name}.log"))
            for name, command in commands.items()
        }
        seconds = take_turns(trainees, len(job.stops) - 1)
        for trainee in trainees.values():
            trainee.finish()
    sizes = [len(targets) for _, targets in job.batches.epoch(0)][job.stops[0] :]
    return {name: _trainer(trainee.facts, sizes, seconds[name]) for name, trainee in trainees.items()}


def _trainer(facts: dict[str, Any], sizes: Sequence[int], seconds: list[list[float]]) -> Trainer:
    speeds = samples_per_second(sizes, seconds)
    return Trainer(**facts, samples_per_second=speeds, median=median(speeds), step_seconds=seconds)


def _logits(job: TrainingJob, folder: Path, texts: list[str]) -> Logits:
    """What the model in ``folder`` says of ``texts``, by our engine in float32."""
    for name in FILES:
        shutil.copy(job.start / name, folder / name)
    recipe = job.recipe
    engine = Engine.load(folder, recipe.window, recipe.overlap, recipe.reading, precision="float32")
    return engine.logits(texts)[0]


def _print(found: AgainstTrainer) -> None:
    print(f"{found.base}, {found.parameters:,} parameters, window {found.recipe['window']} tokens, {found.cores} cores")
    print(
        f"load before {found.load_before:.2f}; {found.untimed_steps} untimed steps, then {found.steps_a_block} a block"
    )
    for name, part in (("train", found.train), ("dev", found.dev)):
        print(f"  {name:5} {part.reviews:>6} reviews, digest {part.digest}")
    print(f"  texts in both: {found.shared_texts}")
    for name, trainer in found.trainers.items():
        blocks = " ".join(f"{speed:6.2f}" for speed in trainer.samples_per_second)
        versions = ", ".join(f"{package} {number}" for package, number in trainer.packages.items())
        print(f"  {name:24} samples/s {blocks}  median {trainer.median:6.2f}  {versions}")
    ratio, row = found.ratio, found.accuracy
    print(f"  ours over {found.fastest}: {ratio.of_medians:.2f} ({ratio.lowest:.2f} to {ratio.highest:.2f})")
    low, high = row.interval or (float("nan"), float("nan"))
    print(f"  accuracy {row.first}: {row.first_accuracy:.2%}  {row.second}: {row.second_accuracy:.2%}", end="  ")
    print(f"difference {row.difference * 100:+.2f} points ({low * 100:+.2f} to {high * 100:+.2f})")


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
