"""Chats and their current messages, in memory. Message ids are not reused after a restart."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from playground.state.ids import Counters, message_counter
from playground.state.people import User
from playground.text.entities import FormattedText
from playground.wire import JsonObject, bad_request

TYPING_SECONDS = 5.0


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


@dataclass(slots=True)
class Chat:
    """The private chat with ``person``. ``version`` increases with every change that the person can see."""

    person: User
    messages: dict[int, Message] = field(default_factory=dict)
    version: int = 0
    typing_until: float = 0.0
    reply_keyboard: JsonObject | None = None
    """The ReplyKeyboardMarkup or ForceReply that the person sees, with the ``message_id`` of its message."""

    @property
    def id(self) -> int:
        """The chat's id, which is the person's id."""
        return self.person.id

    def to_api(self) -> JsonObject:
        """Return the chat as Telegram's Chat."""
        chat: JsonObject = {"id": self.id, "type": "private", "first_name": self.person.first_name}
        if self.person.username is not None:
            chat["username"] = self.person.username
        return chat

    def put(self, message: Message) -> Message:
        """Add ``message``, or replace the message with the same id."""
        is_new = message.message_id not in self.messages
        self.messages[message.message_id] = message
        self.version += 1
        if is_new:
            self._change_keyboard(message)
        return message

    def _change_keyboard(self, message: Message) -> None:
        """Show a new message's keyboard, or hide a keyboard that is meant for a single use."""
        new, old = message.reply_keyboard, self.reply_keyboard or {}
        if new is not None:
            self.reply_keyboard = None if "remove_keyboard" in new else {**new, "message_id": message.message_id}
        elif not message.sender.is_bot and (old.get("one_time_keyboard") or "force_reply" in old):
            self.reply_keyboard = None

    def remove(self, message_id: int) -> None:
        """Delete a message and its reply keyboard, or raise KeyError if the message does not exist."""
        del self.messages[message_id]
        self.version += 1
        if (self.reply_keyboard or {}).get("message_id") == message_id:
            self.reply_keyboard = None


class Chats:
    """All chats, by id. A chat exists once the person has written something, even in an earlier run."""

    def __init__(self, counters: Counters, find_person: Callable[[int], User]) -> None:
        self._counters = counters
        self._find_person = find_person
        self._chats: dict[int, Chat] = {}

    def find(self, chat_id: int | str) -> Chat:
        """Return the chat, or raise ApiError if nobody with this id has written to the bot."""
        if isinstance(chat_id, int) and self._counters.started(message_counter(chat_id)):
            return self.open(chat_id)
        raise bad_request("chat not found")

    def open(self, user_id: int) -> Chat:
        """Return this person's private chat, and create it if needed."""
        if user_id not in self._chats:
            self._chats[user_id] = Chat(self._find_person(user_id))
        return self._chats[user_id]

    def next_message_id(self, chat: Chat) -> int:
        """Return a message id that has never been used in ``chat``."""
        return self._counters.next(message_counter(chat.id))

    def clear(self) -> None:
        """Delete all messages, but keep the chats."""
        for chat in self._chats.values():
            chat.messages.clear()
            chat.reply_keyboard = None
            chat.typing_until = 0.0
            chat.version += 1
