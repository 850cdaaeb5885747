"""How a notice reads in the chat: what a model that learnt from a person says of their corrected texts now."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.formatting import THUMBS, percent_of
from bot.texts import Texts, fill
from ml.serving.engine import Verdict
from storage.training.notifications import CorrectionNotification

# Characters of a text that a notice quotes.
_QUOTED: Final = 200


@dataclass(frozen=True, slots=True)
class Reprediction:
    """A text that was corrected once, and what a model says of it now."""

    text: str
    verdict: Verdict


def render_notification(
    texts: Texts, version: str, notice: CorrectionNotification, quoted: Sequence[tuple[Reprediction, str]]
) -> str:
    """What a person hears of a model that learnt from them; HTML.

    ``quoted`` are some of the notice's corrections as the model reads them now, with what the person said is true.
    """
    count = len(notice.corrections)
    if not count:
        return fill(texts.notice_votes, version=version)
    title = texts.notice_one if count == 1 else texts.notice_several
    paragraphs = [fill(title, version=version, count=count)]
    paragraphs += [_render_reread(texts, reread, label) for reread, label in quoted]
    if quoted and count > len(quoted):
        paragraphs.append(fill(texts.notice_more, count=count - len(quoted)))
    if notice.votes:
        paragraphs.append(texts.notice_votes_too)
    return "\n\n".join(paragraphs)


def _render_reread(texts: Texts, reread: Reprediction, wanted: str) -> str:
    verdict = reread.verdict
    return fill(
        texts.notice_learnt if verdict.label == wanted else texts.notice_not_yet,
        text=textwrap.shorten(reread.text, _QUOTED, placeholder=" […]"),
        thumb=THUMBS[verdict.label],
        label=verdict.label,
        percent=percent_of(verdict.confidence),
    )
