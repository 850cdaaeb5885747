"""Renders the notice that a model learned from a person's corrections, with the model's new verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.formatting import THUMBS, confidence_suffix, truncate
from bot.texts import Texts, fill
from ml.serving.engine import Verdict
from storage.training.notifications import CorrectionNotification

# Maximum number of characters to show from a quoted text.
_QUOTE_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class Reprediction:
    """A text that the person corrected, and the live model's verdict on it."""

    text: str
    verdict: Verdict


def render_notification(
    texts: Texts, version: str, notice: CorrectionNotification, quoted: Sequence[tuple[Reprediction, str]]
) -> str:
    """Return a notice about a model as HTML.

    ``quoted`` contains some of the corrected texts, each with the model's verdict and the label that the person gave.
    """
    count = len(notice.corrections)
    if not count:
        return fill(texts.notice_votes, version=version)
    title = texts.notice_one if count == 1 else texts.notice_several
    paragraphs = [fill(title, version=version, count=count)]
    paragraphs += [
        _render_reprediction(texts, reprediction, label, notice.percentages) for reprediction, label in quoted
    ]
    if quoted and count > len(quoted):
        paragraphs.append(fill(texts.notice_more, count=count - len(quoted)))
    if notice.votes:
        paragraphs.append(texts.notice_votes_too)
    return "\n\n".join(paragraphs)


def _render_reprediction(texts: Texts, reprediction: Reprediction, label: str, percentages: bool) -> str:
    verdict = reprediction.verdict
    return fill(
        texts.notice_learnt if verdict.label == label else texts.notice_not_yet,
        text=truncate(" ".join(reprediction.text.split()), _QUOTE_LENGTH),
        thumb=THUMBS[verdict.label],
        label=verdict.label,
        confidence=confidence_suffix(verdict.confidence, shown=percentages),
    )
