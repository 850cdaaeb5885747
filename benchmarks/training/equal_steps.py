"""Compares the accuracy of our training loop and Hugging Face's Trainer after the same number of steps.

    make peers
    python -m benchmarks.training.equal_steps --data imdb.parquet

Each seed determines the reviews, the initial classification head and the dropout masks. Both trainers start from the
same weights and get the same batches. Both models are then evaluated with the same engine in float32, on held-out
training reviews.
"""

import argparse
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.common.interleaving import TrainerProcess
from benchmarks.common.mean_interval import MeanInterval, mean_interval
from benchmarks.common.options import add_imdb_option, add_out_option
from benchmarks.common.provenance import Provenance, provenance
from benchmarks.common.results import write_results
from benchmarks.common.text_sets import TextSet, shared_texts, text_set
from benchmarks.training.job import TrainingJob
from benchmarks.training.trainers import (
    OURS,
    TRAINERS,
    ReviewSample,
    add_peer_option,
    trainer_command,
    trainer_environment,
)
from ml.evaluation.comparison import Comparison, compare
from ml.serving.engine import Engine, Logits
from ml.text.tokenization import TOKENIZER_FILES
from ml.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class SeedResult:
    """A pair of models, Trainer's (first) and ours (second), with their training and evaluation texts."""

    seed: int
    train: TextSet
    dev: TextSet
    shared_texts: int
    """Number of texts that are in both train and dev, compared by fingerprint."""
    accuracy: Comparison


@dataclass(frozen=True, slots=True)
class EqualStepsReport:
    """The content of ``benchmarks/results/equal_steps.json``. ``difference`` is our accuracy minus Trainer's."""

    provenance: Provenance
    recipe: dict[str, Any]
    steps: int
    trainer: str
    seeds: list[SeedResult]
    difference: MeanInterval


def main() -> None:
    """Measure, write and print the results."""
    arguments = _arguments()
    recipe = replace(Recipe.load("default"), epochs=1)
    with TemporaryDirectory() as work:
        seeds = [_train_pair(arguments, replace(recipe, seed=seed), Path(work, str(seed))) for seed in arguments.seeds]
    report = EqualStepsReport(
        provenance=provenance("keras", "tensorflow", "openvino", "tokenizers", "numpy"),
        recipe=asdict(recipe),
        steps=arguments.steps,
        trainer=arguments.trainer,
        seeds=seeds,
        difference=mean_interval([each.accuracy.difference for each in seeds]),
    )
    write_results(arguments.out, report)
    _print(report)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training.equal_steps",
        description="Compare the accuracy of two training loops after the same number of steps.",
    )
    add_imdb_option(parser)
    parser.add_argument(
        "--trainer",
        choices=TRAINERS,
        default="Trainer, bfloat16 eager",
        help="configuration of Trainer to compare with",
    )
    parser.add_argument("--steps", type=int, default=120, help="number of training steps")
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[42, 43, 44, 45], help="seeds; each trains one pair of models"
    )
    parser.add_argument(
        "--dev", type=int, default=1200, help="number of held-out train reviews to evaluate each pair on"
    )
    add_out_option(parser, "equal_steps")
    add_peer_option(parser)
    arguments = parser.parse_args()
    if len(arguments.seeds) < 2:
        parser.error("--seeds needs at least two seeds, because the interval is computed over the seeds")
    return arguments


def _train_pair(arguments: argparse.Namespace, recipe: Recipe, work: Path) -> SeedResult:
    sample = ReviewSample.draw(arguments.data, recipe, arguments.steps, arguments.dev)
    work.mkdir()
    job = sample.write_job(work / "job", sample.batches(), [arguments.steps])
    for name in (arguments.trainer, OURS):
        with TrainerProcess(
            trainer_command(name, arguments.peer, job, work / name), trainer_environment(), work / f"{name}.log"
        ) as trainer:
            trainer.finish()
    texts, labels = sample.split.dev["text"].tolist(), sample.split.dev["label"].to_numpy(np.int8)
    first, second = (_logits(job, work / name, texts) for name in (arguments.trainer, OURS))
    return SeedResult(
        seed=recipe.seed,
        train=text_set(sample.split.train),
        dev=text_set(sample.split.dev),
        shared_texts=shared_texts([sample.split.train, sample.split.dev]),
        accuracy=compare((arguments.trainer, OURS), first, second, labels),
    )


def _logits(job: TrainingJob, folder: Path, texts: list[str]) -> Logits:
    """Return the logits, with shape (texts, labels), of the model in ``folder``, computed by our engine in float32."""
    for name in TOKENIZER_FILES:
        shutil.copy(job.start / name, folder / name)
    recipe = job.recipe
    engine = Engine.load(folder, recipe.window, recipe.overlap, recipe.reading, precision="float32")
    return engine.logits(texts)[0]


def _print(found: EqualStepsReport) -> None:
    print(f"accuracy after {found.steps} steps, {found.trainer} and ours")
    for each in found.seeds:
        row = each.accuracy
        print(
            f"  seed {each.seed}: {row.first_accuracy:.2%} {row.second_accuracy:.2%} on {row.reviews:,} reviews",
            end="  ",
        )
        print(f"texts in train and dev: {each.shared_texts}; digests {each.train.digest} {each.dev.digest}")
    mean = found.difference
    print(f"  mean difference {mean.mean * 100:+.2f} points ({mean.low * 100:+.2f} to {mean.high * 100:+.2f})")


if __name__ == "__main__":
    main()
