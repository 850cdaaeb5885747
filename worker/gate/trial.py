"""Decides the next step of a trial, as a pure function of the votes on verdicts shown since the model went live.

A model goes on trial if it is probably better: by chance alone, only one run in five would show evidence this good. New
votes then count for it or against it. Evidence against it ends the trial at any time. The trial's looks, at 50, 100 and
150 votes, can confirm the model. After the last look, the trial is over either way.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from math import sqrt
from typing import Final

import numpy as np

from ml.evaluation.paired_counts import PairedCounts, count_pairs
from ml.evaluation.slices import Correctness
from worker.gate.measurements import VoteEvidence
from worker.gate.vote_tests import better_p, worse_p

# The largest p-value with which a model is probably better, and may go on trial by itself.
PROBABLY_BETTER: Final = 0.2
# The largest p-value at which the new votes go against a model.
_AGAINST: Final = 0.05
# The numbers of new votes at which a trial may be confirmed; it ends after the last.
LOOKS: Final = (50, 100, 150)
# Maximum weight of a vote.
_MAX_WEIGHT: Final = 10.0


class TrialStep(StrEnum):
    """What happens to a trial next."""

    CONTINUE = "continue"
    CONFIRM = "confirm"
    ROLL_BACK = "roll_back"


@dataclass(frozen=True, slots=True)
class TrialEvidence:
    """The run's evidence from ``before`` the trial, and the evidence from votes ``since`` the model went live.

    ``looked_at`` is the number of new votes at the trial's last look, or 0.
    """

    before: VoteEvidence | None
    since: VoteEvidence | None
    looked_at: int = 0

    @property
    def look_is_due(self) -> bool:
        """Whether there are enough new votes for the next look."""
        texts = 0 if self.since is None else self.since.texts
        return any(self.looked_at < look <= texts for look in LOOKS)

    @property
    def last_look(self) -> bool:
        """Whether a look now would be the last."""
        return self.since is not None and self.since.texts >= LOOKS[-1]


def votes_since(champion: Correctness, trial: Correctness, mistake_ratio: float | None) -> VoteEvidence | None:
    """Return the evidence from votes on verdicts of the model on trial, or None if there are none.

    ``champion`` and ``trial``, bool (texts,), say which texts each model classifies correctly. People vote on a mistake
    ``mistake_ratio`` times as often as on a correct verdict, so each vote on a correct verdict counts that many times.
    If the ratio is not known, all votes have the same weight, which can only make the model on trial look worse than it
    is.
    """
    if not len(trial):
        return None
    counts = count_pairs(champion, trial)
    if mistake_ratio is None:
        return VoteEvidence.equally_weighted(counts)
    weights = np.where(trial, min(max(mistake_ratio, 1.0), _MAX_WEIGHT), 1.0)
    change = trial.astype(np.float64) - champion
    total = float(weights.sum())
    gain = float((weights * change).sum()) / total
    # As if both models were equally good, so that it is not 0 if all the votes agree.
    error = float(np.sqrt((weights**2 * change**2).sum())) / total
    weighted = VoteEvidence.estimated(
        counts,
        gain,
        error,
        champion_accuracy=float((weights * champion).sum()) / total,
        effective_texts=total**2 / float((weights**2).sum()),
    )
    return replace(weighted, mistake_ratio=mistake_ratio)


def probably_better(evidence: VoteEvidence | None) -> bool:
    """Return whether votes make it probable that a candidate is better, though they may not prove it."""
    return better_p(evidence) <= PROBABLY_BETTER


def next_step(evidence: TrialEvidence, alpha: float) -> TrialStep:
    """Return the trial's next step. ``alpha`` is what a look may spend, and is used only if a look is due.

    A model is confirmed if the votes from before the trial and those since then together prove that it is better. The
    earlier votes also chose the model for the trial. Therefore, the combined p-value must be at most ``alpha`` times
    ``PROBABLY_BETTER``, the probability of choosing a model by chance.
    """
    since = evidence.since
    if since is None:
        return TrialStep.CONTINUE
    if worse_p(since) <= _AGAINST:
        return TrialStep.ROLL_BACK
    if not evidence.look_is_due:
        return TrialStep.CONTINUE
    if since.candidate_right > since.champion_right and _is_proven(evidence.before, since, alpha):
        return TrialStep.CONFIRM
    return TrialStep.ROLL_BACK if evidence.last_look else TrialStep.CONTINUE


def _is_proven(before: VoteEvidence | None, since: VoteEvidence, alpha: float) -> bool:
    if before is None or not probably_better(before):
        return better_p(since) <= alpha
    return better_p(_pooled(before, since)) <= alpha * PROBABLY_BETTER


def _pooled(before: VoteEvidence, since: VoteEvidence) -> VoteEvidence:
    """Combine the evidence from different texts, weighting each part by its effective number of texts."""
    if since.unknown is not None:
        return since
    counts = PairedCounts(
        *(
            getattr(before, name) + getattr(since, name)
            for name in ("texts", "champion_right", "candidate_right", "negative_flips", "positive_flips")
        )
    )
    parts = (before, since)
    total = sum(part.effective_texts for part in parts)
    gain = sum(part.gain * part.effective_texts for part in parts) / total
    error = sqrt(sum((part.standard_error * part.effective_texts) ** 2 for part in parts)) / total
    return VoteEvidence.estimated(
        counts,
        gain,
        error,
        champion_accuracy=sum(part.champion_accuracy * part.effective_texts for part in parts) / total,
        effective_texts=total,
    )
