"""A message in a chat."""

from dataclasses import dataclass, field, replace

from playground.state.people import User
from playground.text.entities import FormattedText
from playground.wire import JsonObject


@dataclass(frozen=True, slots=True)
class Message:
    """A message. ``body`` is its text, or the caption of its ``media`` (such as ``{"photo": [...]}``)."""

    message_id: int
    chat: JsonObject
    sender: User
    date: int
    body: FormattedText
    media: JsonObject = field(default_factory=dict)
    reply_to: "Message | None" = None
    reply_markup: JsonObject | None = None
    reply_keyboard: JsonObject | None = None
    """The message's change to the person's custom keyboard, which isn't part of Telegram's Message."""
    extras: JsonObject = field(default_factory=dict)
    edit_date: int | None = None

    def to_api(self) -> JsonObject:
        """Return the message as Telegram's Message.

        A reply includes the message that it replies to, but no earlier ones.
        """
        message: JsonObject = {
            "message_id": self.message_id,
            "from": self.sender.to_api(),
            "chat": self.chat,
            "date": self.date,
            **self.media,
            **self.extras,
        }
        if self.edit_date is not None:
            message["edit_date"] = self.edit_date
        if self.reply_to is not None:
            message["reply_to_message"] = replace(self.reply_to, reply_to=None).to_api()
        if self.body.text:
            message["caption" if self.media else "text"] = self.body.text
        if self.body.entities:
            name = "caption_entities" if self.media else "entities"
            message[name] = [entity.to_api() for entity in self.body.entities]
        if self.reply_markup is not None:
            message["reply_markup"] = self.reply_markup
        return message

    def to_json(self) -> JsonObject:
        """Return the message as a person sees it: Telegram's Message plus from_bot, edited and buttons."""
        keyboard = self.reply_markup["inline_keyboard"] if self.reply_markup else []
        shown = {"from_bot": self.sender.is_bot, "edited": self.edit_date is not None, "buttons": keyboard}
        return {**self.to_api(), **shown}
