"""Finds texts that a rule answers better than a model, such as bare ratings and texts that are not English."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ml.text.crisis import asks_for_help
from ml.text.language import foreign_language
from ml.text.plain_text import Content, classify_content
from ml.text.ratings import Rating, only_rating


class Refusal(StrEnum):
    """Why a text gets no verdict."""

    EMPTY = "no words"
    EMOJI = "only emoji"
    LINK = "only a link"
    FOREIGN = "not English"
    HELP = "a cry for help"


_WITHOUT_WORDS: Final = {
    Content.EMPTY: Refusal.EMPTY,
    Content.EMOJI: Refusal.EMOJI,
    Content.LINK: Refusal.LINK,
}


@dataclass(frozen=True, slots=True)
class Refused:
    """A text that gets no verdict. ``language`` is the text's language if the reason is FOREIGN, otherwise empty."""

    refusal: Refusal
    language: str = ""


def screen(text: str) -> Refused | Rating | None:
    """Return the rule's answer: the reason why there is no verdict, or the text's rating.

    Return None if no rule applies.
    """
    rating = only_rating(text)
    if rating is not None:
        return rating
    content = classify_content(text)
    if content in _WITHOUT_WORDS:
        return Refused(_WITHOUT_WORDS[content])
    if asks_for_help(text):
        return Refused(Refusal.HELP)
    foreign = foreign_language(text)
    return None if foreign is None else Refused(Refusal.FOREIGN, foreign.name)
