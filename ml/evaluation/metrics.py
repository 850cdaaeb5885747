"""Accuracy, calibration and related figures for a model, computed from its logits as served."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from sklearn import metrics

from ml.evaluation.intervals import Interval, bootstrap_interval
from ml.serving.engine import Logits, probabilities
from ml.text.labels import LABELS

Labels = npt.NDArray[np.int8]
_BINS = 15
_TEMPERATURES = (0.25, 4.0)


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares are from 0 to 1, ``log_loss`` is in nats, and ``calibration_error`` is the ECE over 15 equal bins."""

    reviews: int
    accuracy: float
    log_loss: float
    calibration_error: float
    unsure: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Predictions with a confidence between ``low`` and ``high``, their mean confidence and their accuracy."""

    low: float
    high: float
    reviews: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Figures at one temperature, and the bins from which the calibration error is computed."""

    temperature: float
    figures: Figures
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All figures for one model on one evaluation set."""

    served: Calibrated
    """Figures at the temperature in the published folder, which the bot uses."""
    uncalibrated: Calibrated
    """Figures at temperature 1."""
    interval: Interval | None
    """95% bootstrap interval for the accuracy; None for a single text."""
    f1: float | None
    """The F1 score for Positive, or None if there are no positive labels or verdicts."""
    auc: float | None
    """Area under the ROC curve, or None if all labels are the same."""
    confusion: tuple[tuple[int, int], tuple[int, int]]
    """Number of texts by label (row) and verdict (column), in the order of ``LABELS``."""


def evaluate(logits: Logits, labels: Labels, temperature: float, unsure_below: float) -> Evaluation:
    """Evaluate ``logits`` (texts, labels) against ``labels`` (texts,). There must be at least one text."""
    verdicts = logits.argmax(axis=1)
    (nn, np_), (pn, pp) = metrics.confusion_matrix(labels, verdicts, labels=range(len(LABELS))).tolist()
    both = len(np.unique(labels)) == len(LABELS)
    return Evaluation(
        served=_figures_at(logits, labels, temperature, unsure_below),
        uncalibrated=_figures_at(logits, labels, 1.0, unsure_below),
        interval=bootstrap_interval(verdicts == labels),
        f1=float(metrics.f1_score(labels, verdicts)) if np_ + pn + pp else None,
        # The margin ranks texts in the same order as the probability, but without ties from rounding.
        auc=float(metrics.roc_auc_score(labels, logits[:, 1] - logits[:, 0])) if both else None,
        confusion=((nn, np_), (pn, pp)),
    )


def figures(logits: Logits, labels: Labels, temperature: float, unsure_below: float) -> Figures:
    """Return the figures of ``logits`` (texts, labels) against ``labels`` (texts,) at ``temperature``."""
    return _figures_at(logits, labels, temperature, unsure_below).figures


def _figures_at(logits: Logits, labels: Labels, temperature: float, unsure_below: float) -> Calibrated:
    shares = probabilities(logits, temperature)
    confidence = shares.max(axis=1)
    right = shares.argmax(axis=1) == labels
    bins = confidence_bins(confidence, right)
    found = Figures(
        reviews=len(labels),
        accuracy=float(right.mean()),
        log_loss=_log_loss(logits, labels, temperature),
        calibration_error=calibration_error(bins),
        unsure=float((confidence < unsure_below).mean()),
    )
    return Calibrated(temperature, found, bins)


def confidence_bins(confidence: npt.NDArray[np.float32], right: npt.NDArray[np.bool_]) -> tuple[Bin, ...]:
    """Group ``confidence`` and ``right``, both (texts,), by confidence into equally wide bins. Skip empty bins."""
    rows = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    counts = np.bincount(rows, minlength=_BINS).tolist()
    sums = np.bincount(rows, confidence, _BINS).tolist()
    hits = np.bincount(rows, right, _BINS).tolist()
    return tuple(
        Bin(row / _BINS, (row + 1) / _BINS, count, sums[row] / count, hits[row] / count)
        for row, count in enumerate(counts)
        if count
    )


def calibration_error(bins: tuple[Bin, ...]) -> float:
    """Return the expected calibration error (Guo et al. 2017): |accuracy - confidence|, weighted by bin size."""
    gaps = sum(each.reviews * abs(each.accuracy - each.confidence) for each in bins)
    return gaps / sum(each.reviews for each in bins)


def fit_temperature(logits: Logits, labels: Labels) -> float:
    """Return the temperature between 0.25 and 4 that minimises the log loss (Guo et al. 2017), to within 0.1%."""
    low, high = np.log(_TEMPERATURES)
    found = minimize_scalar(
        lambda log: _log_loss(logits, labels, np.exp(log)),
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-3},
    )
    return float(np.exp(found.x))


def _log_loss(logits: Logits, labels: Labels, temperature: float) -> float:
    # The loss for a wrong prediction at probability 1 is capped at 36 nats in double precision, but at 16 in single
    # precision.
    shares = probabilities(logits.astype(np.float64), temperature)
    return float(metrics.log_loss(labels, shares, labels=range(len(LABELS))))
