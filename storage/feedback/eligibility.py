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
from storage.db.database import UnitOfWork
from storage.db.tables import MessageRow, PersonRow, PredictionRow, VoteRow
from storage.feedback.consensus import Consensus, ConsensusState, LabelVote, tally
from storage.privacy.consent import consenting_people, withdrawn_people

# The bot id of texts that no bot received: they came from a file.
IMPORT_BOT_ID: Final = 0
# Rows that the driver fetches at a time.
_ROWS_AT_ONCE: Final = 2_000


@dataclass(frozen=True, slots=True)
class EligibilityRules:
    """Which judgements train and which measure; see the settings FEEDBACK_*.

    ``quorum`` people have to agree. One person supplies at most ``person_rows`` rows, or ``person_share`` of them, 0
    to 1, where that is more. ``holdout`` is the share of usable texts, 0 to 1, that measures.
    """

    quorum: int
    person_rows: int
    person_share: float
    holdout: float

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The rules that the settings make."""
        return cls(
            quorum=settings.feedback_quorum,
            person_rows=settings.feedback_person_rows,
            person_share=settings.feedback_person_share,
            holdout=settings.feedback_holdout,
        )


@dataclass(frozen=True, slots=True)
class VotedText:
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
    confidence: float
    written_at: datetime
    imported: bool
    votes: tuple[LabelVote, ...]
    consensus: Consensus

    def probability_of(self, label: str) -> float:
        """What the prediction gave ``label``, one of the two, 0 to 1."""
        return self.confidence if label == self.predicted else 1 - self.confidence

    @property
    def voted_at(self) -> datetime:
        """When the newest vote on it was given."""
        return max(vote.at for vote in self.votes)


@dataclass(frozen=True, slots=True)
class EligibleText:
    """A judged text that is good for learning or measuring, under the label that was agreed on."""

    voted: VotedText
    label: str

    @property
    def supporters(self) -> tuple[int, ...]:
        """The people who say that the label is true."""
        return self.voted.consensus.supporters


def voted_texts(unit: UnitOfWork, quorum: int, admins: frozenset[int]) -> Iterator[VotedText]:
    """Every judged text whose author consents now, with the votes that count, in the order of the texts' hashes.

    A vote counts while its voter consents; an admin's also when they were never asked, since it is given to run the
    bot, but not once they withdrew. ``admins`` are Telegram ids. Read it to its end inside the unit of work.
    """
    rows = unit.execute(_votes(admins).execution_options(yield_per=_ROWS_AT_ONCE))
    for _, of_one_text in groupby(rows, key=lambda row: row.text_hash):
        votes = list(of_one_text)
        if any(vote.consents for vote in votes):
            yield _judged(votes, quorum, admins)


def eligible_texts(unit: UnitOfWork, quorum: int, admins: frozenset[int]) -> list[EligibleText]:
    """The texts that are good for learning or measuring, those that became so first before others."""
    texts = [
        EligibleText(text, text.consensus.label)
        for text in voted_texts(unit, quorum, admins)
        if text.consensus.state is ConsensusState.USABLE and text.consensus.label is not None
    ]
    return sorted(texts, key=lambda text: (text.voted.voted_at, text.voted.message_id))


def _votes(admins: frozenset[int]) -> Select[*tuple[Any, ...]]:
    """One row a vote, with the message under which it was given; equal texts may have several messages and authors."""
    by_admin = PersonRow.telegram_id.in_(sorted(admins)) & VoteRow.person_id.not_in(withdrawn_people())
    return (
        select(
            VoteRow.text_hash,
            VoteRow.person_id,
            VoteRow.label,
            VoteRow.created_at.label("at"),
            PersonRow.telegram_id,
            PredictionRow.id.label("prediction_id"),
            PredictionRow.label.label("predicted"),
            PredictionRow.confidence,
            MessageRow.id.label("message_id"),
            MessageRow.person_id.label("author_id"),
            MessageRow.bot_id,
            MessageRow.created_at.label("written_at"),
            MessageRow.person_id.in_(consenting_people()).label("consents"),
        )
        .join(PersonRow, PersonRow.id == VoteRow.person_id)
        .join(PredictionRow, PredictionRow.id == VoteRow.prediction_id)
        .join(MessageRow, MessageRow.id == PredictionRow.message_id)
        .where(or_(VoteRow.person_id.in_(consenting_people()), by_admin))
        .order_by(VoteRow.text_hash, VoteRow.id)
    )


def _judged(rows: list[Row[Any]], quorum: int, admins: frozenset[int]) -> VotedText:
    votes = tuple(LabelVote(row.person_id, row.telegram_id in admins, row.label, row.at) for row in rows)
    first = min((row for row in rows if row.consents), key=lambda row: row.prediction_id)
    return VotedText(
        text_hash=first.text_hash,
        message_id=first.message_id,
        prediction_id=first.prediction_id,
        author_id=first.author_id,
        predicted=first.predicted,
        confidence=first.confidence,
        written_at=first.written_at,
        imported=first.bot_id == IMPORT_BOT_ID,
        votes=votes,
        consensus=tally(votes, quorum),
    )


@dataclass(frozen=True, slots=True)
class SharedVote:
    """What one person says of a text that others judged too; ``label`` is None for neither sentiment."""

    person_id: int
    text_hash: bytes
    label: str | None


def shared_votes(unit: UnitOfWork, admins: frozenset[int]) -> list[SharedVote]:
    """Every vote that counts on a text with two or more; ``admins`` are Telegram ids."""
    return [
        SharedVote(vote.person_id, text.text_hash, vote.label)
        for text in voted_texts(unit, 1, admins)
        if len(text.votes) > 1
        for vote in text.votes
    ]
