"""Builds replies and enqueues them in the caller's unit of work."""

from base64 import b64encode
from dataclasses import dataclass, replace
from typing import Any, Final

from bot.buttons import Keyboard
from bot.incoming import Incoming
from storage.chat import outbox
from storage.chat.outbox import Draft
from storage.db.database import UnitOfWork

# The field in a stored reply for the text to append if the replaced reply is uncertain. It isn't sent to Telegram.
REPLACEMENT_NOTE: Final = "replacement_note"
# The fields in a stored reply for an attachment that is read when the reply is sent: the chart of the training run with
# this id, a file with all data about the person in the chat, or a file with this name and all votes.
RUN_CARD: Final = "run_card"
PERSONAL_DATA: Final = "personal_data"
VOTES_FILE: Final = "votes_file"
# The field in a stored reply for a photo, in base64. It shows no user's text.
PHOTO: Final = "photo"
# The field in a stored reply for the message that it refers to, in the format of Telegram's ReplyParameters.
QUOTED_MESSAGE: Final = "quoted_message"


@dataclass(frozen=True, slots=True)
class QuotedMessage:
    """A message that the bot replies to, and the exact part of it to quote, if any.

    ``position`` is the part's offset in the message, in UTF-16 code units. If Telegram rejects the quote or the message
    is gone, the bot's message is sent without the reference.
    """

    telegram_message_id: int
    part: str | None = None
    position: int = 0

    def payload(self) -> dict[str, Any]:
        """Return Telegram's ReplyParameters."""
        message = {"message_id": self.telegram_message_id}
        return message if self.part is None else {**message, "quote": self.part, "quote_position": self.position}


@dataclass(frozen=True, slots=True)
class MessageContent:
    """A message's HTML and buttons, and the prediction and the person it is about.

    ``chart_run_id`` makes the message a photo of that training run's chart, and ``photo`` makes it a photo of the given
    PNG. ``personal_data`` makes it a file of all data about the person in the chat, and ``votes_file`` makes it a file
    of all votes, with that name. The text of a photo or file is its caption. If ``quoted_message`` is given, a new
    message is sent as a reply to it.
    """

    text: str
    keyboard: Keyboard | None = None
    prediction_id: int | None = None
    person_id: int | None = None
    chart_run_id: int | None = None
    quoted_message: QuotedMessage | None = None
    personal_data: bool = False
    photo: bytes | None = None
    votes_file: str | None = None

    def payload(self) -> dict[str, Any]:
        """Return the content in the format that the outbox stores."""
        payload: dict[str, Any] = {"parse_mode": "HTML"}
        if self.chart_run_id is not None:
            payload |= {"caption": self.text, RUN_CARD: self.chart_run_id}
        elif self.personal_data:
            payload |= {"caption": self.text, PERSONAL_DATA: True}
        elif self.photo is not None:
            payload |= {"caption": self.text, PHOTO: b64encode(self.photo).decode()}
        elif self.votes_file is not None:
            payload |= {"caption": self.text, VOTES_FILE: self.votes_file}
        else:
            payload |= {"text": self.text}
        if self.quoted_message is not None:
            payload[QUOTED_MESSAGE] = self.quoted_message.payload()
        return payload if self.keyboard is None else {**payload, "reply_markup": self.keyboard}

    def draft(  # noqa: PLR0913 - one argument for each field of Draft
        self,
        bot_id: int,
        chat_id: int,
        *,
        answers: int | None = None,
        edits: int | None = None,
        revises: int | None = None,
        update_id: int | None = None,
    ) -> Draft:
        """Return a draft of the message for a chat. See ``Draft`` for the other parameters."""
        return Draft(
            bot_id=bot_id,
            chat_id=chat_id,
            payload=self.payload(),
            person_id=self.person_id,
            prediction_id=self.prediction_id,
            answers=answers,
            edits=edits,
            revises=revises,
            update_id=update_id,
        )


def send(unit: UnitOfWork, incoming: Incoming, content: MessageContent) -> int:
    """Enqueue a new message and return the id of the queued reply."""
    return outbox.enqueue(unit, content.draft(incoming.bot_id, incoming.chat_id, update_id=incoming.first_update_id))


def edit(unit: UnitOfWork, incoming: Incoming, telegram_message_id: int, content: MessageContent) -> int:
    """Enqueue an edit to one of the bot's messages and return the id of the queued reply."""
    place = (incoming.bot_id, incoming.chat_id)
    draft = content.draft(*place, edits=telegram_message_id, update_id=incoming.first_update_id)
    return outbox.enqueue(unit, draft)


def reply(unit: UnitOfWork, incoming: Incoming, answers: int, content: MessageContent) -> int:
    """Enqueue an edit to the bot's reply to the message in ``answers``, or a new reply if there isn't one.

    Return the reply's id.
    """
    earlier = outbox.answer_to(unit, incoming.bot_id, incoming.chat_id, answers)
    place = (incoming.bot_id, incoming.chat_id)
    draft = content.draft(*place, answers=answers, revises=earlier, update_id=incoming.first_update_id)
    if earlier is not None:
        # Only when the outbox sends this reply does it know whether the earlier reply can be edited.
        draft = replace(draft, payload={**draft.payload, REPLACEMENT_NOTE: incoming.texts.replaces_earlier})
    return outbox.enqueue(unit, draft)
