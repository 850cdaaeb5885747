"""Two models on the same texts: what changed, and whether it could be chance."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from ml.evaluation.intervals import Interval, bootstrap_interval
from ml.evaluation.metrics import Labels
from ml.serving.engine import Logits


@dataclass(frozen=True, slots=True)
class Comparison:
    """A ``first`` and a ``second`` model on ``reviews`` texts; shares are 0 to 1."""

    first: str
    second: str
    reviews: int
    first_accuracy: float
    second_accuracy: float
    difference: float
    """Accuracy of the second minus that of the first."""
    interval: Interval | None
    """95 % interval of the difference, bootstrapped over the texts (paired); None for a single text."""
    negative_flips: int
    """Texts that the first got right and the second gets wrong."""
    positive_flips: int
    """Texts that the first got wrong and the second gets right."""
    mcnemar_p: float
    """Exact two-sided McNemar test: how likely flips this uneven are if both models are equally good."""
    agreement: float
    """Share of texts with the same verdict."""


def compare(names: tuple[str, str], first: Logits, second: Logits, labels: Labels) -> Comparison:
    """Compare ``first`` and ``second`` (texts, labels) against ``labels`` (texts,); at least one text."""
    verdicts = first.argmax(axis=1), second.argmax(axis=1)
    before, after = verdicts[0] == labels, verdicts[1] == labels
    lost, won = int((before & ~after).sum()), int((~before & after).sum())
    return Comparison(
        first=names[0],
        second=names[1],
        reviews=len(labels),
        first_accuracy=float(before.mean()),
        second_accuracy=float(after.mean()),
        difference=(won - lost) / len(labels),
        interval=bootstrap_interval(after.astype(np.int8) - before.astype(np.int8)),
        negative_flips=lost,
        positive_flips=won,
        mcnemar_p=float(binomtest(lost, lost + won).pvalue) if lost + won else 1.0,
        agreement=float((verdicts[0] == verdicts[1]).mean()),
    )
