"""Replies that are owed: composed here, committed with the work that causes them, sent by the outbox."""

from dataclasses import dataclass

from bot.buttons import Keyboard
from bot.texts import Texts, texts_for
from storage.chat import inbox, messages, outbox, people
from storage.chat.messages import MessagePart
from storage.chat.outbox import Draft
from storage.chat.people import Person
from storage.db.database import UnitOfWork


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote, as Telegram names them."""

    telegram_id: int
    name: str
    language: str | None

    @property
    def texts(self) -> Texts:
        """The bot's sentences in the sender's language."""
        return texts_for(self.language)

    def upsert(self, unit: UnitOfWork) -> Person:
        """The person that this is in the database, who is entered or brought up to date."""
        return people.upsert_person(unit, self.telegram_id, self.name, self.language)


@dataclass(frozen=True, slots=True)
class Incoming:
    """The updates that one piece of work answers, and who sent them from where."""

    bot_id: int
    update_ids: tuple[int, ...]
    chat_id: int
    sender: Sender

    @property
    def texts(self) -> Texts:
        """The bot's sentences in the sender's language."""
        return self.sender.texts

    def finish(self, unit: UnitOfWork) -> None:
        """Mark the updates as handled, in the unit of work that holds what came of them."""
        for update_id in self.update_ids:
            inbox.finish(unit, self.bot_id, update_id)


@dataclass(frozen=True, slots=True)
class MessageContent:
    """What a message shows: HTML, buttons under it, and the prediction and person that it is about."""

    text: str
    keyboard: Keyboard | None = None
    prediction_id: int | None = None
    person_id: int | None = None

    def draft(
        self, received: Incoming, answers: int | None = None, changes: int | None = None, revises: int | None = None
    ) -> Draft:
        """Draft the message for the chat that the updates came from; see ``Draft`` for the rest."""
        payload = {"text": self.text, "parse_mode": "HTML"}
        return Draft(
            bot_id=received.bot_id,
            chat_id=received.chat_id,
            payload=payload if self.keyboard is None else {**payload, "reply_markup": self.keyboard},
            person_id=self.person_id,
            prediction_id=self.prediction_id,
            answers=answers,
            edits=changes,
            revises=revises,
        )


def send(unit: UnitOfWork, received: Incoming, shown: MessageContent) -> None:
    """Owe a new message."""
    outbox.enqueue(unit, shown.draft(received))


def edit(unit: UnitOfWork, received: Incoming, telegram_message_id: int, shown: MessageContent) -> None:
    """Owe a change of one of the bot's messages."""
    outbox.enqueue(unit, shown.draft(received, changes=telegram_message_id))


def reply(unit: UnitOfWork, received: Incoming, answers: int, shown: MessageContent) -> None:
    """Owe a change of the message that answers the person's message ``answers``, or a new one where there is none."""
    earlier = outbox.answer_to(unit, received.bot_id, received.chat_id, answers)
    outbox.enqueue(unit, shown.draft(received, answers=answers, revises=earlier))


@dataclass(frozen=True, slots=True)
class Tap:
    """A tap on a button, and the message that it stands under."""

    incoming: Incoming
    telegram_message_id: int


@dataclass(frozen=True, slots=True)
class IncomingText:
    """A text that a person sent: one part, or several that their app split it into."""

    incoming: Incoming
    parts: tuple[MessagePart, ...]

    @property
    def text(self) -> str:
        """The whole text."""
        return messages.join_parts(self.parts)

    @property
    def first_message_id(self) -> int:
        """The Telegram message that an answer quotes."""
        return self.parts[0].telegram_message_id


def text_payload(text: str, keyboard: Keyboard | None) -> dict[str, object]:
    """What the outbox sends or shows: a text, with buttons under it or none."""
    payload: dict[str, object] = {"text": text, "parse_mode": "HTML"}
    return payload if keyboard is None else {**payload, "reply_markup": keyboard}


def chart_payload(text: str, keyboard: Keyboard | None, run_id: int | None) -> dict[str, object]:
    """The same as a caption; with ``run_id`` of a new photo, which is the run's chart, else of one that is there."""
    payload: dict[str, object] = {"caption": text, "parse_mode": "HTML"}
    if run_id is not None:
        payload["run_card"] = run_id
    return payload if keyboard is None else {**payload, "reply_markup": keyboard}
