"""How long a feedback round takes, beside a full fine-tune, and what it costs on IMDB.

The round is the command that people run, from its start to the published folder. Of the full fine-tune the first steps
are run and timed by the same loop; its length is their median times all its steps, without reading, publishing and
measuring, so it is rather longer.
"""

from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import numpy as np
import pandas as pd

from benchmarks.common.arguments import thumbs
from ml.data.reviews import read_reviews
from ml.data.splits import hold_out
from ml.errors import FineTuneStopped
from ml.evaluation.comparison import Comparison, compare
from ml.serving.engine import Classifier
from ml.text.fingerprints import digest, shared_fingerprints
from ml.training.base_model import find_base_model
from ml.training.dataset_splits import DatasetSplits
from ml.training.fine_tune import FineTuneJob, fine_tune
from ml.training.loop import TrainingCallbacks, TrainingProgress
from ml.training.recipe import Recipe

_SEED = 42
_SLOW_AT_FIRST = 10


@dataclass(frozen=True, slots=True)
class FeedbackRound:
    """Seconds of rounds and of a full fine-tune's steps, and the anchor (first) against the last round on IMDB."""

    judgements: int
    judgements_digest: str
    anchor: str
    round_seconds: list[float]
    full_steps: int
    timed_steps: int
    full_seconds: float
    """``full_steps`` at the median of the timed ones."""
    times_faster: float
    """The full fine-tune's seconds over those of the slowest round."""
    shared_texts: int
    """Judged texts that stand in the test reviews, counted by their fingerprints."""
    imdb: Comparison
    """On official test reviews, whole movies."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured: judgements a round, rounds, steps of the full fine-tune, and test reviews."""

    judgements: int = 200
    rounds: int = 2
    steps: int = 60
    imdb: int = 3_000


def feedback_round(data: Path, sentences: Path, anchor: Path, work: Path, sizes: Sizes) -> FeedbackRound:
    """Time rounds on ``sentences`` of another domain before and after the steps of a full fine-tune, in ``work``."""
    judged = read_reviews(sentences).sample(sizes.judgements, random_state=_SEED)
    judged.to_csv(work / "judged.csv", index=False)
    first = [_round_seconds(data, anchor, work) for _ in range(sizes.rounds // 2)]
    known, steps, seconds = _full_steps(data, work, sizes.steps)
    rounds = [*first, *(_round_seconds(data, anchor, work) for _ in range(sizes.rounds - len(first)))]
    test = hold_out(known.test, sizes.imdb / len(known.test), _SEED).dev
    before, after = Classifier.load(anchor), Classifier.load(work / "round")
    logits = [model.engine.logits(test["text"].tolist())[0] for model in (before, after)]
    return FeedbackRound(
        judgements=len(judged),
        judgements_digest=digest(judged["text"]),
        anchor=before.version,
        round_seconds=rounds,
        full_steps=steps,
        timed_steps=sizes.steps,
        full_seconds=steps * seconds,
        times_faster=steps * seconds / max(rounds),
        shared_texts=len(shared_fingerprints(judged["text"], test["text"])),
        imdb=compare((before.version, after.version), logits[0], logits[1], test["label"].to_numpy(np.int8)),
    )


def _round_seconds(data: Path, anchor: Path, work: Path) -> float:
    """Wall-clock seconds of ``thumbs fine-tune --recipe feedback``."""
    files = ["--corrections", str(work / "judged.csv"), "--data", str(data), "--base", str(anchor)]
    started = monotonic()
    thumbs("fine-tune", "--recipe", "feedback", *files, "--out", str(work / "round"))
    return monotonic() - started


def _full_steps(data: Path, work: Path, timed: int) -> tuple[DatasetSplits, int, float]:
    """Start the default recipe's fine-tune: its data, its number of steps, and the median seconds of the timed ones."""
    recipe = Recipe.load("default")
    known = DatasetSplits.from_reviews(read_reviews(data), data, recipe, None)
    times: list[float] = []
    seen: list[TrainingProgress] = []

    def report(progress: TrainingProgress) -> None:
        times.append(monotonic())
        seen.append(progress)

    order = FineTuneJob(find_base_model(recipe.base), known.training_set(), recipe, work / "full")
    try:
        fine_tune(order, TrainingCallbacks(report, lambda: len(times) > _SLOW_AT_FIRST + timed))
    except FineTuneStopped:
        order.checkpoint.remove()
    return known, seen[-1].steps, float(pd.Series(times[_SLOW_AT_FIRST:]).diff().median())
