"""Which judgements count: those that people agreed on, or an admin decided, of texts whose authors consented.

Every text here was predicted, so the guard of the language let it through: it is English.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final, Self

from sqlalchemy import Row, Select, or_, select

from core.settings import Settings
from storage.db.database import Unit
from storage.db.tables import JudgementRow, MessageRow, PersonRow, PredictionRow
from storage.feedback.consensus import Standing, State, Vote, stand
from storage.privacy.consent import consenting, withdrawn

# The bot id of texts that no bot received: they came from a file.
FROM_FILE: Final = 0
# Rows that the driver fetches at a time.
_ROWS_AT_ONCE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Rules:
    """Which judgements train and which measure; see the settings FEEDBACK_*.

    ``quorum`` people have to agree. One person supplies at most ``person_rows`` rows, or ``person_share`` of them, 0
    to 1, where that is more. ``holdout`` is the share of usable texts, 0 to 1, that measures.
    """

    quorum: int
    person_rows: int
    person_share: float
    holdout: float

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The rules that the settings make."""
        return cls(
            quorum=settings.feedback_quorum,
            person_rows=settings.feedback_person_rows,
            person_share=settings.feedback_person_share,
            holdout=settings.feedback_holdout,
        )


@dataclass(frozen=True, slots=True)
class JudgedText:
    """A text whose author consented, and what people say of it.

    ``message_id`` and ``prediction_id`` are the first of such an author under which it was judged. ``chance`` is what
    that prediction gave ``predicted``, 0 to 1. ``written_at`` is when the message came; ``brought`` says that it came
    from a file.
    """

    text_hash: bytes
    message_id: int
    prediction_id: int
    author_id: int
    predicted: str
    chance: float
    written_at: datetime
    brought: bool
    votes: tuple[Vote, ...]
    standing: Standing

    def chance_of(self, label: str) -> float:
        """What the prediction gave ``label``, one of the two, 0 to 1."""
        return self.chance if label == self.predicted else 1 - self.chance

    @property
    def judged_at(self) -> datetime:
        """When the newest vote on it was given."""
        return max(vote.at for vote in self.votes)


@dataclass(frozen=True, slots=True)
class UsableText:
    """A judged text that is good for learning or measuring, under the label that was agreed on."""

    judged: JudgedText
    label: str

    @property
    def supporters(self) -> tuple[int, ...]:
        """The people who say that the label is true."""
        return self.judged.standing.supporters


def judged(unit: Unit, quorum: int, admins: frozenset[int]) -> Iterator[JudgedText]:
    """Every judged text whose author consents now, with the votes that count, in the order of the texts' hashes.

    A vote counts while its voter consents; an admin's also when they were never asked, since it is given to run the
    bot, but not once they withdrew. ``admins`` are Telegram ids. Read it to its end inside the unit of work.
    """
    rows = unit.execute(_votes(admins).execution_options(yield_per=_ROWS_AT_ONCE))
    for _, of_one_text in groupby(rows, key=lambda row: row.text_hash):
        votes = list(of_one_text)
        if any(vote.consents for vote in votes):
            yield _judged(votes, quorum, admins)


def usable(unit: Unit, quorum: int, admins: frozenset[int]) -> list[UsableText]:
    """The texts that are good for learning or measuring, those that became so first before others."""
    texts = [
        UsableText(text, text.standing.label)
        for text in judged(unit, quorum, admins)
        if text.standing.state is State.USABLE and text.standing.label is not None
    ]
    return sorted(texts, key=lambda text: (text.judged.judged_at, text.judged.message_id))


def _votes(admins: frozenset[int]) -> Select[*tuple[Any, ...]]:
    """One row a vote, with the message under which it was given; equal texts may have several messages and authors."""
    by_admin = PersonRow.telegram_id.in_(sorted(admins)) & JudgementRow.person_id.not_in(withdrawn())
    return (
        select(
            JudgementRow.text_hash,
            JudgementRow.person_id,
            JudgementRow.label,
            JudgementRow.created_at.label("at"),
            PersonRow.telegram_id,
            PredictionRow.id.label("prediction_id"),
            PredictionRow.label.label("predicted"),
            PredictionRow.confidence,
            MessageRow.id.label("message_id"),
            MessageRow.person_id.label("author_id"),
            MessageRow.bot_id,
            MessageRow.created_at.label("written_at"),
            MessageRow.person_id.in_(consenting()).label("consents"),
        )
        .join(PersonRow, PersonRow.id == JudgementRow.person_id)
        .join(PredictionRow, PredictionRow.id == JudgementRow.prediction_id)
        .join(MessageRow, MessageRow.id == PredictionRow.message_id)
        .where(or_(JudgementRow.person_id.in_(consenting()), by_admin))
        .order_by(JudgementRow.text_hash, JudgementRow.id)
    )


def _judged(rows: list[Row[Any]], quorum: int, admins: frozenset[int]) -> JudgedText:
    votes = tuple(Vote(row.person_id, row.telegram_id in admins, row.label, row.at) for row in rows)
    first = min((row for row in rows if row.consents), key=lambda row: row.prediction_id)
    return JudgedText(
        text_hash=first.text_hash,
        message_id=first.message_id,
        prediction_id=first.prediction_id,
        author_id=first.author_id,
        predicted=first.predicted,
        chance=first.confidence,
        written_at=first.written_at,
        brought=first.bot_id == FROM_FILE,
        votes=votes,
        standing=stand(votes, quorum),
    )


@dataclass(frozen=True, slots=True)
class SharedVote:
    """What one person says of a text that others judged too; ``label`` is None for neither sentiment."""

    person_id: int
    text_hash: bytes
    label: str | None


def shared_votes(unit: Unit, admins: frozenset[int]) -> list[SharedVote]:
    """Every vote that counts on a text with two or more; ``admins`` are Telegram ids."""
    return [
        SharedVote(vote.person_id, text.text_hash, vote.label)
        for text in judged(unit, 1, admins)
        if len(text.votes) > 1
        for vote in text.votes
    ]
