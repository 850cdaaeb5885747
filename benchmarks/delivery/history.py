"""The history of a segment: the texts that people sent, the calls on the wire, and the rows in the bot's database."""

import json
from dataclasses import dataclass
from typing import Any, Final

from ml.text.labels import LABELS
from playground.wire import JsonObject
from storage.db.states import ReplyState

OPEN_REPLIES: Final = (ReplyState.PENDING, ReplyState.SENDING)
"""States of replies that haven't been sent yet."""


@dataclass(frozen=True, slots=True)
class SentText:
    """A text that the wire queued for the bot. Message ids increase within a chat."""

    chat_id: int
    message_id: int


@dataclass(frozen=True, slots=True)
class WireCall:
    """A call to sendMessage. Calls are numbered in the order in which the wire executed them.

    ``answers`` is the message that the call replies to. ``arrived`` is True if the person sees the message. ``fault``
    is the wire fault during the call.
    """

    number: int
    chat_id: int
    answers: int | None
    arrived: bool
    has_verdict: bool
    fault: str | None

    @property
    def text(self) -> SentText | None:
        """The text that the message replies to, or None if it is not a reply to a text."""
        return None if self.answers is None else SentText(self.chat_id, self.answers)

    @classmethod
    def parse(cls, entry: JsonObject) -> "WireCall | None":
        """Return a call from the playground's log, or None for a method other than sendMessage."""
        if entry["method"] != "sendMessage":
            return None
        params = entry["params"]
        # The wire does not parse the parameters of refused calls.
        reply = _parsed(params.get("reply_parameters")) or {}
        return cls(
            number=entry["seq"],
            chat_id=int(params["chat_id"]),
            answers=reply.get("message_id"),
            arrived=entry["ok"],
            has_verdict=any(label in params["text"] for label in LABELS),
            fault=entry.get("fault"),
        )


@dataclass(frozen=True, slots=True)
class StoredReply:
    """A reply in the bot's database."""

    chat_id: int
    answers: int | None
    state: ReplyState

    @property
    def text(self) -> SentText | None:
        """The text that this is a reply to, or None if there is no such text."""
        return None if self.answers is None else SentText(self.chat_id, self.answers)


@dataclass(frozen=True, slots=True)
class History:
    """The history of one segment. For a bot without a database, the history contains no replies and no updates."""

    texts: tuple[SentText, ...]
    calls: tuple[WireCall, ...]
    replies: tuple[StoredReply, ...] = ()
    open_updates: int = 0
    """Updates in the database that are neither handled nor set aside."""


def _parsed(value: object) -> dict[str, Any] | None:
    if isinstance(value, str):
        value = json.loads(value)
    return value if isinstance(value, dict) else None
