"""Deletes a person and everything that they sent."""

from dataclasses import dataclass

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import aliased

from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.states import UpdateState
from storage.db.tables import (
    ConsentRow,
    FollowerRow,
    LearningPauseRow,
    MessageRow,
    ModelChangeRow,
    PersonRow,
    PredictionRow,
    ReplyRow,
    RunRow,
    SnapshotRow,
    TrialRow,
    UpdateRow,
    VoteRow,
)
from storage.privacy.planted_words import remove_planted_words


@dataclass(frozen=True, slots=True)
class ErasedRows:
    """The number of deleted rows of each kind.

    An edited message counts once. ``votes`` are the person's own, and ``other_votes`` are other people's votes on the
    person's texts. ``updates`` were cleared instead of being deleted, so only their ids are left.
    """

    people: int
    consents: int
    messages: int
    predictions: int
    votes: int
    other_votes: int
    replies: int
    updates: int


def erase(unit: UnitOfWork, telegram_id: int) -> ErasedRows:
    """Delete the person with this Telegram id, and everything that they sent or received.

    The ids of their updates are kept, so that duplicates are still dropped. A private chat has the same id as the
    person. The replies in that chat are therefore deleted even if they do not refer to the person. Other people's votes
    on the person's texts are deleted too, and so are the person's label offers. Training runs, pauses, model changes
    and trials no longer record that the person requested them. The gate's records no longer quote their texts.
    """
    unit.erase_traces()
    person_id = select(PersonRow.id).where(PersonRow.telegram_id == telegram_id).scalar_subquery()
    messages = select(MessageRow.id).where(MessageRow.person_id == person_id)
    predictions = select(PredictionRow.id).where(PredictionRow.message_id.in_(messages))
    to_them = or_(
        ReplyRow.person_id == person_id, ReplyRow.chat_id == telegram_id, ReplyRow.prediction_id.in_(predictions)
    )
    later = aliased(MessageRow)
    edited = select(func.count()).where(MessageRow.person_id == person_id, later.revises == MessageRow.id)
    earlier_texts = unit.scalars(edited).one()
    _clear_admin(unit, telegram_id)
    remove_planted_words(unit, select(SnapshotRow.run_id).where(SnapshotRow.author_id == person_id))
    return ErasedRows(
        votes=unit.change(delete(VoteRow).where(VoteRow.person_id == person_id)),
        other_votes=unit.change(delete(VoteRow).where(VoteRow.prediction_id.in_(predictions))),
        replies=unit.change(delete(ReplyRow).where(to_them)),
        predictions=unit.change(delete(PredictionRow).where(PredictionRow.message_id.in_(messages))),
        messages=unit.change(delete(MessageRow).where(MessageRow.person_id == person_id)) - earlier_texts,
        consents=unit.change(delete(ConsentRow).where(ConsentRow.person_id == person_id)),
        updates=_clear_updates(unit, telegram_id),
        people=unit.change(delete(PersonRow).where(PersonRow.telegram_id == telegram_id)),
    )


def _clear_admin(unit: UnitOfWork, telegram_id: int) -> None:
    unit.change(delete(FollowerRow).where(FollowerRow.chat_id == telegram_id))
    unit.change(update(RunRow).where(RunRow.requested_by == telegram_id).values(requested_by=None))
    unit.change(update(LearningPauseRow).where(LearningPauseRow.who == telegram_id).values(who=None))
    unit.change(update(ModelChangeRow).where(ModelChangeRow.who == telegram_id).values(who=None))
    unit.change(update(TrialRow).where(TrialRow.started_by == telegram_id).values(started_by=None))
    unit.change(update(TrialRow).where(TrialRow.ended_by == telegram_id).values(ended_by=None))


def _clear_updates(unit: UnitOfWork, telegram_id: int) -> int:
    from_person = UpdateRow.telegram_id == telegram_id
    erased = {"state": UpdateState.ERASED, "finished_at": utc_now()}
    unit.change(update(UpdateRow).where(from_person, UpdateRow.state == UpdateState.RECEIVED).values(erased))
    return unit.change(update(UpdateRow).where(from_person).values(telegram_id=None, payload=None, reason=None))
