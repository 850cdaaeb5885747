"""Renders the explanation of a verdict as HTML: the decisive words, and the text with those words in bold."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.formatting import THUMBS, truncate
from bot.texts import Texts, fill
from ml.explanation.explain import Explanation
from ml.explanation.selection import WordEffect
from ml.explanation.words import Span
from storage.chat.predictions import Prediction

# Maximum number of characters to show of a word in the sentence. A "word" can be as long as a message.
_WORD_LENGTH: Final = 40


@dataclass(frozen=True, slots=True)
class Why:
    """An explanation of the verdict on ``text``. The message quotes the part of the text in ``shown``.

    ``corrected`` is True if people agreed on the other label. The explanation is still about the model's own label.
    """

    explanation: Explanation
    prediction: Prediction
    corrected: bool
    text: str
    shown: Span


def render_why(texts: Texts, why: Why) -> str:
    """Return the explanation as HTML: who decided, the decisive words, and the text with those words in bold."""
    explanation, verdict = why.explanation, why.explanation.verdict
    facts = {"thumb": THUMBS[verdict.label], "label": verdict.label, "version": verdict.version}
    lines = []
    if why.corrected:
        lines.append(texts.why_corrected)
    if verdict.version != why.prediction.version:
        lines.append(fill(texts.why_other_model, **facts, old=why.prediction.version))
    elif why.corrected:
        lines.append(fill(texts.why_own_verdict, **facts))
    if not verdict.sure:
        lines.append(texts.why_unsure)
    lines.append(_sentence(texts, explanation))
    if verdict.windows > 1:
        lines.append(texts.why_passage)
    words = [span for each in (*explanation.up, *explanation.down) for span in each.word.spans]
    passage = f"<blockquote expandable>{emphasise(why.text, why.shown, words)}</blockquote>"
    return "\n".join([*lines, passage])


def emphasise(text: str, shown: Span, words: Sequence[Span]) -> str:
    """Return the part of ``text`` in ``shown`` as HTML, with its decisive ``words`` in bold."""
    parts, at = [], shown.start
    for word in sorted(words):
        if at <= word.start and word.end <= shown.end:
            parts += [_escape(text[at : word.start]), f"<b>{_escape(word.of(text))}</b>"]
            at = word.end
    return "".join([*parts, _escape(text[at : shown.end])])


def _sentence(texts: Texts, explanation: Explanation) -> str:
    """Return the sentence that lists the decisive words, with those supporting the verdict first."""
    up = texts.why_up.format(words=_joined(texts, explanation.up)) if explanation.up else None
    down = texts.why_down.format(words=_joined(texts, explanation.down)) if explanation.down else None
    label = explanation.verdict.label
    first, second = (up, down) if label == "Positive" else (down, up)
    clauses = [clause for clause in (first, second) if clause is not None]
    return f"{THUMBS[label]} {'; '.join(clauses)}." if clauses else texts.why_no_words


def _joined(texts: Texts, words: Sequence[WordEffect]) -> str:
    """Return the words in bold, as a list such as "slow, boring and wasted"."""
    *others, last = [f"<b>{_escape(truncate(each.word.text, _WORD_LENGTH))}</b>" for each in words]
    return texts.why_list.format(words=", ".join(others), last=last) if others else last


def _escape(text: str) -> str:
    return html.escape(text, quote=False)
