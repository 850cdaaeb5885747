"""Compares how far the margin moves without the words that an explanation names and without as many random words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ml.explanation.erasure import erase, margin
from ml.explanation.explain import explain
from ml.explanation.words import Word, distinct_words, find_words
from ml.serving.engine import Classifier


@dataclass(frozen=True, slots=True)
class Removal:
    """How far one text's margin moves, in logits.

    ``named`` is how far the margin moves against the verdict without the named words. ``random`` is how far it moves,
    in either direction, without as many random words.
    """

    named: float
    random: float
    words: int
    """Number of words that were removed: three, or fewer if the explanation names fewer."""
    windows: int

    @property
    def moved_more(self) -> bool:
        """Whether the named words moved the margin more. False if the explanation named no words."""
        return self.named > self.random


def compare_removals(classifier: Classifier, text: str, rng: np.random.Generator) -> Removal:
    """Explain the verdict on ``text``, and compare removing the supporting words with removing as many random ones.

    The random words are drawn from all words, including the named ones. Each word is removed everywhere in the text.
    """
    explanation = explain(text, classifier.engine.tokenizer, classifier.classify)
    sign = 1 if margin(explanation.verdict) >= 0 else -1
    places = {word.key: word for word in distinct_words(text, find_words(text))}
    named = [places[each.word.key] for each in (explanation.up if sign > 0 else explanation.down)]
    drawn = rng.choice(len(places), size=len(named), replace=False)
    random = [list(places.values())[index] for index in drawn]
    texts = [text, _without(text, named), _without(text, random)]
    before, without_named, without_random = map(margin, classifier.classify(texts))
    return Removal(
        named=sign * (before - without_named),
        random=abs(before - without_random),
        words=len(named),
        windows=explanation.verdict.windows,
    )


def _without(text: str, words: Sequence[Word]) -> str:
    return erase(text, [span for word in words for span in word.spans])
