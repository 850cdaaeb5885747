"""Whether our loop's model is as good as Trainer's after equally many steps, over several seeds.

A seed draws the reviews, the new head and what is dropped out; both trainers get the same batches from the same
weights, and one float32 engine reads held-out train reviews with each of the two models.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.means import Mean, mean_of
from benchmarks.parts import Part, part_of, shared_texts
from benchmarks.trainers import OURS, Sample, command, environment
from benchmarks.training_job import TrainingJob
from benchmarks.turns import Trainee
from ml.comparison import Comparison, compare
from ml.prediction import Engine, Logits
from ml.recipe import Recipe
from ml.tokens import FILES


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
class EqualSteps:
    """Our accuracy minus Trainer's, by seed and in the mean."""

    steps: int
    trainer: str
    seeds: list[Seed]
    difference: Mean


def equal_steps(  # noqa: PLR0913, PLR0917 - one argument a fact
    data: Path, trainer: str, peer: Path, work: Path, seeds: Sequence[int], steps: int, dev: int
) -> EqualSteps:
    """Train a pair a seed in ``work``; ``dev`` is how many held-out reviews measure each."""
    found = [_pair(data, trainer, peer, work / str(seed), seed, steps, dev) for seed in seeds]
    return EqualSteps(steps, trainer, found, mean_of([each.accuracy.difference for each in found]))


def _pair(  # noqa: PLR0913, PLR0917 - one argument a fact
    data: Path, trainer: str, peer: Path, work: Path, seed: int, steps: int, dev: int
) -> Seed:
    sample = Sample.draw(data, replace(Recipe.named("default"), epochs=1, seed=seed), steps, dev)
    work.mkdir()
    job = sample.write_job(work / "job", sample.batches(), [steps])
    for name in (trainer, OURS):
        with Trainee(command(name, peer, job, work / name), environment(), work / f"{name}.log") as trainee:
            trainee.finish()
    texts, labels = sample.split.dev["text"].tolist(), sample.split.dev["label"].to_numpy(np.int8)
    first, second = (_logits(job, work / name, texts) for name in (trainer, OURS))
    return Seed(
        seed=seed,
        train=part_of(sample.split.train),
        dev=part_of(sample.split.dev),
        shared_texts=shared_texts([sample.split.train, sample.split.dev]),
        accuracy=compare((trainer, OURS), first, second, labels),
    )


def _logits(job: TrainingJob, folder: Path, texts: list[str]) -> Logits:
    """What the model in ``folder`` says of ``texts``, by our engine in float32."""
    for name in FILES:
        shutil.copy(job.start / name, folder / name)
    recipe = job.recipe
    engine = Engine.load(folder, recipe.window, recipe.overlap, recipe.reading, precision="float32")
    return engine.logits(texts)[0]
