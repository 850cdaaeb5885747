"""Deletes a person and everything that they wrote."""

from dataclasses import dataclass

from sqlalchemy import delete, or_, select, update

from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.states import UpdateState
from storage.db.tables import (
    ConsentRow,
    FollowerRow,
    MessageRow,
    ModelChangeRow,
    PersonRow,
    PredictionRow,
    ReplyRow,
    RunRow,
    UpdateRow,
    VoteRow,
)


@dataclass(frozen=True, slots=True)
class ErasedRows:
    """How many rows of each kind went; ``updates`` lost their content and keep their ids."""

    people: int
    consents: int
    messages: int
    predictions: int
    votes: int
    replies: int
    updates: int


def erase(unit: UnitOfWork, telegram_id: int) -> ErasedRows:
    """Delete everything that came from, or went to, the person with this Telegram id, and the person.

    Of their updates the ids stay, bare, so that a second copy of one is still dropped. A private chat has the
    person's own id as its chat id, so replies in it go even when they name no person. Judgements of other people
    on the person's texts go with the texts, and offers to label go with the person. Training runs and changes of the
    model forget that they were theirs.
    """
    person_id = select(PersonRow.id).where(PersonRow.telegram_id == telegram_id).scalar_subquery()
    messages = select(MessageRow.id).where(MessageRow.person_id == person_id)
    predictions = select(PredictionRow.id).where(PredictionRow.message_id.in_(messages))
    on_their_texts = VoteRow.prediction_id.in_(predictions)
    to_them = or_(
        ReplyRow.person_id == person_id, ReplyRow.chat_id == telegram_id, ReplyRow.prediction_id.in_(predictions)
    )
    _forget_admin(unit, telegram_id)
    return ErasedRows(
        votes=unit.change(delete(VoteRow).where(or_(VoteRow.person_id == person_id, on_their_texts))),
        replies=unit.change(delete(ReplyRow).where(to_them)),
        predictions=unit.change(delete(PredictionRow).where(PredictionRow.message_id.in_(messages))),
        messages=unit.change(delete(MessageRow).where(MessageRow.person_id == person_id)),
        consents=unit.change(delete(ConsentRow).where(ConsentRow.person_id == person_id)),
        updates=_empty_updates(unit, telegram_id),
        people=unit.change(delete(PersonRow).where(PersonRow.telegram_id == telegram_id)),
    )


def _forget_admin(unit: UnitOfWork, telegram_id: int) -> None:
    unit.change(delete(FollowerRow).where(FollowerRow.chat_id == telegram_id))
    unit.change(update(RunRow).where(RunRow.requested_by == telegram_id).values(requested_by=None))
    unit.change(update(ModelChangeRow).where(ModelChangeRow.who == telegram_id).values(who=None))


def _empty_updates(unit: UnitOfWork, telegram_id: int) -> int:
    theirs = UpdateRow.telegram_id == telegram_id
    erased = {"state": UpdateState.ERASED, "finished_at": utc_now()}
    unit.change(update(UpdateRow).where(theirs, UpdateRow.state == UpdateState.RECEIVED).values(erased))
    return unit.change(update(UpdateRow).where(theirs).values(telegram_id=None, payload=None, reason=None))
