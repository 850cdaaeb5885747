"""Selects the words to name: the strongest in each direction, if they are strong enough."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ml.explanation.stopwords import STOPWORDS
from ml.explanation.words import Word

NAMED: Final = 3
"""Maximum number of words to name in each direction."""
# Minimum effect of a word, in logits, and as a share of the strongest effect in the text. The share is higher for
# function words, because leaving one out moves most verdicts a little.
_MINIMUM_EFFECT: Final = 0.05
_MINIMUM_SHARE: Final = 0.05
_STOPWORD_SHARE: Final = 0.25


@dataclass(frozen=True, slots=True)
class WordEffect:
    """What a word adds to the margin, which is the logit of Positive minus the logit of Negative.

    A positive effect pulls the verdict up, and a negative effect pulls it down.
    """

    word: Word
    effect: float


def strongest(effects: Sequence[WordEffect]) -> tuple[tuple[WordEffect, ...], tuple[WordEffect, ...]]:
    """Return up to three words that pull up and up to three that pull down, the strongest first."""
    largest = max((abs(each.effect) for each in effects), default=0.0)
    named = sorted(filter(lambda each: _is_strong(each, largest), effects), key=lambda each: -abs(each.effect))
    up, down = ([each for each in named if (each.effect > 0) is positive] for positive in (True, False))
    return tuple(up[:NAMED]), tuple(down[:NAMED])


def _is_strong(each: WordEffect, largest: float) -> bool:
    share = _STOPWORD_SHARE if each.word.key in STOPWORDS else _MINIMUM_SHARE
    return abs(each.effect) >= max(_MINIMUM_EFFECT, share * largest)
