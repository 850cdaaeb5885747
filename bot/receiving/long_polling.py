"""Fetches updates as JSON by long polling, and confirms them to Telegram once the inbox has stored them.

PTB parses a whole batch at once, so one update that it cannot parse would hide all others. To avoid this, PTB only gets
an envelope for each update.
"""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from telegram import Bot
from telegram.error import InvalidToken, TelegramError
from telegram.request import HTTPXRequest

from bot.connection.contact import TelegramContact
from bot.connection.retries import until_answered
from bot.receiving.inbox import Inbox
from bot.receiving.raw_update import is_id, read_response
from core.outages import Outage

# Number of seconds that Telegram holds a poll open if there are no updates.
_POLL_TIMEOUT: Final = 10
# Seconds to wait if a poll returned immediately without any usable update.
_IDLE_PAUSE: Final = 1.0
# The field in an envelope for the update's JSON, and the envelope's id if the update has no usable id.
_PAYLOAD: Final = "payload"
_NO_ID: Final = -1


class UpdateRequest(HTTPXRequest):
    """Requests getUpdates for PTB, and wraps each update in an envelope that PTB can always parse."""

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Return the response with envelopes as its result. Raise TelegramError if the response isn't a JSON object."""
        try:
            response = read_response(payload)
        except (ValueError, RecursionError):
            response = None
        if not isinstance(response, dict):
            raise TelegramError("the response is not a JSON object")
        result = response.get("result")
        return {**response, "result": [_envelope(update) for update in result] if isinstance(result, list) else []}


class LongPolling:
    """Passes updates to the inbox until cancelled. The bot must send getUpdates with UpdateRequest."""

    def __init__(self, bot: Bot, inbox: Inbox, kinds: Sequence[str], contact: TelegramContact) -> None:
        self._bot = bot
        self._inbox = inbox
        self._kinds = kinds
        self._contact = contact
        self._offset: int | None = None
        self._confirmed: int | None = None
        self._outage = Outage("Long polling")

    async def run(self) -> None:
        """Receive updates until cancelled. Raise InvalidToken if Telegram refuses the token."""
        while True:
            await until_answered(self._poll, self._outage, (InvalidToken,))

    async def confirm(self) -> None:
        """Confirm updates stored since the last poll, so that Telegram doesn't send them again after a restart."""
        if self._offset != self._confirmed:
            with suppress(TelegramError):
                await self._bot.get_updates(self._offset, limit=1, timeout=0, allowed_updates=self._kinds)

    async def _poll(self) -> None:
        """Fetch and store one batch. The request confirms the previous batch."""
        loop = asyncio.get_running_loop()
        offset, started = self._offset, loop.time()
        envelopes = await self._bot.get_updates(offset, timeout=_POLL_TIMEOUT, allowed_updates=self._kinds)
        self._confirmed = offset
        self._contact.heard()
        for envelope in envelopes:
            await self._inbox.receive(envelope.api_kwargs[_PAYLOAD])
            if envelope.update_id != _NO_ID:
                self._offset = envelope.update_id + 1
        if self._offset == offset and loop.time() - started < _IDLE_PAUSE:
            await asyncio.sleep(_IDLE_PAUSE)


def _envelope(update: object) -> dict[str, Any]:
    update_id = update.get("update_id") if isinstance(update, dict) else None
    return {"update_id": update_id if is_id(update_id) else _NO_ID, _PAYLOAD: json.dumps(update)}
