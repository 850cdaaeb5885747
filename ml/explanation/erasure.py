"""Measures what each word adds to a verdict, by leaving the word out (Li et al. 2016, https://arxiv.org/abs/1612.08220).

A word is erased everywhere in the passage at once, because a word that occurs twice would otherwise seem to have no
effect. Nothing takes its place, because a mask would change verdicts in ways that merely leaving out the word does not.
"""

from collections.abc import Callable, Sequence
from typing import Final

from ml.explanation.selection import WordEffect
from ml.explanation.words import Span, Word, distinct_words
from ml.serving.engine import Verdict

Classify = Callable[[Sequence[str]], Sequence[Verdict]]

MAXIMUM_WORDS: Final = 100
"""Length, in words, of the longest passage whose words are erased one at a time."""
# Number of neighbouring words that are erased together, to find the parts of a passage that have too many words.
_RUN: Final = 8


def margin(verdict: Verdict) -> float:
    """Return the logit of Positive minus the logit of Negative."""
    negative, positive = verdict.logits
    return positive - negative


def erase(text: str, spans: Sequence[Span]) -> str:
    """Return ``text`` without the characters in ``spans``, which must not overlap."""
    ordered = sorted(spans)
    starts = [0, *(span.end for span in ordered)]
    ends = [*(span.start for span in ordered), len(text)]
    return "".join(text[start:end] for start, end in zip(starts, ends, strict=True))


def word_effects(passage: str, spans: Sequence[Span], classify: Classify) -> tuple[Verdict, list[WordEffect]]:
    """Return the verdict on ``passage``, and the effects of the words at ``spans``.

    ``classify`` is called once, or twice if the passage has more than ``MAXIMUM_WORDS`` words. In that case, only the
    words in the passage's strongest parts are erased one by one.
    """
    words = distinct_words(passage, spans)
    if len(words) > MAXIMUM_WORDS:
        words = _words_in_strongest_runs(passage, spans, words, classify)
    verdict, effects = _effects(passage, [word.spans for word in words], classify)
    return verdict, [WordEffect(word, effect) for word, effect in zip(words, effects, strict=True)]


def _effects(passage: str, erasures: Sequence[Sequence[Span]], classify: Classify) -> tuple[Verdict, list[float]]:
    """Return the verdict on ``passage``, and the effect of each erasure."""
    verdict, *without = classify([passage, *(erase(passage, spans) for spans in erasures)])
    return verdict, [margin(verdict) - margin(other) for other in without]


def _words_in_strongest_runs(
    passage: str, spans: Sequence[Span], words: Sequence[Word], classify: Classify
) -> list[Word]:
    """Return at most ``MAXIMUM_WORDS`` words, from the runs of neighbouring words with the strongest effects."""
    runs = [spans[start : start + _RUN] for start in range(0, len(spans), _RUN)]
    _, effects = _effects(passage, runs, classify)
    by_span = {span: word for word in words for span in word.spans}
    ordered = sorted(zip(runs, effects, strict=True), key=lambda each: -abs(each[1]))
    found = dict.fromkeys(by_span[span] for run, _ in ordered for span in run)
    return list(found)[:MAXIMUM_WORDS]
