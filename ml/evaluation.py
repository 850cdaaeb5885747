"""Figures of a model on labelled texts, computed from the logits as served."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ml.prediction import Logits, probabilities

Labels = npt.NDArray[np.int8]
_BINS = 15


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares are 0 to 1; ``log_loss`` is in nats; ``calibration_error`` is the expected one over 15 equal bins."""

    reviews: int
    accuracy: float
    log_loss: float
    calibration_error: float
    unsure: float


def figures(logits: Logits, labels: Labels, temperature: float, unsure_below: float) -> Figures:
    """Figures of ``logits`` (texts, labels) against ``labels`` (texts,)."""
    chances = probabilities(logits, temperature)
    confidence = chances.max(axis=1)
    right = chances.argmax(axis=1) == labels
    return Figures(
        reviews=len(labels),
        accuracy=float(right.mean()),
        log_loss=_log_loss(logits, labels, temperature),
        calibration_error=calibration_error(confidence, right),
        unsure=float((confidence < unsure_below).mean()),
    )


def calibration_error(confidence: npt.NDArray[np.float32], right: npt.NDArray[np.bool_]) -> float:
    """Expected calibration error (Guo et al. 2017): the gap of confidence and accuracy, weighted by bin size."""
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = np.bincount(bins, right.astype(float) - confidence, _BINS)
    return float(np.abs(gaps).sum() / len(right))


def fit_temperature(logits: Logits, labels: Labels) -> float:
    """The temperature in 0.25 to 4 that makes the log loss least (Guo et al. 2017), to within 1 %.

    The log loss has one minimum over the temperature, so narrowing a bracket by thirds finds it.
    """
    low, high = np.log(0.25), np.log(4.0)
    while high - low > 0.01:
        left, right = low + (high - low) / 3, high - (high - low) / 3
        if _log_loss(logits, labels, np.exp(left)) < _log_loss(logits, labels, np.exp(right)):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def _log_loss(logits: Logits, labels: Labels, temperature: float) -> float:
    chances = probabilities(logits, temperature)[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(chances, 1e-12)).mean())
