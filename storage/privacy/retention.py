"""Deletes data once its retention period is over."""

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
    """Number of deleted rows. A message's predictions, votes and replies are deleted with it."""

    messages: int
    updates: int
    replies: int


def purge(unit: UnitOfWork, now: datetime, message_days: int, inbox_days: int) -> PurgedRows:
    """Delete everything that is older than its retention period.

    Messages are deleted, with everything that refers to them, ``message_days`` after they were stored. A message that
    has a vote and an author who currently consents is kept, because it may be used for training. Votes by people who
    withdrew consent are deleted ``message_days`` after they were given, because they cannot be used for training.

    Handled and failed updates are deleted ``inbox_days`` after they were finished, except each bot's update with the
    highest id, which shows how far the bot has read. Pending updates are kept. Sent, uncertain and failed replies are
    deleted ``inbox_days`` after they reached that state. All other replies are kept.

    People and their consent ledger are kept until they ask to be deleted.
    """
    unit.erase_traces()
    messages_before = now - timedelta(days=message_days)
    inbox_before = now - timedelta(days=inbox_days)
    withdrawn = VoteRow.person_id.in_(withdrawn_people())
    unit.change(delete(VoteRow).where(VoteRow.created_at < messages_before, withdrawn))
    return PurgedRows(
        messages=unit.change(delete(MessageRow).where(MessageRow.created_at < messages_before, ~_may_train())),
        updates=unit.change(delete(UpdateRow).where(_expired_update(inbox_before))),
        replies=unit.change(delete(ReplyRow).where(_expired_reply(inbox_before))),
    )


def _may_train() -> ColumnElement[bool]:
    has_vote = (
        select(VoteRow.id)
        .join(PredictionRow, PredictionRow.id == VoteRow.prediction_id)
        .where(PredictionRow.message_id == MessageRow.id)
        .correlate(MessageRow)
        .exists()
    )
    return has_vote & MessageRow.person_id.in_(consenting_people())


def _expired_update(before: datetime) -> ColumnElement[bool]:
    other = aliased(UpdateRow)
    newest = (
        select(func.max(other.update_id)).where(other.bot_id == UpdateRow.bot_id).correlate(UpdateRow).scalar_subquery()
    )
    finished = (UpdateRow.state != UpdateState.RECEIVED) & (UpdateRow.finished_at < before)
    return finished & (UpdateRow.update_id < newest)


def _expired_reply(before: datetime) -> ColumnElement[bool]:
    final = [ReplyState.SENT, ReplyState.UNCERTAIN, ReplyState.FAILED]
    return ReplyRow.state.in_(final) & (ReplyRow.changed_at < before)
