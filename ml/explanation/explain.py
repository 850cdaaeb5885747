"""Explains a model's verdict on a text with the words and the passage that moved it most."""

from dataclasses import dataclass, replace

from ml.explanation.erasure import Classify, margin, word_effects
from ml.explanation.sections import read_sections
from ml.explanation.selection import WordEffect, strongest
from ml.explanation.words import Span, find_words
from ml.serving.engine import Verdict
from ml.text.tokenization import WindowTokenizer


@dataclass(frozen=True, slots=True)
class Explanation:
    """A verdict and what moved it. All places are positions in the explained text.

    ``up`` lists up to three words that pull most towards Positive, and ``down`` lists up to three that pull most
    towards Negative. The strongest come first. All these words are in ``passage``. If the text has several windows,
    this is the section of the window that supports the verdict most strongly. Otherwise, it is the whole text.
    """

    verdict: Verdict
    up: tuple[WordEffect, ...]
    down: tuple[WordEffect, ...]
    passage: Span

    @property
    def strongest(self) -> WordEffect | None:
        """The named word with the strongest effect, or None if no word is named."""
        return max((*self.up, *self.down), key=lambda each: abs(each.effect), default=None)


def explain(text: str, tokenizer: WindowTokenizer, classify: Classify) -> Explanation:
    """Explain a model's verdict on ``text``. ``classify`` runs the model, and ``tokenizer`` is its tokenizer.

    The model runs once if the text has one window and at most 100 words, and at most three times otherwise.
    """
    words = find_words(text)
    sections = read_sections(text, words, tokenizer)
    if len(sections) == 1:
        [passage] = sections
        verdict, effects = _effects_in(passage, text, words, classify)
    else:
        verdict, *parts = classify([text, *(section.of(text) for section in sections)])
        sign = 1 if margin(verdict) >= 0 else -1
        decisive = max(range(len(sections)), key=lambda index: sign * margin(parts[index]))
        passage = sections[decisive]
        _, effects = _effects_in(passage, text, words, classify)
    up, down = strongest(effects)
    return Explanation(verdict, up, down, passage)


def _effects_in(passage: Span, text: str, words: list[Span], classify: Classify) -> tuple[Verdict, list[WordEffect]]:
    """Return the verdict on a passage of ``text``, and the effects of its words, with their places in ``text``."""
    inside = [word.shifted(-passage.start) for word in words if passage.start <= word.start and word.end <= passage.end]
    verdict, effects = word_effects(passage.of(text), inside, classify)
    return verdict, [_shifted(each, passage.start) for each in effects]


def _shifted(each: WordEffect, by: int) -> WordEffect:
    spans = tuple(span.shifted(by) for span in each.word.spans)
    return replace(each, word=replace(each.word, spans=spans))
