"""Tests on the votes: the probability of evidence this good, or this bad, if both models were equally good."""

from statistics import NormalDist
from typing import Final

from ml.evaluation.significance import mcnemar_p_value
from worker.gate.measurements import VoteEvidence

_NORMAL: Final = NormalDist()


def better_p(evidence: VoteEvidence | None) -> float:
    """Return the one-sided p-value for "the candidate is better", or 1 if there is no evidence."""
    if evidence is None or evidence.unknown is not None:
        return 1.0
    return _p_value(evidence, evidence.gain, evidence.positive_flips, evidence.negative_flips)


def worse_p(evidence: VoteEvidence | None) -> float:
    """Return the one-sided p-value for "the candidate is worse", or 1 if there is no evidence."""
    if evidence is None or evidence.unknown is not None:
        return 1.0
    return _p_value(evidence, -evidence.gain, evidence.negative_flips, evidence.positive_flips)


def _p_value(evidence: VoteEvidence, gain: float, won: int, lost: int) -> float:
    """Return McNemar's exact p-value if all texts have equal weight, and a normal approximation otherwise.

    The approximation is too optimistic if there are few flips. No weighting makes k flips rarer than k coin tosses that
    all come up heads, so the p-value is never smaller than the chance of such tosses.
    """
    if evidence.effective_texts >= evidence.texts:
        return mcnemar_p_value(won, lost)
    if not evidence.standard_error:
        return 1.0
    return max(1 - _NORMAL.cdf(gain / evidence.standard_error), 0.5 ** (won + lost))
