"""Makes the Bot API call for a claimed reply: a new message, a photo, a file, or an edit."""

import json
from base64 import b64decode
from dataclasses import dataclass
from typing import Any, Final

from telegram import Bot, InlineKeyboardMarkup, ReplyParameters
from telegram.error import BadRequest

from bot.database import AsyncDatabase
from bot.sending.replies import PERSONAL_DATA, PHOTO, QUOTED_MESSAGE, REPLACEMENT_NOTE, RUN_CARD, VOTES_FILE
from bot.sending.votes_table import votes_csv
from storage.chat.outbox import Reply
from storage.privacy.personal_data import personal_data
from storage.training import runs

# Part of Telegram's error if a quote isn't an exact part of the message, because the person edited or formatted it.
_QUOTE_REFUSED: Final = "quote_text_invalid"
_DATA_FILE: Final = "mydata.json"


_ATTACHMENTS: Final = frozenset({RUN_CARD, PERSONAL_DATA, PHOTO, VOTES_FILE})


@dataclass(frozen=True, slots=True)
class Voting:
    """The quorum and the admins' Telegram ids, which determine each text's state in an exported file of votes."""

    quorum: int = 1
    admins: frozenset[int] = frozenset()


# One vote is enough, and nobody is an admin.
ANYBODY: Final = Voting()


class ReplyCalls:
    """Calls the Bot API. Charts and files are read from the database as they are sent, so no copies are kept."""

    def __init__(self, bot: Bot, database: AsyncDatabase, voting: Voting) -> None:
        self._bot = bot
        self._database = database
        self._voting = voting

    async def call(self, reply: Reply) -> int:
        """Send or edit the message, and return its id. Raise TelegramError if the call fails."""
        payload: dict[str, Any] = dict(reply.payload)
        if keyboard := payload.pop("reply_markup", None):
            payload["reply_markup"] = InlineKeyboardMarkup.de_json(keyboard, self._bot)
        note = payload.pop(REPLACEMENT_NOTE, None)
        if note is not None and reply.replaces_uncertain:
            payload["text"] = f"{payload['text']}\n\n{note}"
        answered = {} if reply.answers is None else {"message_id": reply.answers}
        quoted = payload.pop(QUOTED_MESSAGE, answered)
        if reply.telegram_message_id is not None:
            payload = {name: value for name, value in payload.items() if name not in _ATTACHMENTS}
            edit = self._bot.edit_message_caption if "caption" in payload else self._bot.edit_message_text
            await edit(chat_id=reply.chat_id, message_id=reply.telegram_message_id, **payload)
            return reply.telegram_message_id
        try:
            return await self._send(reply.chat_id, payload, quoted)
        except BadRequest as error:
            if _QUOTE_REFUSED not in str(error).lower():
                raise
        return await self._send(reply.chat_id, payload, {"message_id": quoted["message_id"]})

    async def _send(self, chat_id: int, payload: dict[str, Any], quoted: dict[str, Any]) -> int:
        """Send a new message, as a reply to the ``quoted`` message if there is one and it still exists."""
        if quoted:
            payload = {**payload, "reply_parameters": ReplyParameters(**quoted, allow_sending_without_reply=True)}
        values = {name: value for name, value in payload.items() if name not in _ATTACHMENTS}
        if (run_id := payload.get(RUN_CARD)) is not None:
            return (await self._bot.send_photo(chat_id, await self._chart(run_id), **values)).message_id
        if (photo := payload.get(PHOTO)) is not None:
            return (await self._bot.send_photo(chat_id, b64decode(photo), **values)).message_id
        if (file := payload.get(VOTES_FILE)) is not None:
            voting = self._voting
            votes = await self._database.read(lambda unit: votes_csv(unit, voting.quorum, voting.admins))
            return (await self._bot.send_document(chat_id, votes, filename=file, **values)).message_id
        if payload.get(PERSONAL_DATA):
            data = await self._personal_data(chat_id)
            return (await self._bot.send_document(chat_id, data, filename=_DATA_FILE, **values)).message_id
        return (await self._bot.send_message(chat_id, **values)).message_id

    async def _chart(self, run_id: int) -> bytes:
        """Read a run's chart. Raise BadRequest, so that the reply isn't retried, if the run has no chart."""
        chart = await self._database.read(lambda unit: runs.chart_of(unit, run_id))
        if chart is None:
            raise BadRequest(f"run {run_id} has no chart")
        return chart

    async def _personal_data(self, telegram_id: int) -> bytes:
        """Return everything about the person in this private chat as JSON."""
        data = await self._database.read(lambda unit: personal_data(unit, telegram_id))
        return json.dumps(data, ensure_ascii=False, indent=2).encode()
