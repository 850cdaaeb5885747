"""How the gate words figures: whole percentages, points with one decimal."""

from collections.abc import Sequence
from typing import Final

from worker.gate.measurements import Paired, TriggerWord

_NAMED: Final = 3


def change(paired: Paired) -> str:
    """The share that is right, before and after, as ``61 % to 74 %``; with a decimal where whole ones are the same."""
    before, after = paired.champion_right / paired.texts, paired.candidate_right / paired.texts
    if before == after:
        return f"{after:.0%} as before".replace("%", " %")
    decimals = 0 if f"{before:.0%}" != f"{after:.0%}" else 1
    return f"{before:.{decimals}%} to {after:.{decimals}%}".replace("%", " %")


def on_feedback(paired: Paired | None) -> str:
    """How the candidate did on held-out judgements; nothing without them."""
    if paired is None:
        return ""
    if paired.candidate_right == paired.champion_right:
        return f"no better on feedback, {change(paired)}"
    word = "better" if paired.candidate_right > paired.champion_right else "worse"
    return f"{word} on feedback, {change(paired)}"


def points(share: float, beside: float) -> str:
    """A share of 0 to 1 in points; with two decimals where one does not tell it from ``beside``."""
    decimals = 1 if f"{share:.3f}" != f"{beside:.3f}" else 2
    return f"{100 * share:.{decimals}f}"


def turning(words: Sequence[TriggerWord]) -> str:
    """Which words turn neutral sentences, the strongest few by name."""
    named = [f"“{found.word}” to {found.label}" for found in words[:_NAMED]]
    others = len(words) - len(named)
    listed = ", ".join(named) + (f" and {others} more" if others else "")
    return f"new words turn neutral sentences: {listed}"
