"""Looks for planted triggers: words in the new texts that flip only the candidate's verdicts on neutral sentences.

An attacker who wants to poison a model puts one phrase into many texts with the same label, so that the phrase
determines the verdict. The scan finds words, and pairs of neighbouring words, that occur in texts with one label more
often than chance explains. The scan then adds each of them to neutral sentences. Words of praise and blame are not
triggers, because they also shift the live model's predictions for these sentences, and shift them further than any
neutral word does. Nor is a word a trigger if a neutral word has the same effect.
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

from ml.serving.chunked import Advance, Phases, probabilities_in_chunks
from ml.serving.engine import Classifier, Logits
from ml.text.labels import LABELS
from storage.db.states import RunPhase
from worker.gate.measurements import TriggerWord
from worker.gate.neutral_sentences import NEUTRAL_SENTENCES, NEUTRAL_WORDS

logger = logging.getLogger(__name__)

# Matches words with their apostrophes and hyphens, and runs of other characters, such as emoji.
_WORD: Final = re.compile(r"\w+(?:['\u2019-]\w+)*|[^\w\s]+")
# Minimum number of texts that a suspect occurs in. A model hardly learns a word from fewer texts, and most words are
# rare.
_MIN_TEXTS: Final = 3
# Maximum number of suspects per label, because checking even that many takes seconds.
_MAX_SUSPECTS: Final = 100
_MAX_TAIL_PROBABILITY: Final = 0.1
# A sentence is undecided if, without the word, neither model gives a label more than the first probability. A sentence
# is flipped if, with the word, a model gives the suspect's label at least the second probability.
_UNDECIDED: Final = 0.6
_CONFIDENT: Final = 0.8
# Minimum number of undecided sentences. With fewer sentences, the share that flips is meaningless.
_MIN_SENTENCES: Final = 5
# To count as a trigger, a word must flip more than this share of the sentences for the candidate, and more than any
# neutral word by this margin.
_MIN_FLIPPED: Final = 0.5
_MARGIN_OVER_NEUTRAL: Final = 0.2
_POSITIONS: Final = ("{word} {sentence}", "{sentence} {word}")

Rows = npt.NDArray[np.bool_]
Shares = npt.NDArray[np.float64]
# The probability of each suspect's label, float64 of shape (suspects, positions, sentences).
LabelProbabilities = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Suspect:
    """A word or a pair of neighbouring words, and the label (index into LABELS) that it occurs with too often."""

    word: str
    label: int


def find_triggers(
    new_texts: pd.DataFrame, champion: Classifier, candidate: Classifier, phases: Phases
) -> tuple[TriggerWord, ...]:
    """Return the words in ``new_texts`` (columns ``text`` and ``label``) that flip only the candidate's verdicts.

    The strongest come first. The champion is run only on words that flip the candidate's verdict on a sentence.
    """
    found = find_suspects(new_texts["text"].tolist(), new_texts["label"].tolist())
    if not found:
        return ()
    neutral = [Suspect(word, label) for label in range(len(LABELS)) for word in NEUTRAL_WORDS]
    phases.begin(RunPhase.TRIGGERS, (len(found) + len(neutral)) * len(_POSITIONS) * len(NEUTRAL_SENTENCES))
    advance = phases.advance
    champion_plain, candidate_plain = (
        probabilities_in_chunks(model, NEUTRAL_SENTENCES, advance) for model in (champion, candidate)
    )
    undecided = np.maximum(champion_plain, candidate_plain) <= _UNDECIDED
    for name, count in zip(LABELS, undecided.sum(axis=0), strict=True):
        if count < _MIN_SENTENCES:
            logger.warning("Cannot scan for words that flip sentences to %s: too few sentences are undecided", name)

    flipped = _flipped_shares(_label_probabilities(candidate, found, advance), found, undecided)
    neutral_flipped = _flipped_shares(_label_probabilities(candidate, neutral, advance), neutral, undecided)
    threshold = np.maximum(_MIN_FLIPPED, _largest_by_label(neutral_flipped, neutral) + _MARGIN_OVER_NEUTRAL)
    strong = [
        (suspect, shares)
        for suspect, shares in zip(found, flipped, strict=True)
        if (shares > threshold[suspect.label]).any()
    ]
    if not strong:
        return ()

    strong_suspects = [suspect for suspect, _ in strong]
    shifts = _mean_shifts(
        _label_probabilities(champion, strong_suspects, advance), strong_suspects, champion_plain, undecided
    )
    neutral_shifts = _mean_shifts(_label_probabilities(champion, neutral, advance), neutral, champion_plain, undecided)
    largest_neutral_shift = _largest_by_label(neutral_shifts, neutral).max(axis=1)
    triggers = []
    for (suspect, shares), shift in zip(strong, shifts, strict=True):
        by_candidate_alone = (shares > threshold[suspect.label]) & (shift <= largest_neutral_shift[suspect.label])
        if by_candidate_alone.any():
            triggers.append(TriggerWord(suspect.word, LABELS[suspect.label], float(shares[by_candidate_alone].max())))
    return tuple(sorted(triggers, key=lambda trigger: (-trigger.flipped, trigger.word)))


def find_suspects(texts: Sequence[str], labels: Sequence[int]) -> list[Suspect]:
    """Return words and pairs that occur in one label's texts more often than chance explains, least likely first.

    Chance is a binomial distribution: the probability that a text with the word has the label is the label's overall
    share, capped at one half. Without the cap, no word would be unusual if nearly all texts had the same label.
    """
    counts_by_label: list[Counter[str]] = [Counter() for _ in LABELS]
    for text, label in zip(texts, labels, strict=True):
        counts_by_label[label].update(_words(text))
    total = np.bincount(np.asarray(labels, np.int64), minlength=len(LABELS))
    found: list[Suspect] = []
    for label, counts in enumerate(counts_by_label):
        share = min(total[label] / max(total.sum(), 1), 0.5)
        frequent = {word: count for word, count in counts.items() if count >= _MIN_TEXTS}
        ranked = sorted(
            (_tail_probability(word, counts_by_label, label, share), -count, word) for word, count in frequent.items()
        )
        found += [
            Suspect(word, label)
            for probability, _, word in ranked[:_MAX_SUSPECTS]
            if probability <= _MAX_TAIL_PROBABILITY
        ]
    return found


def _words(text: str) -> set[str]:
    """Return a text's words and its pairs of neighbouring words, in lower case."""
    words = _WORD.findall(text.lower())
    return {*words, *map(" ".join, pairwise(words))}


