"""Compares two models on the same texts, and tests whether their difference could be due to chance."""

from dataclasses import dataclass

import numpy as np

from ml.evaluation.intervals import Interval, bootstrap_interval
from ml.evaluation.metrics import Labels
from ml.evaluation.paired_counts import count_pairs
from ml.evaluation.significance import mcnemar_two_sided_p_value
from ml.serving.engine import Logits


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the ``second`` model differs from the ``first`` on ``reviews`` texts. Shares are from 0 to 1."""

    first: str
    second: str
    reviews: int
    first_accuracy: float
    second_accuracy: float
    difference: float
    """The second model's accuracy minus the first model's."""
    interval: Interval | None
    """95% interval for the difference, from a paired bootstrap over the texts; None for a single text."""
    negative_flips: int
    """Number of texts that the first model gets right and the second gets wrong."""
    positive_flips: int
    """Number of texts that the first model gets wrong and the second gets right."""
    mcnemar_p: float
    """p-value of the exact two-sided McNemar test (McNemar 1947)."""
    agreement: float
    """Share of texts on which both models give the same verdict."""


def compare(names: tuple[str, str], first: Logits, second: Logits, labels: Labels) -> Comparison:
    """Compare the logits ``first`` and ``second`` (texts, labels) on ``labels`` (texts,).

    There must be at least one text.
    """
    verdicts = first.argmax(axis=1), second.argmax(axis=1)
    before, after = verdicts[0] == labels, verdicts[1] == labels
    counts = count_pairs(before, after)
    lost, won = counts.negative_flips, counts.positive_flips
    return Comparison(
        first=names[0],
        second=names[1],
        reviews=counts.texts,
        first_accuracy=counts.first_right / counts.texts,
        second_accuracy=counts.second_right / counts.texts,
        difference=(won - lost) / counts.texts,
        interval=bootstrap_interval(after.astype(np.int8) - before.astype(np.int8)),
        negative_flips=lost,
        positive_flips=won,
        mcnemar_p=mcnemar_two_sided_p_value(won, lost),
        agreement=float((verdicts[0] == verdicts[1]).mean()),
    )
