"""Shows admins who voted, and how: people ordered by number of votes, and one person's votes, newest first."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from storage.db.database import UnitOfWork
from storage.db.states import Reason, Vote
from storage.db.tables import MessageRow, PersonRow, PredictionRow, VoteRow
from storage.feedback.labeller_pauses import paused_people
from storage.privacy.consent import consenting_people


@dataclass(frozen=True, slots=True)
class Voter:
    """A person's Telegram id (a negative number if they come from a file), and how often they voted.

    ``paused`` is True if the votes don't count for now.
    """

    telegram_id: int
    right: int
    wrong: int
    neither: int
    paused: bool

    @property
    def votes(self) -> int:
        """The number of votes."""
        return self.right + self.wrong + self.neither


@dataclass(frozen=True, slots=True)
class CastVote:
    """A vote, with the prediction that it is about. ``readable`` is True if the text's author consents to training."""

    message_id: int
    prediction_id: int
    predicted: str
    version: str
    vote: Vote
    label: str | None
    reason: Reason | None
    at: datetime
    readable: bool


def voters(unit: UnitOfWork, skip: int, count: int) -> list[Voter]:
    """Return the people who have voted, most votes first."""

    def number(vote: Vote) -> object:
        return func.count().filter(VoteRow.verdict == vote)

    paused = PersonRow.id.in_(paused_people())
    rows = unit.execute(
        select(PersonRow.telegram_id, *(number(vote) for vote in (Vote.RIGHT, Vote.WRONG, Vote.NEITHER)), paused)  # type: ignore[call-overload]
        .join(VoteRow, VoteRow.person_id == PersonRow.id)
        .group_by(PersonRow.id, PersonRow.telegram_id)
        .order_by(func.count().desc(), PersonRow.id)
        .offset(skip)
        .limit(count)
    )
    return [Voter(*row) for row in rows]


def count_voters(unit: UnitOfWork) -> int:
    """Count the people who have voted."""
    return unit.scalars(select(func.count(VoteRow.person_id.distinct()))).one()


def count_votes(unit: UnitOfWork, telegram_id: int) -> int:
    """Count a person's votes."""
    person = select(PersonRow.id).where(PersonRow.telegram_id == telegram_id).scalar_subquery()
    return unit.scalars(select(func.count()).where(VoteRow.person_id == person)).one()


def cast_vote(unit: UnitOfWork, telegram_id: int, skip: int) -> CastVote | None:
    """Return one of a person's votes, after skipping this many newer ones, or None if there is none."""
    person = select(PersonRow.id).where(PersonRow.telegram_id == telegram_id).scalar_subquery()
    row = unit.execute(
        select(
            MessageRow.id,
            PredictionRow.id,
            PredictionRow.label,
            PredictionRow.version,
            VoteRow.verdict,
            VoteRow.label,
            VoteRow.reason,
            VoteRow.created_at,
            MessageRow.person_id.in_(consenting_people()),
        )
        .join(PredictionRow, PredictionRow.id == VoteRow.prediction_id)
        .join(MessageRow, MessageRow.id == PredictionRow.message_id)
        .where(VoteRow.person_id == person)
        .order_by(VoteRow.created_at.desc(), VoteRow.id.desc())
        .offset(skip)
        .limit(1)
    ).one_or_none()
    return None if row is None else CastVote(*row)
