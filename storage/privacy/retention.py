"""How long things are kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import aliased
from sqlalchemy.sql import ColumnElement

from storage.db.database import UnitOfWork
from storage.db.states import ReplyState, UpdateState
from storage.db.tables import MessageRow, PredictionRow, ReplyRow, UpdateRow, VoteRow
from storage.privacy.consent import consenting_people, withdrawn_people


@dataclass(frozen=True, slots=True)
class PurgedRows:
    """How many rows went; a message takes its predictions, their judgements and their replies with it."""

    messages: int
    updates: int
    replies: int


def purge(unit: UnitOfWork, now: datetime, message_days: int, inbox_days: int) -> PurgedRows:
    """Delete what is older than it may be.

    - A message goes ``message_days`` after it was stored, with everything that hangs on it, unless its author's
      consent is granted now and someone judged it: then it may train a model and stays.
    - A judgement of somebody who took back their consent goes as long after it was given; it trains nothing.
    - A handled or failed update goes ``inbox_days`` after it was finished, except the newest id of each bot, which
      marks how far the bot has read. One that still waits stays.
    - A reply that is sent, uncertain or failed goes ``inbox_days`` after it became so. One that is still owed stays.

    People and their consent ledger stay until they ask to be deleted.
    """
    messages_before = now - timedelta(days=message_days)
    inbox_before = now - timedelta(days=inbox_days)
    took_back = VoteRow.person_id.in_(withdrawn_people())
    unit.change(delete(VoteRow).where(VoteRow.created_at < messages_before, took_back))
    return PurgedRows(
        messages=unit.change(delete(MessageRow).where(MessageRow.created_at < messages_before, ~_may_train())),
        updates=unit.change(delete(UpdateRow).where(_settled_update(inbox_before))),
        replies=unit.change(delete(ReplyRow).where(_settled_reply(inbox_before))),
    )


def _may_train() -> ColumnElement[bool]:
    judged = (
        select(VoteRow.id)
        .join(PredictionRow, PredictionRow.id == VoteRow.prediction_id)
        .where(PredictionRow.message_id == MessageRow.id)
        .correlate(MessageRow)
        .exists()
    )
    return judged & MessageRow.person_id.in_(consenting_people())


def _settled_update(before: datetime) -> ColumnElement[bool]:
    other = aliased(UpdateRow)
    newest = (
        select(func.max(other.update_id)).where(other.bot_id == UpdateRow.bot_id).correlate(UpdateRow).scalar_subquery()
    )
    finished = (UpdateRow.state != UpdateState.RECEIVED) & (UpdateRow.finished_at < before)
    return finished & (UpdateRow.update_id < newest)


def _settled_reply(before: datetime) -> ColumnElement[bool]:
    settled = [ReplyState.SENT, ReplyState.UNCERTAIN, ReplyState.FAILED]
    return ReplyRow.state.in_(settled) & (ReplyRow.changed_at < before)
