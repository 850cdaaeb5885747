"""Draws a case's texts and votes, from colluders and from honest people who sometimes make mistakes.

Colluders do everything that the rules allow. Two colluders vote on each planted text, so that the text reaches its
quorum before anyone else is asked. Each colluder writes ten times as many texts as an honest person. If there are few
colluders, this exceeds a person's quota. On honest people's texts, colluders who flip labels vote for the wrong label.
Colluders who plant a phrase vote for the correct label to stay undetected.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

import pandas as pd

from benchmarks.poison.plan import PEOPLE, Attack, Case
from ml.text.labels import LABELS
from storage.feedback.bulk_import import ImportedVote
from storage.feedback.votes import OPPOSITE

# Two words that do not occur in any sentence or review.
PHRASE: Final = "tangerine zeppelin"
# The label that colluders vote for on every text with the phrase.
TARGET: Final = "Positive"
# The probability that an honest person's vote is a mistake.
MISTAKEN: Final = 0.05
HONEST_TEXTS: Final = 15
COLLUDERS_TEXTS: Final = 150


@dataclass(frozen=True, slots=True)
class CaseVotes:
    """The planted texts, and all votes in a case. The author's vote on a text comes before the others."""

    votes: tuple[ImportedVote, ...]
    planted: frozenset[str]

    @property
    def texts(self) -> int:
        """Number of texts."""
        return len({one.text for one in self.votes})


def draw_votes(case: Case, sentences: pd.DataFrame) -> CaseVotes:
    """Draw the authors of ``sentences`` (columns ``text`` and ``label``) and all votes, using the case's seed.

    Raise ValueError if there are too few sentences.
    """
    random = Random(case.seed)
    names = [f"person {number}" for number in range(PEOPLE)]
    colluders, honest = names[: case.colluders], names[case.colluders :]
    remaining = sentences.sample(frac=1, random_state=case.seed)
    planted = _sentences_to_plant(case, remaining)
    if len(planted) < len(colluders) * COLLUDERS_TEXTS or len(remaining) < len(planted) + len(honest) * HONEST_TEXTS:
        raise ValueError(f"{len(sentences)} sentences are too few for {case.name}")
    rest = remaining.drop(planted.index)[: len(honest) * HONEST_TEXTS]
    pairs = [_plant_text(case, random, colluders, *row) for row in _rows(planted)]
    pairs += [_write_honest_text(case, random, honest, colluders, *row) for row in _rows(rest)]
    planted_texts = frozenset(pair[0].text for pair in pairs[: len(planted)])
    random.shuffle(pairs)
    return CaseVotes(tuple(vote for pair in pairs for vote in pair), planted_texts)


def with_phrase(text: str, at_end: bool) -> str:
    """Return the text with the phrase added at its start or end."""
    return f"{text} {PHRASE}" if at_end else f"{PHRASE} {text}"


def _sentences_to_plant(case: Case, sentences: pd.DataFrame) -> pd.DataFrame:
    """Return the sentences that colluders plant: any sentences to flip labels, or negative ones to plant a phrase."""
    fitting = sentences
    if case.attack is Attack.TRIGGER:
        fitting = sentences[sentences["label"] == LABELS.index(OPPOSITE[TARGET])]
    return fitting[: case.colluders * COLLUDERS_TEXTS]


def _plant_text(
    case: Case, random: Random, colluders: Sequence[str], text: str, label: str
) -> tuple[ImportedVote, ImportedVote]:
    """Let two colluders send a text and vote for the wrong label."""
    author, helper = random.sample(colluders, 2)
    if case.attack is Attack.TRIGGER:
        text = with_phrase(text, at_end=random.random() < 0.5)
    return ImportedVote(author, text, OPPOSITE[label]), ImportedVote(helper, text, OPPOSITE[label])


def _write_honest_text(  # noqa: PLR0913, PLR0917 - a row, and who may vote on it
    case: Case, random: Random, honest: Sequence[str], colluders: Sequence[str], text: str, label: str
) -> tuple[ImportedVote, ImportedVote]:
    """Let an honest person write a text and vote on it, and let any other person vote on it too."""
    author = random.choice(honest)
    other = random.choice([name for name in (*honest, *colluders) if name != author])
    if other in colluders:
        return _honest_vote(random, author, text, label), ImportedVote(other, text, _colluders_label(case, label))
    return _honest_vote(random, author, text, label), _honest_vote(random, other, text, label)


def _honest_vote(random: Random, person: str, text: str, label: str) -> ImportedVote:
    return ImportedVote(person, text, OPPOSITE[label] if random.random() < MISTAKEN else label)


def _colluders_label(case: Case, label: str) -> str:
    return OPPOSITE[label] if case.attack is Attack.FLIP else label


def _rows(table: pd.DataFrame) -> list[tuple[str, str]]:
    return [(text, LABELS[label]) for text, label in zip(table["text"], table["label"], strict=True)]
