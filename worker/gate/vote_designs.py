"""Turns shown verdicts into the design matrices of the two regressions in ``vote_chance``, and defines their priors."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, hstack
from scipy.special import logit

from storage.feedback.shown_verdicts import ShownVerdict

Floats = npt.NDArray[np.float64]

# Standard deviations of the normal priors, in log odds. For a mistake: a constant, the log odds of the confidence, the
# label, the length, and each person.
_MISTAKE: Final = (1.0, 0.5, 0.5, 0.5)
_MISTAKE_PERSON: Final = 0.5
# For a vote: a constant, the log odds of the confidence, the label, the length, the question, a mistake, and a mistake
# that was asked about. Each person votes more or less often, and more or less on mistakes, which is harder to tell.
_VOTE: Final = (10.0, 1.0, 1.0, 1.0, 2.0, 2.0, 1.0)
_VOTE_PERSON: Final = 1.0
_VOTE_PERSON_MISTAKE: Final = 0.4
# People have effects of their own from this number of verdicts on, and at most this number of people does. Effects of
# many people with few verdicts each would bias the others (Neyman and Scott 1948).
_MIN_VERDICTS: Final = 50
_MAX_PEOPLE: Final = 300
# Confidences are clipped to these.
_CONFIDENCES: Final = (0.5, 0.9999)


@dataclass(frozen=True, slots=True)
class Designs:
    """The design matrices (verdicts, parameters): for a mistake, and for a vote if the verdict is right or wrong.

    ``offset`` (verdicts,) is the log odds of a mistake according to the served confidence.
    """

    mistake: csr_array
    vote_if_right: csr_array
    vote_if_wrong: csr_array
    offset: Floats


@dataclass(frozen=True, slots=True)
class Columns:
    """The design matrices' columns. ``people`` maps each person with an effect to a column. Sizes are standardised."""

    people: dict[int, int]
    size_mean: float
    size_spread: float

    @classmethod
    def of(cls, verdicts: Sequence[ShownVerdict]) -> Self:
        """Return the columns for regressions on at least one verdict."""
        most = Counter(verdict.author_id for verdict in verdicts).most_common(_MAX_PEOPLE)
        sizes = _log_sizes(verdicts)
        active = sorted(person for person, verdicts_of in most if verdicts_of >= _MIN_VERDICTS)
        people = {person: column for column, person in enumerate(active)}
        return cls(people, float(sizes.mean()), float(sizes.std()) or 1.0)

    @property
    def precision(self) -> Floats:
        """The inverse variances of the priors (parameters,)."""
        of_people = np.repeat((_MISTAKE_PERSON, _VOTE_PERSON, _VOTE_PERSON_MISTAKE), len(self.people))
        return np.concatenate([_MISTAKE, _VOTE, of_people]) ** -2.0

    def start(self, voted: float) -> Floats:
        """Return parameters (parameters,) under which the share ``voted`` (0 to 1) of all verdicts gets a vote."""
        found = np.zeros(len(self.precision))
        found[len(_MISTAKE)] = logit(np.clip(voted, 0.001, 0.999))
        return found

    def designs(self, verdicts: Sequence[ShownVerdict]) -> Designs:
        """Return the design matrices. Treat a person without an effect as average."""
        count = len(verdicts)
        odds = logit(np.clip([verdict.confidence for verdict in verdicts], *_CONFIDENCES))
        positive = np.array([verdict.label == "Positive" for verdict in verdicts], np.float64)
        size = (_log_sizes(verdicts) - self.size_mean) / self.size_spread
        facts = np.stack([np.ones(count), odds, positive, size], axis=1)
        asked = np.array([verdict.asked for verdict in verdicts], np.float64)[:, np.newaxis]
        right = np.hstack([facts, asked, np.zeros((count, 2))])
        wrong = np.hstack([facts, asked, np.ones((count, 1)), asked])
        person = self._person(verdicts)
        nobody = csr_array(person.shape)
        return Designs(
            mistake=_joined(facts, np.zeros(right.shape), person, nobody, nobody),
            vote_if_right=_joined(np.zeros(facts.shape), right, nobody, person, nobody),
            vote_if_wrong=_joined(np.zeros(facts.shape), wrong, nobody, person, person),
            offset=-odds,
        )

    def _person(self, verdicts: Sequence[ShownVerdict]) -> csr_array:
        """Return a matrix (verdicts, people) with a 1 for each verdict's author."""
        known = [(row, self.people[v.author_id]) for row, v in enumerate(verdicts) if v.author_id in self.people]
        rows, columns = np.array(known, np.int64).reshape(-1, 2).T
        return csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(verdicts), len(self.people)))


def scaled(matrix: csr_array, factors: Floats) -> csr_array:
    """Return the matrix with each row multiplied by its factor (rows,)."""
    return csr_array(matrix.multiply(factors[:, np.newaxis]))


def _joined(*parts: Floats | csr_array) -> csr_array:
    return csr_array(hstack([csr_array(part) for part in parts], format="csr"))


def _log_sizes(verdicts: Sequence[ShownVerdict]) -> Floats:
    return np.log(np.array([max(verdict.size, 1) for verdict in verdicts], np.float64))
