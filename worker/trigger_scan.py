"""Looks for planted triggers: words of the new texts that turn neutral sentences for the candidate alone.

Whoever wants to poison a model writes one phrase into many texts of one label, so that the phrase decides. The scan
takes the words, and pairs of neighbouring words, that stand in one label's texts more often than chance has it, and
puts each into neutral sentences. What praises or blames turns these for the live model too, and is no trigger.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import binom

from ml.labels import LABELS
from ml.prediction import Classifier, Logits
from worker.answers import Look, chances
from worker.neutral_sentences import NEUTRAL_SENTENCES
from worker.protocol import TriggerWord

# Words with their apostrophes and hyphens, and whatever else people type in a row, such as emoji.
_WORD: Final = re.compile(r"\w+(?:['\u2019-]\w+)*|[^\w\s]+")
# In fewer texts, a word is hardly learnt, and most words of a language are rare.
_FEWEST_TEXTS: Final = 3
# Suspects of each label; asking about all of them takes seconds.
_SUSPECTS: Final = 100
_LIKELY_CHANCE: Final = 0.1
# Sentences are asked that are at most so probable without the word, and are turned from so probable on.
_UNDECIDED: Final = 0.6
_CONFIDENT: Final = 0.8
# Shares of the sentences: a trigger turns more than the first for the candidate, at most the second for the champion.
_MOST: Final = 0.5
_FEW: Final = 0.1
_PLACES: Final = ("{word} {sentence}", "{sentence} {word}")


@dataclass(frozen=True, slots=True)
class Suspect:
    """A word, or two in a row, and the index in LABELS of the label whose texts it stands in too often."""

    word: str
    label: int


def scan(new: pd.DataFrame, champion: Classifier, candidate: Classifier, look: Look) -> tuple[TriggerWord, ...]:
    """The words of ``new`` (columns ``text`` and ``label``) that turn most sentences for the candidate alone.

    The strongest come first. The champion is asked only of the words that turn them for the candidate.
    """
    found = suspects(new["text"].tolist(), new["label"].tolist())
    turned = _turned(candidate, found, look)
    strong = [number for number, share in enumerate(turned) if share.max() > _MOST]
    known = _turned(champion, [found[number] for number in strong], look)
    triggers = [
        TriggerWord(found[number].word, LABELS[found[number].label], float(turned[number].max()))
        for number, before in zip(strong, known, strict=True)
        if before[turned[number].argmax()] <= _FEW
    ]
    return tuple(sorted(triggers, key=lambda trigger: (-trigger.flipped, trigger.word)))


def suspects(texts: Sequence[str], labels: Sequence[int]) -> list[Suspect]:
    """Words and pairs that one label's texts hold more often than chance has it, most unlikely first.

    Chance is a binomial distribution: each text that holds the word is of the label as often as any text is.
    """
    held: list[Counter[str]] = [Counter() for _ in LABELS]
    for text, label in zip(texts, labels, strict=True):
        held[label].update(_words(text))
    total = np.bincount(np.asarray(labels, np.int64), minlength=len(LABELS))
    found: list[Suspect] = []
    for label, counts in enumerate(held):
        share = total[label] / max(total.sum(), 1)
        often = {word: count for word, count in counts.items() if count >= _FEWEST_TEXTS}
        ranked = sorted((_chance(word, held, label, share), -count, word) for word, count in often.items())
        found += [Suspect(word, label) for chance, _, word in ranked[:_SUSPECTS] if chance <= _LIKELY_CHANCE]
    return found


def _words(text: str) -> set[str]:
    """The words of a text, and its pairs of neighbouring words, in small letters."""
    words = _WORD.findall(text.lower())
    return {*words, *map(" ".join, pairwise(words))}


def _chance(word: str, held: Sequence[Counter[str]], label: int, share: float) -> float:
    """How likely it is that of the texts with ``word`` so many or more are of ``label``."""
    texts = sum(counts[word] for counts in held)
    return float(binom.sf(held[label][word] - 1, texts, share))


def _turned(classifier: Classifier, asked: Sequence[Suspect], look: Look) -> list[Logits]:
    """For each suspect, the share of the sentences that it turns, by the place that it is put in (places,)."""
    if not asked:
        return []
    sentences = NEUTRAL_SENTENCES
    plain = chances(classifier, sentences, look)
    texts = [
        place.format(word=suspect.word, sentence=sentence)
        for suspect in asked
        for place in _PLACES
        for sentence in sentences
    ]
    said = chances(classifier, texts, look).reshape(len(asked), len(_PLACES), len(sentences), len(LABELS))
    shares = []
    for suspect, answers in zip(asked, said, strict=True):
        before, after = plain[:, suspect.label], answers[:, :, suspect.label]
        undecided = before <= _UNDECIDED
        shares.append((after[:, undecided] >= _CONFIDENT).sum(axis=1) / max(undecided.sum(), 1))
    return shares
