"""A model's most confident mistakes, which reveal wrong labels and the model's weaknesses."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ml.evaluation.evaluate import ModelOutputs
from ml.evaluation.evaluation_set import EvaluationSet
from ml.serving.engine import probabilities
from ml.text.labels import LABELS

_MAX_MISTAKES = 20


@dataclass(frozen=True, slots=True)
class Mistake:
    """A misclassified review with its label, verdict and calibrated confidence (0.5 to 1)."""

    text: str
    label: str
    verdict: str
    confidence: float
    rating: float | None
    doubtful: bool


def worst_mistakes(
    answers: ModelOutputs, reviews: EvaluationSet, mask: npt.NDArray[np.bool_] | None = None
) -> list[Mistake]:
    """Return the twenty most confident mistakes, in descending order. Use only the reviews in ``mask``, if given."""
    verdicts = answers.logits.argmax(axis=1)
    wrong = verdicts != reviews.labels
    rows = np.flatnonzero(wrong if mask is None else wrong & mask)
    margins = np.ptp(answers.logits[rows], axis=1)
    worst = rows[np.argsort(-margins, kind="stable")][:_MAX_MISTAKES]
    confidences = probabilities(answers.logits, answers.temperature).max(axis=1)
    return [
        Mistake(
            text=reviews.texts[row],
            label=LABELS[reviews.labels[row]],
            verdict=LABELS[verdicts[row]],
            confidence=float(confidences[row]),
            rating=_rating(reviews, row),
            doubtful=reviews.doubtful is not None and bool(reviews.doubtful[row]),
        )
        for row in worst.tolist()
    ]


def _rating(reviews: EvaluationSet, row: int) -> float | None:
    if reviews.ratings is None or np.isnan(reviews.ratings[row]):
        return None
    return float(reviews.ratings[row])
