"""Computes a model's figures on one set of texts, and how it differs from the plain run."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ml.evaluation.intervals import Interval
from ml.evaluation.metrics import Labels, calibration_error, confidence_bins
from ml.serving.engine import Logits
from ml.text.labels import LABELS

_RESAMPLES: Final = 20_000


@dataclass(frozen=True, slots=True)
class Answers:
    """Calibrated probabilities (texts, labels), labels (texts,), and the confidence below which the bot is not sure."""

    shares: Logits
    labels: Labels
    unsure_below: float

    @property
    def verdicts(self) -> npt.NDArray[np.int64]:
        """The index of the more probable label for each text."""
        return np.asarray(self.shares.argmax(axis=1), np.int64)

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Whether the verdict on each text is correct."""
        return np.asarray(self.verdicts == self.labels)

    @property
    def sure(self) -> npt.NDArray[np.bool_]:
        """Whether each answer is confident enough to count as sure."""
        return np.asarray(self.shares.max(axis=1) >= self.unsure_below)


@dataclass(frozen=True, slots=True)
class SetFigures:
    """Figures on one set. Shares range from 0 to 1."""

    texts: int
    balanced_accuracy: float
    """The mean of the accuracies on positive and on negative texts."""
    accuracy: float
    calibration_error: float
    """The expected calibration error over 15 bins."""
    unsure: float
    sure_accuracy: float | None
    """Accuracy when the model was sure, or None if it never was."""
    called_positive: float


@dataclass(frozen=True, slots=True)
class Difference:
    """A model's balanced accuracy minus the plain run's, with a 95% interval from a paired bootstrap."""

    difference: float
    interval: Interval


def set_figures(answers: Answers) -> SetFigures:
    """Return the figures for a set with at least one answer."""
    right, sure = answers.right, answers.sure
    return SetFigures(
        texts=len(right),
        balanced_accuracy=balanced_accuracy(right, answers.labels),
        accuracy=float(right.mean()),
        calibration_error=calibration_error(confidence_bins(answers.shares.max(axis=1), right)),
        unsure=float((~sure).mean()),
        sure_accuracy=float(right[sure].mean()) if sure.any() else None,
        called_positive=float((answers.verdicts == 1).mean()),
    )


def balanced_accuracy(right: npt.NDArray[np.generic], labels: Labels) -> float:
    """Return the accuracy on each label's texts, averaged over the labels. ``right`` has shape (texts,).

    Raise ValueError if a label has no texts.
    """
    return float(np.mean([_with_label(right, labels, label).mean() for label in range(len(LABELS))]))


def paired_difference(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_], labels: Labels) -> Difference:
    """Return the balanced accuracy of ``second`` minus that of ``first``. Both arrays mark which verdicts are right.

    The interval comes from a percentile bootstrap over the texts, which are resampled separately for each label. The
    difference depends only on how many texts flip each way, so each resample is drawn from a multinomial distribution.
    The draws are seeded.
    """
    change = second.astype(np.int8) - first.astype(np.int8)
    random = np.random.default_rng(0)
    resampled = np.zeros(_RESAMPLES)
    for label in range(len(LABELS)):
        rows = _with_label(change, labels, label)
        shares = [float((rows == way).mean()) for way in (1, -1, 0)]
        drawn = random.multinomial(len(rows), shares, size=_RESAMPLES)
        resampled += (drawn[:, 0] - drawn[:, 1]) / len(rows) / len(LABELS)
    low, high = np.quantile(resampled, (0.025, 0.975))
    return Difference(balanced_accuracy(change, labels), (float(low), float(high)))


def _with_label(values: npt.NDArray[np.generic], labels: Labels, label: int) -> npt.NDArray[np.float64]:
    has_label = labels == label
    if not has_label.any():
        raise ValueError(f"no text has the label {LABELS[label]}")
    return np.asarray(values[has_label], np.float64)
