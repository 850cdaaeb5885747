"""Finds the texts that are eligible for training.

A text is eligible if its author consents and either people agree on its label or an admin has settled it. Every text
considered here has a prediction, so it passed the language check and is in English.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final, Self

from sqlalchemy import Row, Select, or_, select

from core.settings import Settings
from storage.db.database import UnitOfWork
from storage.db.states import Reason
from storage.db.tables import MessageRow, PersonRow, PredictionRow, VoteRow
from storage.feedback.consensus import NEITHER, Consensus, ConsensusState, LabelVote, tally
from storage.feedback.labeller_pauses import counted_voters
from storage.privacy.consent import consenting_people, withdrawn_people

# The bot id of texts that were imported from a file instead of being received by a bot.
IMPORT_BOT_ID: Final = 0
# Number of rows that the driver fetches at a time.
_FETCH_SIZE: Final = 2_000


@dataclass(frozen=True, slots=True)
class EligibilityRules:
    """The rules that decide which texts are used for training (see the FEEDBACK_* settings).

    At least ``quorum`` people must agree on a label. One person contributes at most ``person_rows`` rows or
    ``person_share`` (0 to 1) of all rows, whichever is larger.
    """

    quorum: int
    person_rows: int
    person_share: float

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Return the rules that the settings define."""
        return cls(
            quorum=settings.feedback_quorum,
            person_rows=settings.feedback_person_rows,
            person_share=settings.feedback_person_share,
        )


@dataclass(frozen=True, slots=True)
class VotedText:
    """A text whose author consents, with its votes and their consensus.

    Equal texts may occur in several messages. ``message_id`` and ``prediction_id`` belong to the first message that has
    a vote and a consenting author. ``confidence`` is the probability (0 to 1) that this prediction gave ``predicted``.
    ``written_at`` is when the message arrived, and ``imported`` is True if it came from a file.
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
        """Return the probability (0 to 1) that the prediction gave ``label``."""
        return self.confidence if label == self.predicted else 1 - self.confidence

    @property
    def voted_at(self) -> datetime:
        """The time of the newest vote on the text."""
        return max(vote.at for vote in self.votes)


@dataclass(frozen=True, slots=True)
class EligibleText:
    """A text that may be used for training and measuring, with its consensus label, which can be NEITHER."""

    voted: VotedText
    label: str

    @property
    def supporters(self) -> tuple[int, ...]:
        """The ids of the people who voted for the label, or for neither label."""
        return self.voted.consensus.supporters


def voted_texts(unit: UnitOfWork, quorum: int, admins: frozenset[int]) -> Iterator[VotedText]:
    """Yield every text that has votes and an author who currently consents, ordered by text hash.

    A vote counts as long as the voter consents and is not paused. An admin's vote also counts if the admin was never
    asked for consent, because voting is part of running the bot. The vote stops counting once the admin withdraws
    consent. ``admins`` are Telegram ids. Exhaust the iterator inside the unit of work.
    """
    rows = unit.execute(_votes(admins).execution_options(yield_per=_FETCH_SIZE))
    for _, group in groupby(rows, key=lambda row: row.text_hash):
        votes = list(group)
        if any(vote.author_consents for vote in votes):
            yield _voted_text(votes, quorum, admins)


def agreed_label(unit: UnitOfWork, prediction_id: int, quorum: int, admins: frozenset[int]) -> str | None:
    """Return the agreed label of a prediction's text, or None if the text is not eligible."""
    text_hash = (
        select(MessageRow.text_hash)
        .join(PredictionRow, PredictionRow.message_id == MessageRow.id)
        .where(PredictionRow.id == prediction_id)
        .scalar_subquery()
    )
    # Nearly all texts have no votes, and this needs only an index to find out.
    if unit.scalar(select(VoteRow.id).where(VoteRow.text_hash == text_hash).limit(1)) is None:
        return None
    votes = list(unit.execute(_votes(admins).where(VoteRow.text_hash == text_hash)))
    if not any(vote.author_consents for vote in votes):
        return None
    return _voted_text(votes, quorum, admins).consensus.label


@dataclass(frozen=True, slots=True)
class LearnableTexts:
    """The texts that a run can learn from. Each list is ordered by the time of the newest vote, oldest first.

    ``labelled`` are the eligible texts. ``not_reviews`` are texts that people agree are not reviews, with the label
    NEITHER.
    """

    labelled: list[EligibleText]
    not_reviews: list[EligibleText]


def learnable_texts(unit: UnitOfWork, quorum: int, admins: frozenset[int]) -> LearnableTexts:
    """Return the texts that a run can learn from. ``admins`` are Telegram ids."""
    found = LearnableTexts([], [])
    texts = sorted(voted_texts(unit, quorum, admins), key=lambda text: (text.voted_at, text.message_id))
    for text in texts:
        consensus = text.consensus
        if consensus.label is not None:
            found.labelled.append(EligibleText(text, consensus.label))
        elif consensus.state is ConsensusState.SETTLED and consensus.reason is Reason.NOT_REVIEW:
            found.not_reviews.append(EligibleText(text, NEITHER))
    return found


def eligible_texts(unit: UnitOfWork, quorum: int, admins: frozenset[int]) -> list[EligibleText]:
    """Return the eligible texts, ordered by the time of their newest vote, oldest first."""
    return learnable_texts(unit, quorum, admins).labelled


def _votes(admins: frozenset[int]) -> Select[*tuple[Any, ...]]:
    """Select one row for each vote, with its message. Equal texts can have several messages and authors."""
    by_admin = PersonRow.telegram_id.in_(sorted(admins)) & VoteRow.person_id.not_in(withdrawn_people())
    return (
        select(
            VoteRow.text_hash,
            VoteRow.person_id,
            VoteRow.label,
            VoteRow.reason,
            VoteRow.created_at.label("at"),
            PersonRow.telegram_id,
            PredictionRow.id.label("prediction_id"),
            PredictionRow.label.label("predicted"),
            PredictionRow.confidence,
            MessageRow.id.label("message_id"),
            MessageRow.person_id.label("author_id"),
            MessageRow.bot_id,
            MessageRow.created_at.label("written_at"),
            MessageRow.person_id.in_(consenting_people()).label("author_consents"),
        )
        .join(PersonRow, PersonRow.id == VoteRow.person_id)
        .join(PredictionRow, PredictionRow.id == VoteRow.prediction_id)
        .join(MessageRow, MessageRow.id == PredictionRow.message_id)
        .where(or_(VoteRow.person_id.in_(counted_voters()), by_admin))
        .order_by(VoteRow.text_hash, VoteRow.id)
    )


def _voted_text(rows: list[Row[Any]], quorum: int, admins: frozenset[int]) -> VotedText:
    votes = tuple(LabelVote(row.person_id, row.telegram_id in admins, row.label, row.at, row.reason) for row in rows)
    first = min((row for row in rows if row.author_consents), key=lambda row: row.prediction_id)
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
    """One person's vote on a text that other people also voted on.

    ``label`` is None if the person chose neither label.
    """

    person_id: int
    text_hash: bytes
    label: str | None


def shared_votes(unit: UnitOfWork, admins: frozenset[int]) -> list[SharedVote]:
    """Return the votes that count on each text with at least two such votes. ``admins`` are Telegram ids."""
    return [
        SharedVote(vote.person_id, text.text_hash, vote.label)
        for text in voted_texts(unit, 1, admins)
        if len(text.votes) > 1
        for vote in text.votes
    ]
