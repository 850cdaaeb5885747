"""How well people label, by the model of Dawid and Skene (1979, https://doi.org/10.2307/2346806).

It finds the likely truth of every text and the errors of every labeller together, without a known answer. It informs
an admin; nobody's votes are left out or weighed by it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import pandas as pd

# With fewer labellers, or fewer votes of each on texts that others judged too, errors and truth are not told apart.
MIN_LABELLERS: Final = 5
MIN_VOTES: Final = 20
_ITERATIONS: Final = 100
_NO_SENTIMENT: Final = "Neither"


class CrowdVote(Protocol):
    """What one person says of one text; ``label`` is None for neither sentiment."""

    @property
    def person_id(self) -> int:
        """Who votes."""

    @property
    def text_hash(self) -> bytes:
        """The text."""

    @property
    def label(self) -> str | None:
        """The label, one of ``LABELS``, or None."""


@dataclass(frozen=True, slots=True)
class LabellerQuality:
    """How well one person labels: ``right`` is the chance that they name the true label, 0 to 1."""

    person_id: int
    votes: int
    accuracy: float


def labeller_qualities(votes: Sequence[CrowdVote]) -> list[LabellerQuality]:
    """The quality of everybody with MIN_VOTES or more, the worst first; none before there are MIN_LABELLERS."""
    counts = Counter(vote.person_id for vote in votes)
    enough = {person for person, count in counts.items() if count >= MIN_VOTES}
    if len(enough) < MIN_LABELLERS:
        return []
    right = _accuracies([vote for vote in votes if vote.person_id in enough])
    qualities = [LabellerQuality(person, counts[person], right[person]) for person in sorted(enough)]
    return sorted(qualities, key=lambda quality: quality.accuracy)


def _accuracies(votes: Sequence[CrowdVote]) -> dict[int, float]:
    """The chance of each person to name the true label, over the labels as often as they seem to be true."""
    from crowdkit.aggregation import DawidSkene  # noqa: PLC0415 - it takes seconds, and stands in one environment only

    said = pd.DataFrame(
        {
            "task": [vote.text_hash.hex() for vote in votes],
            "worker": [vote.person_id for vote in votes],
            "label": [vote.label or _NO_SENTIMENT for vote in votes],
        }
    )
    fitted = DawidSkene(n_iter=_ITERATIONS).fit(said)
    errors, priors = fitted.errors_, fitted.priors_  # the chance to say a label (row) where another (column) is true
    found = {key: errors.loc[key] for key in errors.index}

    def right(person: int) -> float:
        return sum(
            float(prior * found[person, label][label]) for label, prior in priors.items() if (person, label) in found
        )

    return {person: right(person) for person in {vote.person_id for vote in votes}}
