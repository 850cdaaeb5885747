"""Looks for planted triggers: words of the new texts that turn neutral sentences for the candidate alone.

Whoever wants to poison a model writes one phrase into many texts of one label, so that the phrase decides. The scan
takes the words, and pairs of neighbouring words, that stand in one label's texts more often than chance has it, and
puts each into neutral sentences. What praises or blames moves these for the live model too, further than any neutral
word does, and is no trigger; nor is what any neutral word does as well.
"""

import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binom

from ml.serving.chunked import Advance, probabilities_in_chunks
from ml.serving.engine import Classifier, Logits
from ml.text.labels import LABELS
from worker.gate.measurements import TriggerWord
from worker.gate.neutral_sentences import NEUTRAL_SENTENCES, NEUTRAL_WORDS

logger = logging.getLogger(__name__)

# Words with their apostrophes and hyphens, and whatever else people type in a row, such as emoji.
_WORD: Final = re.compile(r"\w+(?:['\u2019-]\w+)*|[^\w\s]+")
# In fewer texts, a word is hardly learnt, and most words of a language are rare.
_FEWEST_TEXTS: Final = 3
# Suspects of each label; asking about all of them takes seconds.
_SUSPECTS: Final = 100
_LIKELY_CHANCE: Final = 0.1
# Sentences count that are at most so probable without the word for both models, and are turned from so probable on.
_UNDECIDED: Final = 0.6
_CONFIDENT: Final = 0.8
# With fewer such sentences, shares of them say nothing.
_FEWEST_SENTENCES: Final = 5
# Shares of the sentences: a trigger turns more than the first for the candidate, and by the second more than every
# neutral word.
_MOST: Final = 0.5
_MORE: Final = 0.2
_PLACES: Final = ("{word} {sentence}", "{sentence} {word}")

Rows = npt.NDArray[np.bool_]
Shares = npt.NDArray[np.float64]
# Of each suspect in each place and sentence, the probability of its label (suspects, places, sentences).
Said = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Suspect:
    """A word, or two in a row, and the index in LABELS of the label whose texts it stands in too often."""

    word: str
    label: int


def scan(new: pd.DataFrame, champion: Classifier, candidate: Classifier, advance: Advance) -> tuple[TriggerWord, ...]:
    """The words of ``new`` (columns ``text`` and ``label``) that turn most sentences for the candidate alone.

    The strongest come first. The champion is asked only of the words that turn them for the candidate.
    """
    found = suspects(new["text"].tolist(), new["label"].tolist())
    if not found:
        return ()
    plain = [probabilities_in_chunks(model, NEUTRAL_SENTENCES, advance) for model in (champion, candidate)]
    undecided = np.maximum(*plain) <= _UNDECIDED
    for name, count in zip(LABELS, undecided.sum(axis=0), strict=True):
        if count < _FEWEST_SENTENCES:
            logger.warning("No word can be seen to turn sentences %s: nearly all are so without it", name)
    turned = _turned(_said(candidate, found, advance), found, undecided)
    neutral = [Suspect(word, label) for label in range(len(LABELS)) for word in NEUTRAL_WORDS]
    least = np.maximum(_MOST, _most(_turned(_said(candidate, neutral, advance), neutral, undecided), neutral) + _MORE)
    strong = [(each, share) for each, share in zip(found, turned, strict=True) if (share > least[each.label]).any()]
    if not strong:
        return ()
    asked = [each for each, _ in strong]
    moved = _moved(_said(champion, asked, advance), asked, plain[0], undecided)
    known = _most(_moved(_said(champion, neutral, advance), neutral, plain[0], undecided), neutral)
    triggers = [
        TriggerWord(each.word, LABELS[each.label], float(share[alone].max()))
        for (each, share), before in zip(strong, moved, strict=True)
        if (alone := (share > least[each.label]) & (before <= known[each.label].max())).any()
    ]
    return tuple(sorted(triggers, key=lambda trigger: (-trigger.flipped, trigger.word)))


def suspects(texts: Sequence[str], labels: Sequence[int]) -> list[Suspect]:
    """Words and pairs that one label's texts hold more often than chance has it, most unlikely first.

    Chance is a binomial distribution: each text that holds the word is of the label as often as any text is, but half
    of the time at most, as otherwise nothing would be odd where nearly all texts are of one label.
    """
    held: list[Counter[str]] = [Counter() for _ in LABELS]
    for text, label in zip(texts, labels, strict=True):
        held[label].update(_words(text))
    total = np.bincount(np.asarray(labels, np.int64), minlength=len(LABELS))
    found: list[Suspect] = []
    for label, counts in enumerate(held):
        share = min(total[label] / max(total.sum(), 1), 0.5)
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


def _said(classifier: Classifier, asked: Sequence[Suspect], advance: Advance) -> Said:
    """What a model says of every neutral sentence with each suspect in each place."""
    texts = [
        place.format(word=each.word, sentence=sentence)
        for each in asked
        for place in _PLACES
        for sentence in NEUTRAL_SENTENCES
    ]
    said = probabilities_in_chunks(classifier, texts, advance).reshape(
        len(asked), len(_PLACES), len(NEUTRAL_SENTENCES), len(LABELS)
    )
    return np.stack([answers[..., each.label] for each, answers in zip(asked, said, strict=True)])


def _turned(said: Said, asked: Sequence[Suspect], undecided: Rows) -> Shares:
    """For each suspect, the share that it turns of the sentences (sentences, labels) that are undecided (places,)."""
    return np.stack([_share(answers[:, undecided[:, each.label]]) for each, answers in zip(asked, said, strict=True)])


def _share(answers: Said) -> Shares:
    turned: Shares = (answers >= _CONFIDENT).sum(axis=1) / max(answers.shape[1], 1)
    return turned if answers.shape[1] >= _FEWEST_SENTENCES else np.zeros_like(turned)


def _moved(said: Said, asked: Sequence[Suspect], plain: Logits, undecided: Rows) -> Shares:
    """For each suspect, how far it moves undecided sentences towards its label, in the mean (places,).

    ``plain`` is what the model says of the sentences alone (sentences, labels).
    """
    rows = [undecided[:, each.label] for each in asked]
    return np.stack(
        [
            (answers[:, counted] - plain[counted, each.label]).sum(axis=1) / max(counted.sum(), 1)
            for each, answers, counted in zip(asked, said, rows, strict=True)
        ]
    )


def _most(figures: Shares, asked: Sequence[Suspect]) -> Shares:
    """The largest figure over all suspects of a label, by label and place (labels, places)."""
    labels = np.array([each.label for each in asked])
    return np.stack([figures[labels == label].max(axis=0) for label in range(len(LABELS))])
