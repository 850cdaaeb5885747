"""Repeats the deletions made since the backup, and sets aside work that may already have been done."""

from dataclasses import dataclass

from sqlalchemy import delete, select, update

from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.states import ReplyState, UpdateState
from storage.db.tables import InstanceRow, MessageAddressRow, PersonRow, ReplyRow, UpdateRow, WorkerRow
from storage.privacy.deletions import hash_of, hash_of_message
from storage.privacy.erasure import erase
from storage.privacy.message_erasure import erase_by_address

_REASON = "A backup was restored. The bot may have handled this after the backup was made."


@dataclass(frozen=True, slots=True)
class AfterRestore:
    """How many people and messages were deleted again, and how many updates and replies were set aside."""

    people: int
    messages: int
    updates: int
    replies: int


def settle(unit: UnitOfWork, deleted: set[bytes]) -> AfterRestore:
    """Repeat the deletion of the people and messages with these hashes, and set aside pending updates and replies.

    The bot may have handled these updates and replies after the backup, so handling them again could send a reply
    twice. An operator can list and retry them.
    """
    people = [telegram_id for telegram_id in _telegram_ids(unit) if hash_of(unit, telegram_id) in deleted]
    for telegram_id in people:
        erase(unit, telegram_id)
    messages = [place for place in _places(unit) if hash_of_message(unit, *place) in deleted]
    for place in messages:
        erase_by_address(unit, *place)
    # No bot and no worker is running yet.
    for table in (InstanceRow, WorkerRow):
        unit.change(delete(table))
    reason = unit.cipher.encrypt(_REASON)
    received = update(UpdateRow).where(UpdateRow.state == UpdateState.RECEIVED)
    unsent = update(ReplyRow).where(ReplyRow.state.in_([ReplyState.PENDING, ReplyState.SENDING]))
    return AfterRestore(
        people=len(people),
        messages=len(messages),
        updates=unit.change(received.values(state=UpdateState.FAILED, finished_at=utc_now(), reason=reason)),
        replies=unit.change(unsent.values(state=ReplyState.UNCERTAIN, changed_at=utc_now(), reason=reason)),
    )


def _telegram_ids(unit: UnitOfWork) -> set[int]:
    """Return the Telegram ids of all people, and of the senders of unhandled updates."""
    known = set(unit.scalars(select(PersonRow.telegram_id)))
    return known | set(unit.scalars(select(UpdateRow.telegram_id).where(UpdateRow.telegram_id.is_not(None)).distinct()))


def _places(unit: UnitOfWork) -> list[tuple[int, int, int]]:
    """Return the bot id, chat id and message id of every Telegram message whose text is stored."""
    place = (MessageAddressRow.bot_id, MessageAddressRow.chat_id, MessageAddressRow.telegram_message_id)
    return [(bot_id, chat_id, message_id) for bot_id, chat_id, message_id in unit.execute(select(*place))]
