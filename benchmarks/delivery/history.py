"""The history of a segment: the texts that people sent, the calls on the wire, and the rows in the bot's database."""

import json
from dataclasses import dataclass
from typing import Any, Final

from ml.text.labels import LABELS
from playground.wire import JsonObject
from storage.db.states import ReplyState

OPEN_REPLIES: Final = (ReplyState.PENDING, ReplyState.SENDING)
"""States of replies that are still to be sent."""


@dataclass(frozen=True, slots=True)
class SentText:
    """A text that the wire accepted for the bot's queue; the ids of a chat's messages ascend."""

    chat_id: int
    message_id: int


@dataclass(frozen=True, slots=True)
class WireCall:
    """A call of sendMessage, numbered in the order in which the wire executed the calls.

    ``answers`` is the message that it replies to. It has ``arrived`` if the person sees the message. ``fault`` is what
    the wire did to the call.
    """

    number: int
    chat_id: int
    answers: int | None
    arrived: bool
    has_verdict: bool
    fault: str | None

    @property
    def text(self) -> SentText | None:
        """The text that the message answers, None when it answers none."""
        return None if self.answers is None else SentText(self.chat_id, self.answers)

    @classmethod
    def parse(cls, entry: JsonObject) -> "WireCall | None":
        """Return a call from the playground's log, None for a method other than sendMessage."""
        if entry["method"] != "sendMessage":
            return None
        params = entry["params"]
        # The wire does not parse the parameters of a call that it refuses.
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
        """The text that the reply answers, None when it answers none."""
        return None if self.answers is None else SentText(self.chat_id, self.answers)


@dataclass(frozen=True, slots=True)
class History:
    """One segment; a bot without a database of replies and updates has none of either."""

    texts: tuple[SentText, ...]
    calls: tuple[WireCall, ...]
    replies: tuple[StoredReply, ...] = ()
    open_updates: int = 0
    """Updates in the database that are neither handled nor set aside."""


def _parsed(value: object) -> dict[str, Any] | None:
    if isinstance(value, str):
        value = json.loads(value)
    return value if isinstance(value, dict) else None
