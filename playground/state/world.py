"""Combines the parts of the server's state."""

import time
from dataclasses import dataclass
from pathlib import Path

from playground.state.call_log import CallLog
from playground.state.callbacks import Callbacks
from playground.state.change_feed import ChangeFeed
from playground.state.chats import Chat, Chats
from playground.state.faults import Faults
from playground.state.files import Files
from playground.state.ids import Counters
from playground.state.lesson import Lesson
from playground.state.lesson_progress import LessonProgress
from playground.state.message import Message
from playground.state.message_store import MessageStore
from playground.state.people import User, bot_user, find_person
from playground.state.profile import ProfileFile
from playground.state.updates import Updates
from playground.state.webhook import Webhook
from playground.wire import ApiError, JsonObject


@dataclass(slots=True)
class World:
    """The state that Bot API methods and people's actions work on."""

    token: str
    bot: User
    chats: Chats
    callbacks: Callbacks
    files: Files
    profile: ProfileFile
    updates: Updates
    webhook: Webhook
    faults: Faults
    outbox: CallLog
    changes: ChangeFeed
    lesson: LessonProgress | None = None
    resets: int = 0

    def put(self, chat: Chat, message: Message, change: str) -> Message:
        """Store and publish a new or edited message. ``change`` is "message" or "edit"."""
        keyboard = chat.reply_keyboard
        self.chats.put(chat, message)
        self.changes.publish(change, chat_id=chat.id, message=message.to_json())
        self._publish_keyboard(chat, keyboard)
        if self.lesson is not None and self.lesson.observe(chat.id, message):
            self.publish_lesson()
        return message

    def remove(self, chat: Chat, message_id: int) -> None:
        """Delete a message and publish the change, or raise KeyError if the message does not exist."""
        keyboard = chat.reply_keyboard
        self.chats.remove(chat, message_id)
        self.changes.publish("delete", chat_id=chat.id, message_id=message_id)
        self._publish_keyboard(chat, keyboard)

    def set_typing(self, chat: Chat, seconds: float) -> None:
        """Show that the bot is typing for ``seconds``, or hide the indicator if ``seconds`` is 0."""
        was_typing = chat.typing_until > time.time()
        chat.typing_until = time.time() + seconds
        if seconds or was_typing:
            chat.version += 1
            self.changes.publish("typing", chat_id=chat.id, seconds=seconds)

    def publish_lesson(self) -> None:
        """Publish the progress in the lesson."""
        self.changes.publish("lesson", lesson=self.lesson_to_json())

    def lesson_to_json(self) -> JsonObject | None:
        """Return the lesson and the progress in it, or None if there is no lesson."""
        return None if self.lesson is None else self.lesson.to_json()

    def reset(self) -> None:
        """Clear chats, calls, faults and pending updates.

        Ids are not reused, and the webhook, commands, profile texts and progress in the lesson are kept.
        """
        self.resets += 1
        self.chats.clear()
        self.callbacks.clear()
        self.faults.clear()
        self.outbox.clear()
        self.updates.clear()
        self.changes.publish("reset")

    def _publish_keyboard(self, chat: Chat, before: JsonObject | None) -> None:
        if chat.reply_keyboard != before:
            self.changes.publish("keyboard", chat_id=chat.id, reply_keyboard=chat.reply_keyboard)

    def close(self) -> None:
        """End all waits, because the server is stopping."""
        self.updates.end_poll(ApiError(502, "Bad Gateway"))
        self.changes.close()

    def status(self) -> JsonObject:
        """Return whether the bot is listening, and the number of pending updates."""
        url = self.profile.current.webhook_url or None
        bot = {"polling": self.updates.polling, "webhook": url, "last_poll": self.updates.last_poll}
        return {"bot": bot, "pending_updates": len(self.updates.pending)}


def open_world(data_dir: Path, token: str, lesson: Lesson | None = None) -> World:
    """Return the state that an earlier run left in ``data_dir``, and create the folder if needed."""
    data_dir.mkdir(parents=True, exist_ok=True)
    counters, changes, faults = Counters(data_dir / "ids.json"), ChangeFeed(), Faults()
    profile = ProfileFile(data_dir / "profile.json")
    updates = Updates(data_dir / "updates.jsonl", counters, profile, faults, changes)
    return World(
        token=token,
        bot=bot_user(token),
        chats=Chats(counters, find_person, MessageStore(data_dir / "chats.db")),
        callbacks=Callbacks(counters),
        files=Files(data_dir / "files", counters),
        profile=profile,
        updates=updates,
        webhook=Webhook(profile, updates, changes),
        faults=faults,
        outbox=CallLog(changes),
        changes=changes,
        lesson=None if lesson is None else LessonProgress(lesson, data_dir / "lesson_progress.json"),
    )
