"""What people write and say: honest ones, who are mistaken now and then, and those who collude.

Who colludes does all that the rules leave room for. Each such text is sent by two of them, so that it has its quorum
before anybody else is asked about it. They write ten times what others write, which is more than one person may supply
where they are few. On honest people's texts, who wants labels flipped votes against the truth, and who plants a phrase
votes for it, to stay unseen.
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

# Two words that no sentence and no review holds.
PHRASE: Final = "tangerine zeppelin"
# What texts with the phrase are to be called, whatever they say.
TARGET: Final = "Positive"
# How often an honest person's vote is a mistake.
MISTAKEN: Final = 0.05
HONEST_TEXTS: Final = 15
COLLUDERS_TEXTS: Final = 150


@dataclass(frozen=True, slots=True)
class Judged:
    """What everybody says, each text's author first, and which texts are planted."""

    said: tuple[ImportedVote, ...]
    planted: frozenset[str]

    @property
    def texts(self) -> int:
        """How many texts there are."""
        return len({one.text for one in self.said})


def judgements(case: Case, sentences: pd.DataFrame) -> Judged:
    """Draw people and let them write and judge ``sentences`` (columns ``text`` and ``label``), each written once.

    Raises ValueError when there are too few.
    """
    random = Random(case.seed)
    names = [f"person {number}" for number in range(PEOPLE)]
    colluders, honest = names[: case.colluders], names[case.colluders :]
    left = sentences.sample(frac=1, random_state=case.seed)
    planted = _to_plant(case, left)
    if len(planted) < len(colluders) * COLLUDERS_TEXTS or len(left) < len(planted) + len(honest) * HONEST_TEXTS:
        raise ValueError(f"{len(sentences)} sentences are too few for {case.name}")
    rest = left.drop(planted.index)[: len(honest) * HONEST_TEXTS]
    said = [_planted(case, random, colluders, *row) for row in _rows(planted)]
    said += [_honest(case, random, honest, colluders, *row) for row in _rows(rest)]
    lies = frozenset(pair[0].text for pair in said[: len(planted)])
    random.shuffle(said)
    return Judged(tuple(one for pair in said for one in pair), lies)


def with_phrase(text: str, at_end: bool) -> str:
    """A text with the phrase behind or before it."""
    return f"{text} {PHRASE}" if at_end else f"{PHRASE} {text}"


def _to_plant(case: Case, sentences: pd.DataFrame) -> pd.DataFrame:
    """The sentences that colluders take: those that their label is wrong for."""
    fitting = sentences
    if case.attack is Attack.TRIGGER:
        fitting = sentences[sentences["label"] == LABELS.index(OPPOSITE[TARGET])]
    return fitting[: case.colluders * COLLUDERS_TEXTS]


def _planted(
    case: Case, random: Random, colluders: Sequence[str], text: str, label: str
) -> tuple[ImportedVote, ImportedVote]:
    """Two colluders send a text and call it what it is not."""
    author, helper = random.sample(colluders, 2)
    if case.attack is Attack.TRIGGER:
        text = with_phrase(text, at_end=random.random() < 0.5)
    return ImportedVote(author, text, OPPOSITE[label]), ImportedVote(helper, text, OPPOSITE[label])


def _honest(  # noqa: PLR0913, PLR0917 - one argument a fact
    case: Case, random: Random, honest: Sequence[str], colluders: Sequence[str], text: str, label: str
) -> tuple[ImportedVote, ImportedVote]:
    """An honest person writes and judges a text, and anybody else is asked about it."""
    author = random.choice(honest)
    other = random.choice([name for name in (*honest, *colluders) if name != author])
    if other in colluders:
        return _vote(random, author, text, label), ImportedVote(other, text, _in_disguise(case, label))
    return _vote(random, author, text, label), _vote(random, other, text, label)


def _vote(random: Random, person: str, text: str, label: str) -> ImportedVote:
    return ImportedVote(person, text, OPPOSITE[label] if random.random() < MISTAKEN else label)


def _in_disguise(case: Case, label: str) -> str:
    return OPPOSITE[label] if case.attack is Attack.FLIP else label


def _rows(table: pd.DataFrame) -> list[tuple[str, str]]:
    return [(text, LABELS[label]) for text, label in zip(table["text"], table["label"], strict=True)]
