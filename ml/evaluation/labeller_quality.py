"""Estimates labellers' accuracy with the Dawid-Skene model (1979, https://doi.org/10.2307/2346806).

The model estimates every text's true label and every labeller's error rates jointly, without known answers. The result
is shown only to admins. The estimates do not exclude or weight anyone's votes.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import pandas as pd

# If there are fewer labellers, or they have fewer votes on shared texts, the model cannot separate errors from true
# labels.
MIN_LABELLERS: Final = 5
MIN_VOTES: Final = 20
_ITERATIONS: Final = 100
_NO_SENTIMENT: Final = "Neither"


class CrowdVote(Protocol):
    """One person's vote on a text's label. ``label`` is None if they voted for neither sentiment."""

    @property
    def person_id(self) -> int:
        """The labeller."""

    @property
    def text_hash(self) -> bytes:
        """The hash that identifies the text."""

    @property
    def label(self) -> str | None:
        """One of ``LABELS``, or None."""


@dataclass(frozen=True, slots=True)
class LabellerQuality:
    """One labeller's number of ``votes`` and estimated ``accuracy``: the probability that they give the true label."""

    person_id: int
    votes: int
    accuracy: float


def labeller_qualities(votes: Sequence[CrowdVote]) -> list[LabellerQuality]:
    """Return the quality of labellers with at least MIN_VOTES, worst first.

    The result is empty if there are fewer than MIN_LABELLERS such labellers.
    """
    counts = Counter(vote.person_id for vote in votes)
    eligible = {person for person, count in counts.items() if count >= MIN_VOTES}
    if len(eligible) < MIN_LABELLERS:
        return []
    accuracies = _accuracies([vote for vote in votes if vote.person_id in eligible])
    qualities = [LabellerQuality(person, counts[person], accuracies[person]) for person in sorted(eligible)]
    return sorted(qualities, key=lambda quality: quality.accuracy)


def _accuracies(votes: Sequence[CrowdVote]) -> dict[int, float]:
    """Return each person's accuracy, averaged over the labels and weighted by their estimated prior."""
    from crowdkit.aggregation import DawidSkene  # noqa: PLC0415 - slow to import, and only one environment has it

    table = pd.DataFrame(
        {
            "task": [vote.text_hash.hex() for vote in votes],
            "worker": [vote.person_id for vote in votes],
            "label": [vote.label or _NO_SENTIMENT for vote in votes],
        }
    )
    fitted = DawidSkene(n_iter=_ITERATIONS).fit(table)
    errors, priors = fitted.errors_, fitted.priors_  # errors: P(given label (row) | true label (column))
    rows = {key: errors.loc[key] for key in errors.index}

    def accuracy(person: int) -> float:
        return sum(
            float(prior * rows[person, label][label]) for label, prior in priors.items() if (person, label) in rows
        )

    return {person: accuracy(person) for person in {vote.person_id for vote in votes}}
