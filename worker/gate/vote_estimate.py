"""Estimates a candidate's gain over all shown verdicts from the votes that people gave.

Each vote is weighted by the inverse of its chance (Horvitz and Thompson 1952), and the weights are normalised (Hajek
1971).
"""

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt
from typing import Final

import numpy as np

from storage.feedback.shown_verdicts import ShownVerdict, ShownVerdicts
from worker.gate.measurements import Z_95, VoteEvidence, interval_95
from worker.gate.vote_chance import VoteChance, fit_vote_chance
from worker.gate.vote_designs import Floats
from worker.gate.vote_quotas import within_limits
from worker.gate.vote_rows import VoteRow, vote_evidence

# Number of texts with votes that /label drew at random from which the gate can tell how often the model is wrong where
# nobody votes.
MIN_DRAWN: Final = 50
# The smallest chance that counts: no vote stands for more than 50 verdicts.
_MIN_CHANCE: Final = 0.02
# The part of the difference that the weights make which counts as a standard error if /label drew nothing.
_UNCHECKED: Final = 0.5


def estimate_gain(rows: Sequence[VoteRow], shown: ShownVerdicts, person_share: float) -> VoteEvidence | None:
    """Return the evidence about all shown verdicts from the texts with votes, or None if there are none.

    A text that no bot gave a verdict on was imported with its label, so it represents only itself. An author's texts
    have at most ``person_share`` (0 to 1) of the weight or their share of the texts, whichever is larger.
    """
    plain = vote_evidence(rows)
    if plain is None:
        return None
    plain = replace(plain, voted_share=shown.voted_share)
    by_message = {verdict.message_id: verdict for verdict in (*shown.earlier, *shown.verdicts)}
    labelled = [row for row in rows if row.message_id in by_message]
    verdicts = [replace(by_message[row.message_id], agreed=row.label) for row in labelled]
    if not verdicts or all(verdict.usable for verdict in shown.verdicts):
        return plain
    drawn = sum(verdict.drawn for verdict in verdicts)
    kinds = {verdict.mistake for verdict in verdicts if verdict.voted}
    if len(kinds) < 2 and drawn < MIN_DRAWN:
        return _unknown(plain, kinds, drawn)
    imported = [row for row in rows if row.message_id not in by_message]
    return _weighted(plain, [*labelled, *imported], verdicts, shown, person_share)


def _unknown(plain: VoteEvidence, kinds: set[bool | None], drawn: int) -> VoteEvidence:
    """Return evidence that proves nothing, because only ``kinds`` (mistakes or correct verdicts) got votes."""
    if True in kinds:
        skew = "people voted only on mistakes"
    elif False in kinds:
        skew = "people voted only on correct verdicts"
    else:
        skew = "people voted only in /label"
    return replace(
        plain,
        gain=0.0,
        standard_error=1 / Z_95,
        lower=-1.0,
        upper=1.0,
        effective_texts=0.0,
        unknown=f"{skew}, so the gate can't tell until {MIN_DRAWN} texts that /label drew at random have votes "
        f"({drawn} so far)",
    )


def _weighted(
    plain: VoteEvidence,
    rows: Sequence[VoteRow],
    verdicts: Sequence[ShownVerdict],
    shown: ShownVerdicts,
    person_share: float,
) -> VoteEvidence:
    """Weight the rows. The first rows belong to ``verdicts``, and the rest were imported."""
    fitted = fit_vote_chance(shown.verdicts)
    chance, derivative = fitted.chances(verdicts)
    imported = np.ones(len(rows) - len(verdicts))
    weights = np.concatenate([1 / np.maximum(chance, _MIN_CHANCE), imported])
    authors = [None if verdict.by_admin else verdict.author_id for verdict in verdicts] + [None] * len(imported)
    weights = within_limits(weights, _usual(weights, verdicts), authors, person_share)
    total = float(weights.sum())
    champion = np.array([row.champion_correct for row in rows], np.float64)
    change = np.array([row.candidate_correct for row in rows]) - champion
    gain = float(weights @ change) / total
    residual = weights * (change - gain) / total
    effective = total**2 / float(weights @ weights)
    shift = np.where(chance > _MIN_CHANCE, -residual[: len(verdicts)] / chance, 0.0)
    variance = _variance(fitted, residual, derivative.T @ shift, verdicts, shown.verdicts)
    # With few draws, nothing but the form of the regressions says how many mistakes got no vote.
    unchecked = _UNCHECKED * max(1 - sum(verdict.drawn for verdict in verdicts) / MIN_DRAWN, 0) * (gain - plain.gain)
    # The last term keeps the error above 0 if no text flips, as in the one by Agresti and Min (2005).
    error = sqrt(variance + unchecked**2 + (effective + 2) ** -2)
    lower, upper = interval_95(gain, error)
    return replace(
        plain,
        gain=gain,
        standard_error=error,
        lower=lower,
        upper=upper,
        champion_accuracy=float(weights @ champion) / total,
        effective_texts=effective,
        mistake_ratio=fitted.mistake_ratio,
    )


def _usual(weights: Floats, verdicts: Sequence[ShownVerdict]) -> Floats:
    """Replace each row's weight by the mean over all mistakes or all correct verdicts, except for imported rows."""
    usual = weights.copy()
    mistake = np.array([bool(verdict.mistake) for verdict in verdicts])
    for kind in (mistake, ~mistake):
        if kind.any():
            usual[: len(verdicts)][kind] = weights[: len(verdicts)][kind].mean()
    return usual


def _variance(
    fitted: VoteChance,
    residual: Floats,
    derivative: Floats,
    verdicts: Sequence[ShownVerdict],
    fitted_on: Sequence[ShownVerdict],
) -> float:
    """Return the variance of the gain, which each text affects both directly and through the chances (Binder 1983).

    ``residual`` (rows,) is how much each row affects the gain directly. The first rows belong to ``verdicts``.
    ``derivative`` (parameters,) is how the gain changes with the parameters of the chances.
    """
    moved, from_prior = fitted.spread(derivative)
    position = {verdict.message_id: index for index, verdict in enumerate(fitted_on)}
    others = [residual[len(verdicts) :]]
    for verdict, change in zip(verdicts, residual, strict=False):
        if verdict.message_id in position:
            moved[position[verdict.message_id]] += change
        else:
            others.append(np.array([change]))
    return float(moved @ moved) + float((np.concatenate(others) ** 2).sum()) + from_prior
