"""Chats and their current messages. Chats survive a restart, and message ids are never reused."""

from collections.abc import Callable
from dataclasses import dataclass, field

from playground.state.ids import Counters, message_counter
from playground.state.message import Message
from playground.state.message_store import MessageStore
from playground.state.people import User
from playground.wire import JsonObject, bad_request

TYPING_SECONDS = 5.0


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

    def put(self, message: Message) -> None:
        """Add ``message``, or replace the message with the same id."""
        is_new = message.message_id not in self.messages
        self.messages[message.message_id] = message
        self.version += 1
        if is_new:
            self._change_keyboard(message)

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

    def __init__(self, counters: Counters, find_person: Callable[[int], User], store: MessageStore) -> None:
        self._counters = counters
        self._find_person = find_person
        self._store = store
        self._chats: dict[int, Chat] = {}
        for chat_id, message in store.load():
            self.open(chat_id).put(message)

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

    def put(self, chat: Chat, message: Message) -> None:
        """Add ``message`` to ``chat``, or replace the message with the same id."""
        chat.put(message)
        self._store.put(chat.id, message)

    def remove(self, chat: Chat, message_id: int) -> None:
        """Delete a message and its reply keyboard, or raise KeyError if the message does not exist."""
        chat.remove(message_id)
        self._store.remove(chat.id, message_id)

    def clear(self) -> None:
        """Delete all messages, but keep the chats."""
        self._store.clear()
        for chat in self._chats.values():
            chat.messages.clear()
            chat.reply_keyboard = None
            chat.typing_until = 0.0
            chat.version += 1

    def close(self) -> None:
        """Close the file that stores the messages."""
        self._store.close()
