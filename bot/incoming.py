"""The messages and taps that people send to the bot, in the types that the dialogs use. Free of Telegram types."""

from dataclasses import dataclass

from bot.texts import Texts, texts_for
from storage.chat import inbox, messages, people
from storage.chat.messages import MessagePart
from storage.chat.people import Person
from storage.db.database import UnitOfWork


@dataclass(frozen=True, slots=True)
class Sender:
    """The person who sent an update, as Telegram describes them."""

    telegram_id: int
    name: str
    language: str | None

    @property
    def texts(self) -> Texts:
        """The bot's texts in the sender's language."""
        return texts_for(self.language)

    def upsert(self, unit: UnitOfWork) -> Person:
        """Insert or update the sender in the database and return the row."""
        return people.upsert_person(unit, self.telegram_id, self.name, self.language)


@dataclass(frozen=True, slots=True)
class Incoming:
    """One or more updates from one sender in one chat, which are handled together."""

    bot_id: int
    update_ids: tuple[int, ...]
    chat_id: int
    sender: Sender

    @property
    def texts(self) -> Texts:
        """The bot's texts in the sender's language."""
        return self.sender.texts

    @property
    def first_update_id(self) -> int | None:
        """The update id that identifies this work in the logs, or None if the bot acts on its own."""
        return self.update_ids[0] if self.update_ids else None

    def finish(self, unit: UnitOfWork) -> None:
        """Mark the updates as handled, in the same unit of work as their effects."""
        for update_id in self.update_ids:
            inbox.finish(unit, self.bot_id, update_id)


@dataclass(frozen=True, slots=True)
class IncomingText:
    """A text that a person sent in one message, or that their app split into several."""

    incoming: Incoming
    parts: tuple[MessagePart, ...]

    @property
    def text(self) -> str:
        """The whole text."""
        return messages.join_parts(self.parts)

    @property
    def first_message_id(self) -> int:
        """The id of the first message, which the reply quotes."""
        return self.parts[0].telegram_message_id


@dataclass(frozen=True, slots=True)
class Tap:
    """A tap on a button, and the message the button is attached to."""

    incoming: Incoming
    telegram_message_id: int
