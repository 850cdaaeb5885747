"""Whether our loop's model is as good as Trainer's after equally many steps, over several seeds.

    make peers
    python -m benchmarks.training.equal_steps --data imdb.parquet

A seed draws the reviews, the new head and what is dropped out; both trainers get the same batches from the same
weights, and one float32 engine reads held-out train reviews with each of the two models.
"""

import argparse
import json
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.common.interleaving import Trainee
from benchmarks.common.mean_interval import Mean, mean_of
from benchmarks.common.provenance import Provenance, provenance
from benchmarks.common.text_sets import Part, part_of, shared_texts
from benchmarks.training.job import TrainingJob
from benchmarks.training.trainers import OURS, TRAINERS, Sample, add_peer, command, environment
from ml.evaluation.comparison import Comparison, compare
from ml.serving.engine import Engine, Logits
from ml.text.tokenization import TOKENIZER_FILES
from ml.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Seed:
    """One pair of models: what they were trained on and measured by, and Trainer's (first) against ours (second)."""

    seed: int
    train: Part
    dev: Part
    shared_texts: int
    """Texts that stand in train and dev, counted by their fingerprints."""
    accuracy: Comparison


@dataclass(frozen=True, slots=True)
class Report:
    """What ``benchmarks/results/equal_steps.json`` holds: our accuracy minus Trainer's, by seed and in the mean."""

    provenance: Provenance
    recipe: dict[str, Any]
    steps: int
    trainer: str
    seeds: list[Seed]
    difference: Mean


def main() -> None:
    """Measure, write the JSON and print it as a table."""
    arguments = _arguments()
    recipe = replace(Recipe.load("default"), epochs=1)
    with TemporaryDirectory() as work:
        seeds = [_pair(arguments, replace(recipe, seed=seed), Path(work, str(seed))) for seed in arguments.seeds]
    report = Report(
        provenance=provenance("keras", "tensorflow", "openvino", "tokenizers", "numpy"),
        recipe=asdict(recipe),
        steps=arguments.steps,
        trainer=arguments.trainer,
        seeds=seeds,
        difference=mean_of([each.accuracy.difference for each in seeds]),
    )
    arguments.out.write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
    _print(report)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training.equal_steps", description="Compare trained models."
    )
    parser.add_argument("--data", type=Path, required=True, help="labelled reviews with the official split: parquet")
    parser.add_argument("--trainer", choices=TRAINERS, default="Trainer, bfloat16 eager", help="beside ours")
    parser.add_argument("--steps", type=int, default=120, help="steps after which accuracy is compared")
    parser.add_argument("--seeds", type=int, nargs="+", default=[42, 43, 44, 45], help="a pair of models each")
    parser.add_argument("--dev", type=int, default=1200, help="held-out train reviews that each pair is measured on")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/equal_steps.json"), help="results file")
    add_peer(parser)
    arguments = parser.parse_args()
    if len(arguments.seeds) < 2:
        parser.error("an interval takes two seeds or more")
    return arguments


def _pair(arguments: argparse.Namespace, recipe: Recipe, work: Path) -> Seed:
    sample = Sample.draw(arguments.data, recipe, arguments.steps, arguments.dev)
    work.mkdir()
    job = sample.write_job(work / "job", sample.batches(), [arguments.steps])
    for name in (arguments.trainer, OURS):
        with Trainee(command(name, arguments.peer, job, work / name), environment(), work / f"{name}.log") as trainee:
            trainee.finish()
    texts, labels = sample.split.dev["text"].tolist(), sample.split.dev["label"].to_numpy(np.int8)
    first, second = (_logits(job, work / name, texts) for name in (arguments.trainer, OURS))
    return Seed(
        seed=recipe.seed,
        train=part_of(sample.split.train),
        dev=part_of(sample.split.dev),
        shared_texts=shared_texts([sample.split.train, sample.split.dev]),
        accuracy=compare((arguments.trainer, OURS), first, second, labels),
    )


def _logits(job: TrainingJob, folder: Path, texts: list[str]) -> Logits:
    """What the model in ``folder`` says of ``texts``, by our engine in float32."""
    for name in TOKENIZER_FILES:
        shutil.copy(job.start / name, folder / name)
    recipe = job.recipe
    engine = Engine.load(folder, recipe.window, recipe.overlap, recipe.reading, precision="float32")
    return engine.logits(texts)[0]


def _print(found: Report) -> None:
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
