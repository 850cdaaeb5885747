"""The texts that models read, with the Telegram messages that contained them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import func, select, update

from storage.db.database import UnitOfWork
from storage.db.tables import MessageAddressRow, MessagePartRow, MessageRow, PredictionRow
from storage.errors import UnknownMessage


@dataclass(frozen=True, slots=True)
class MessagePart:
    """The part of a text that one Telegram message contained."""

    telegram_message_id: int
    text: str


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A text for a model to read. ``prediction_id`` is its newest prediction, or None if it has none yet."""

    id: int
    person_id: int
    chat_id: int
    parts: tuple[MessagePart, ...]
    prediction_id: int | None

    @property
    def text(self) -> str:
        """The parts, joined by newlines."""
        return join_parts(self.parts)


def join_parts(parts: Sequence[MessagePart]) -> str:
    """Join the parts of a post, so that a model reads the whole text. Album items without a caption are empty parts."""
    return "\n".join(part.text for part in parts if part.text)


def store_message(  # noqa: PLR0913, PLR0917 - one argument for each column
    unit: UnitOfWork,
    person_id: int,
    bot_id: int,
    chat_id: int,
    parts: Sequence[MessagePart],
    revises: int | None = None,
) -> int:
    """Store a text and return its id.

    An edited text is stored as a new row, with all its parts. ``revises`` is the id of the old row. The Telegram
    messages of the old row then belong to the new one. Raise UnknownMessage if the old row was deleted, and ValueError
    if there are no parts.
    """
    if not parts:
        raise ValueError("a text needs at least one part")
    if revises is not None and unit.get(MessageRow, revises) is None:
        raise UnknownMessage(message_id=revises)
    text_hash = unit.cipher.fingerprint(join_parts(parts))
    message = MessageRow(person_id=person_id, bot_id=bot_id, chat_id=chat_id, revises=revises, text_hash=text_hash)
    unit.add(message)
    unit.flush()
    for position, part in enumerate(parts):
        row = MessagePartRow(
            message_id=message.id,
            position=position,
            telegram_message_id=part.telegram_message_id,
            text=unit.cipher.encrypt(part.text),
        )
        unit.add(row)
    unit.flush()
    unit.change(update(MessageAddressRow).where(MessageAddressRow.message_id == revises).values(message_id=message.id))
    for part in parts:
        _upsert_address(unit, message, part.telegram_message_id)
    return message.id


def get_message(unit: UnitOfWork, message_id: int) -> StoredMessage | None:
    """Return the text with this id, or None if it does not exist."""
    message = unit.get(MessageRow, message_id)
    if message is None:
        return None
    rows = unit.scalars(
        select(MessagePartRow).where(MessagePartRow.message_id == message_id).order_by(MessagePartRow.position)
    )
    parts = tuple(MessagePart(row.telegram_message_id, unit.cipher.decrypt(row.text)) for row in rows)
    newest = unit.scalar(select(func.max(PredictionRow.id)).where(PredictionRow.message_id == message_id))
    return StoredMessage(message.id, message.person_id, message.chat_id, parts, newest)


def get_texts(unit: UnitOfWork, message_ids: Collection[int]) -> dict[int, str]:
    """Return the texts that still exist, keyed by id. Pass at most a few thousand ids."""
    rows = unit.execute(
        select(MessagePartRow.message_id, MessagePartRow.telegram_message_id, MessagePartRow.text)
        .where(MessagePartRow.message_id.in_(message_ids))
        .order_by(MessagePartRow.message_id, MessagePartRow.position)
    )
    return {
        message_id: join_parts(
            [MessagePart(part.telegram_message_id, unit.cipher.decrypt(part.text)) for part in parts]
        )
        for message_id, parts in groupby(rows, key=lambda row: row.message_id)
    }


def find_by_part(unit: UnitOfWork, bot_id: int, chat_id: int, telegram_message_id: int) -> StoredMessage | None:
    """Return the newest revision of the text in this Telegram message, or None if the message is unknown."""
    address = unit.get(MessageAddressRow, (bot_id, chat_id, telegram_message_id))
    return get_message(unit, address.message_id) if address else None


def _upsert_address(unit: UnitOfWork, message: MessageRow, telegram_message_id: int) -> None:
    key = {"bot_id": message.bot_id, "chat_id": message.chat_id, "telegram_message_id": telegram_message_id}
    unit.execute(
        unit.insert(MessageAddressRow)
        .values(**key, message_id=message.id)
        .on_conflict_do_update(index_elements=list(key), set_={"message_id": message.id})
    )
