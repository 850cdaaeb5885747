"""Renders a stored prediction as a verdict, or an agreed label as a correction."""

from typing import Final

from bot.formatting import THUMBS, confidence_suffix, percent_of
from bot.texts import Texts, fill
from storage.chat.predictions import Prediction
from storage.db.states import Vote

_EVEN: Final = 50


def render_verdict(texts: Texts, prediction: Prediction, vote: Vote | None = None, *, percentages: bool = True) -> str:
    """Return the verdict as HTML, with a thank-you if the person has voted."""
    thanks = {Vote.RIGHT: texts.voted_right, Vote.WRONG: texts.voted_wrong, Vote.NEITHER: texts.voted_neither}
    return _with_note(_verdict(texts, prediction, percentages), thanks[vote] if vote is not None else None)


def render_known_verdict(
    texts: Texts, prediction: Prediction, earlier: Vote | None, *, percentages: bool = True
) -> str:
    """Return the verdict as HTML, with the person's vote on an earlier verdict for the same text."""
    notes = {
        Vote.RIGHT: texts.voted_earlier_right,
        Vote.WRONG: texts.voted_earlier_wrong,
        Vote.NEITHER: texts.voted_earlier_neither,
    }
    return _with_note(_verdict(texts, prediction, percentages), notes[earlier] if earlier is not None else None)


def render_correction(texts: Texts, label: str, vote: Vote | None = None) -> str:
    """Return the agreed label as HTML, with a thank-you if the person has voted."""
    thanks = {Vote.RIGHT: texts.corrected_right, Vote.WRONG: texts.corrected_wrong, Vote.NEITHER: texts.voted_neither}
    return _with_note(_correction(texts, label), thanks[vote] if vote is not None else None)


def render_known_correction(texts: Texts, label: str, earlier: Vote | None) -> str:
    """Return the agreed label as HTML, with the person's earlier vote on the same text."""
    notes = {
        Vote.RIGHT: texts.corrected_earlier_right,
        Vote.WRONG: texts.corrected_earlier_wrong,
        Vote.NEITHER: texts.voted_earlier_neither,
    }
    return _with_note(_correction(texts, label), notes[earlier] if earlier is not None else None)


def _verdict(texts: Texts, prediction: Prediction, percentages: bool) -> str:
    """Return the thumb, label, confidence (unless it is hidden), number of windows and version."""
    lines = [_guess(texts, prediction, percentages)]
    if prediction.windows > 1:
        lines.append(fill(texts.windows, windows=prediction.windows))
    lines.append(fill(texts.version, version=prediction.version))
    return "\n".join(lines)


def _guess(texts: Texts, prediction: Prediction, percentages: bool) -> str:
    thumb, label = THUMBS[prediction.label], prediction.label
    # "Negative · 50%" would contradict itself.
    if percent_of(prediction.confidence) <= _EVEN:
        return fill(texts.verdict_even, thumb=thumb, label=label)
    verdict = texts.verdict_sure if prediction.sure else texts.verdict_unsure
    return fill(
        verdict, thumb=thumb, label=label, confidence=confidence_suffix(prediction.confidence, shown=percentages)
    )


def _correction(texts: Texts, label: str) -> str:
    return fill(texts.verdict_corrected, thumb=THUMBS[label], label=label)


def _with_note(text: str, note: str | None) -> str:
    return text if note is None else f"{text}\n\n{note}"
