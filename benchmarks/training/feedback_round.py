"""Measures how long a feedback round takes compared with a full fine-tune, and the round's effect on IMDB.

The round is timed from the start of the command until the folder is published. The same loop runs and times the first
steps of the full fine-tune. The full fine-tune's time is estimated as the median duration of these steps, multiplied by
the total number of steps. The estimate is too low, because it excludes reading, publishing and evaluating.
"""

from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import numpy as np
import pandas as pd

from benchmarks.common.thumbs_command import run_thumbs
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
_UNTIMED_STEPS = 10


@dataclass(frozen=True, slots=True)
class FeedbackRoundReport:
    """The durations of feedback rounds and of a full fine-tune's steps.

    ``imdb`` compares the anchor (first) with the model from the last round.
    """

    judgements: int
    judgements_digest: str
    anchor: str
    round_seconds: list[float]
    full_steps: int
    timed_steps: int
    full_seconds: float
    """Estimated seconds for ``full_steps``, from the median duration of the timed steps."""
    times_faster: float
    """``full_seconds`` divided by the duration of the slowest round."""
    shared_texts: int
    """Number of corrections whose text is also in the test reviews, compared by fingerprint."""
    imdb: Comparison
    """Comparison on official test reviews, using all reviews of each movie."""


@dataclass(frozen=True, slots=True)
class MeasurementSizes:
    """The sizes of the measurement: corrections per round, rounds, timed full fine-tune steps, and test reviews."""

    corrections: int = 200
    rounds: int = 2
    steps: int = 60
    imdb: int = 3_000


def measure_feedback_round(
    data: Path, sentences: Path, anchor: Path, work: Path, sizes: MeasurementSizes
) -> FeedbackRoundReport:
    """Time feedback rounds on ``sentences`` before and after the steps of a full fine-tune, in the ``work`` folder."""
    corrections = read_reviews(sentences).sample(sizes.corrections, random_state=_SEED)
    corrections.to_csv(work / "corrections.csv", index=False)
    earlier = [_time_round(data, anchor, work) for _ in range(sizes.rounds // 2)]
    known, steps, seconds = _time_full_fine_tune(data, work, sizes.steps)
    rounds = [*earlier, *(_time_round(data, anchor, work) for _ in range(sizes.rounds - len(earlier)))]
    test = hold_out(known.test, sizes.imdb / len(known.test), _SEED).dev
    before, after = Classifier.load(anchor), Classifier.load(work / "round")
    logits = [model.engine.logits(test["text"].tolist())[0] for model in (before, after)]
    return FeedbackRoundReport(
        judgements=len(corrections),
        judgements_digest=digest(corrections["text"]),
        anchor=before.version,
        round_seconds=rounds,
        full_steps=steps,
        timed_steps=sizes.steps,
        full_seconds=steps * seconds,
        times_faster=steps * seconds / max(rounds),
        shared_texts=len(shared_fingerprints(corrections["text"], test["text"])),
        imdb=compare((before.version, after.version), logits[0], logits[1], test["label"].to_numpy(np.int8)),
    )


def _time_round(data: Path, anchor: Path, work: Path) -> float:
    """Return how many seconds ``thumbs fine-tune --recipe feedback`` takes."""
    files = ["--corrections", str(work / "corrections.csv"), "--data", str(data), "--base", str(anchor)]
    started = monotonic()
    run_thumbs("fine-tune", "--recipe", "feedback", *files, "--out", str(work / "round"))
    return monotonic() - started


def _time_full_fine_tune(data: Path, work: Path, timed: int) -> tuple[DatasetSplits, int, float]:
    """Start a fine-tune with the default recipe.

    Return the fine-tune's data, number of steps and median seconds per timed step.
    """
    recipe = Recipe.load("default")
    known = DatasetSplits.from_reviews(read_reviews(data), data, recipe, None)
    times: list[float] = []
    steps: list[TrainingProgress] = []

    def report(progress: TrainingProgress) -> None:
        times.append(monotonic())
        steps.append(progress)

    job = FineTuneJob(find_base_model(recipe.base), known.training_set(), recipe, work / "full")
    try:
        fine_tune(job, TrainingCallbacks(report, lambda: len(times) > _UNTIMED_STEPS + timed))
    except FineTuneStopped:
        job.checkpoint.remove()
    return known, steps[-1].steps, float(pd.Series(times[_UNTIMED_STEPS:]).diff().median())
