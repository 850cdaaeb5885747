"""Answers texts outside the chat: with a rule if one applies (``ml.text.screening``), or with the model's verdict."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from ml.serving.engine import Verdict
from ml.text.ratings import Rating
from ml.text.screening import Refused, screen

NOT_A_REVIEW: Final = "not a review"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one text.

    ``label`` is None if there is no verdict. ``reason`` is set if a rule answered or if the text does not read like a
    review. In that case, ``version`` is the only other field that may be set.
    """

    label: str | None
    confidence: float | None = None
    sure: bool | None = None
    windows: int | None = None
    logits: tuple[float, float] | None = None
    version: str | None = None
    reason: str | None = None


def answer_texts(classify: Callable[[Sequence[str]], Sequence[Verdict]], texts: Sequence[str]) -> list[Answer]:
    """Return an answer for each text, in order. Only texts to which no rule applies are classified."""
    answers = [_by_rule(text) for text in texts]
    open_texts = [text for text, answer in zip(texts, answers, strict=True) if answer is None]
    verdicts = iter(classify(open_texts))
    return [_by_model(next(verdicts)) if answer is None else answer for answer in answers]


def _by_rule(text: str) -> Answer | None:
    found = screen(text)
    if isinstance(found, Rating):
        return Answer(found.label, reason=f"{'' if found.label else 'mixed '}rating {found.written}")
    if isinstance(found, Refused):
        return Answer(None, reason=f"{found.refusal}: {found.language}" if found.language else found.refusal.value)
    return None


def _by_model(verdict: Verdict) -> Answer:
    if not verdict.is_review:
        return Answer(None, version=verdict.version, reason=NOT_A_REVIEW)
    return Answer(verdict.label, verdict.confidence, verdict.sure, verdict.windows, verdict.logits, verdict.version)
