"""One person's private chat with a bot in the playground."""

from dataclasses import dataclass
from typing import Any

from bot_api import bot_api_errors

from playground.client import PlaygroundClient

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PrivateChat:
    """A person who writes, taps and waits for the bot's messages."""

    client: PlaygroundClient
    person: int

    def write(self, text: str, then: str) -> Message:
        """Send a text, and wait for a later message from the bot that contains ``then``."""
        return self.wait_for(then, after=self.client.message(text, user_id=self.person))

    def wait_for(self, text: str, after: Message) -> Message:
        """Wait until the bot's newest message comes after ``after`` and contains ``text``, and return the message."""

        def found(chat: Message) -> Message | None:
            newest = next((message for message in reversed(chat["messages"]) if message["from_bot"]), None)
            if newest is None or newest["message_id"] <= after["message_id"]:
                return None
            return newest if text in newest.get("text", newest.get("caption", "")) else None

        answer = found(self.client.wait_for_chat(lambda chat: found(chat) is not None, chat_id=self.person))
        assert answer is not None
        return answer

    def tap(self, message: Message, button: str, then: str) -> Message:
        """Tap a button, and wait until the same message contains ``then``."""
        self.client.tap(message["message_id"], button, user_id=self.person)

        def found(chat: Message) -> Message | None:
            same = (shown for shown in chat["messages"] if shown["message_id"] == message["message_id"])
            return next((shown for shown in same if then in shown["text"]), None)

        changed = found(self.client.wait_for_chat(lambda chat: found(chat) is not None, chat_id=self.person))
        assert changed is not None
        return changed

    def replies(self) -> list[Message]:
        """Return the bot's messages, oldest first."""
        return [message for message in self.client.chat(self.person)["messages"] if message["from_bot"]]


def refused_calls(client: PlaygroundClient) -> list[str]:
    """Return a sentence for each of the bot's calls that was rejected or doesn't conform to the Bot API."""
    calls = client.outbox()
    refused = [f"{call['method']}: {call}" for call in calls if not call["ok"]]
    return refused + [fault for call in calls for fault in bot_api_errors(call["method"], call["params"])]