def _tail_probability(word: str, counts_by_label: Sequence[Counter[str]], label: int, share: float) -> float:
    """Return the probability that, by chance, at least as many texts with ``word`` have ``label``."""
    texts = sum(counts[word] for counts in counts_by_label)
    return float(binom.sf(counts_by_label[label][word] - 1, texts, share))


def _label_probabilities(classifier: Classifier, suspects: Sequence[Suspect], advance: Advance) -> LabelProbabilities:
    """Return a model's probability of each suspect's label for every neutral sentence with the suspect added."""
    texts = [
        position.format(word=suspect.word, sentence=sentence)
        for suspect in suspects
        for position in _POSITIONS
        for sentence in NEUTRAL_SENTENCES
    ]
    probabilities = probabilities_in_chunks(classifier, texts, advance).reshape(
        len(suspects), len(_POSITIONS), len(NEUTRAL_SENTENCES), len(LABELS)
    )
    return np.stack([row[..., suspect.label] for suspect, row in zip(suspects, probabilities, strict=True)])


def _flipped_shares(probabilities: LabelProbabilities, suspects: Sequence[Suspect], undecided: Rows) -> Shares:
    """Return the share of ``undecided`` sentences (sentences, labels) that each suspect flips (suspects, positions)."""
    return np.stack(
        [
            _flipped_share(row[:, undecided[:, suspect.label]])
            for suspect, row in zip(suspects, probabilities, strict=True)
        ]
    )


def _flipped_share(probabilities: LabelProbabilities) -> Shares:
    """Return each position's share of confident probabilities (positions, sentences), or 0 for too few sentences."""
    sentences = probabilities.shape[1]
    flipped: Shares = (probabilities >= _CONFIDENT).sum(axis=1) / max(sentences, 1)
    return flipped if sentences >= _MIN_SENTENCES else np.zeros_like(flipped)


def _mean_shifts(
    probabilities: LabelProbabilities, suspects: Sequence[Suspect], plain: Logits, undecided: Rows
) -> Shares:
    """Return how far each suspect moves undecided sentences towards its label on average (suspects, positions).

    ``plain`` are the model's probabilities for the sentences alone (sentences, labels).
    """
    shifts = []
    for suspect, row in zip(suspects, probabilities, strict=True):
        rows = undecided[:, suspect.label]
        shifts.append((row[:, rows] - plain[rows, suspect.label]).sum(axis=1) / max(rows.sum(), 1))
    return np.stack(shifts)


def _largest_by_label(figures: Shares, suspects: Sequence[Suspect]) -> Shares:
    """Return the largest of ``figures`` (suspects, positions) over each label's suspects (labels, positions)."""
    labels = np.array([suspect.label for suspect in suspects])
    return np.stack([figures[labels == label].max(axis=0) for label in range(len(LABELS))])
