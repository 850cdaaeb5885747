"""Updates that wait for the bot, and the long poll that fetches them.

They are kept in a file, one a line, until the bot confirms them, so a restart of the server loses none but one that
the fault ``out_of_order`` holds back.
"""

import asyncio
import time
from pathlib import Path

from playground.state.change_feed import ChangeFeed
from playground.state.faults import Faults
from playground.state.ids import UPDATE, Counters
from playground.state.json_file import append_line, read_lines, write_lines
from playground.state.profile import ProfileFile
from playground.wire import ApiError, JsonObject, conflict

_POLLING_GAP_SECONDS = 3.0
"""A bot that polls asks again at once; one that stays away longer than this has stopped."""


class Updates:
    """The queue between people and bot, in order of delivery."""

    def __init__(
        self, path: Path, counters: Counters, profile: ProfileFile, faults: Faults, changes: ChangeFeed
    ) -> None:
        self._path = path
        self._counters = counters
        self._profile = profile
        self._faults = faults
        self._changes = changes
        self._pending = read_lines(path)
        self._held: list[JsonObject] = []
        self._poll: asyncio.Future[None] | None = None
        self.last_poll: float | None = None

    @property
    def pending(self) -> list[JsonObject]:
        """What the bot has not confirmed, oldest first."""
        return list(self._pending)

    @property
    def polling(self) -> bool:
        """Whether a getUpdates is open, or one ended moments ago."""
        recent = self.last_poll is not None and time.time() - self.last_poll < _POLLING_GAP_SECONDS
        return self._poll is not None or recent

    def push(self, kind: str, body: JsonObject) -> int | None:
        """Queue an update and return its id, or None when the bot does not want this kind."""
        if not self._profile.now.allows(kind):
            return None
        update_id = self._counters.next(UPDATE)
        update: JsonObject = {"update_id": update_id, kind: body}
        fault = self._faults.for_update()
        if fault is not None and fault.kind == "out_of_order":
            self._held.append(update)
            return update_id
        self._queue([update, update] if fault is not None else [update])
        return update_id

    def confirm(self, offset: int) -> None:
        """Forget every update below ``offset``; a negative one keeps that many of the newest."""
        kept = self._pending[offset:] if offset < 0 else [u for u in self._pending if u["update_id"] >= offset]
        if len(kept) != len(self._pending):
            self._replace(kept)

    def drop_first(self) -> None:
        """Forget the oldest update, which has been delivered."""
        self._replace(self._pending[1:])

    def clear(self) -> None:
        """Forget all updates."""
        self._held.clear()
        self._replace([])

    async def poll(self, offset: int, limit: int, seconds: int) -> list[JsonObject]:
        """Answer getUpdates: waits up to ``seconds`` for the first update. Ends a poll that is open, with 409."""
        self.end_poll(
            conflict("terminated by other getUpdates request; make sure that only one bot instance is running")
        )
        self.confirm(offset)
        self.last_poll = time.time()
        if not self._pending and seconds > 0:
            await self._wait(seconds)
        return self._pending[:limit]

    def end_poll(self, reason: ApiError) -> None:
        """Let the poll that is open, if any, end with this error."""
        if self._poll is not None and not self._poll.done():
            self._poll.set_exception(reason)
            self._poll = None

    async def _wait(self, seconds: int) -> None:
        poll = self._poll = asyncio.get_running_loop().create_future()
        self._changes.publish("status")
        try:
            async with asyncio.timeout(seconds):
                await poll
        except TimeoutError:
            return
        finally:
            self.last_poll = time.time()
            if self._poll is poll:
                self._poll = None

    def _queue(self, updates: list[JsonObject]) -> None:
        for update in [*updates, *self._held]:
            self._pending.append(update)
            append_line(self._path, update)
        self._held.clear()
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)
        self._changes.publish("status")

    def _replace(self, pending: list[JsonObject]) -> None:
        self._pending = pending
        write_lines(self._path, pending)
        self._changes.publish("status")
