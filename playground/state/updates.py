"""Pending updates and the long poll that fetches them.

Updates are kept in a file, one per line, until the bot confirms them. A restart loses only updates that the
``out_of_order`` fault is holding back.
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
"""Maximum number of seconds between two polls before the bot is considered stopped."""


class Updates:
    """The queue of updates for the bot, in order of delivery."""

    def __init__(
        self, path: Path, counters: Counters, profile: ProfileFile, faults: Faults, changes: ChangeFeed
    ) -> None:
        self._path = path
        self._counters = counters
        self._profile = profile
        self._faults = faults
        self._changes = changes
        self._pending = read_lines(path)
        self._held_back: list[JsonObject] = []
        self._poll: asyncio.Future[None] | None = None
        self.last_poll: float | None = None

    @property
    def pending(self) -> list[JsonObject]:
        """The updates that the bot has not confirmed, oldest first."""
        return list(self._pending)

    @property
    def polling(self) -> bool:
        """Whether a getUpdates call is in progress or ended a moment ago."""
        recent = self.last_poll is not None and time.time() - self.last_poll < _POLLING_GAP_SECONDS
        return self._poll is not None or recent

    def push(self, kind: str, body: JsonObject) -> int | None:
        """Enqueue an update and return its id, or None if the bot does not want this kind of update."""
        if not self._profile.current.allows(kind):
            return None
        update_id = self._counters.next(UPDATE)
        update: JsonObject = {"update_id": update_id, kind: body}
        fault = self._faults.for_update()
        if fault is not None and fault.kind == "out_of_order":
            self._held_back.append(update)
            return update_id
        self._append([update, update] if fault is not None else [update])
        return update_id

    def confirm(self, offset: int) -> None:
        """Remove all updates with ids below ``offset``. A negative offset keeps that many of the newest updates."""
        unconfirmed = self._pending[offset:] if offset < 0 else [u for u in self._pending if u["update_id"] >= offset]
        if len(unconfirmed) != len(self._pending):
            self._replace(unconfirmed)

    def drop_first(self) -> None:
        """Remove the oldest update, which has been delivered."""
        self._replace(self._pending[1:])

    def clear(self) -> None:
        """Remove all updates."""
        self._held_back.clear()
        self._replace([])

    async def poll(self, offset: int, limit: int, seconds: int) -> list[JsonObject]:
        """Respond to getUpdates, waiting up to ``seconds`` for an update, and end any poll in progress with 409."""
        self.end_poll(
            conflict("terminated by other getUpdates request; make sure that only one bot instance is running")
        )
        self.confirm(offset)
        self.last_poll = time.time()
        if not self._pending and seconds > 0:
            await self._wait(seconds)
        return self._pending[:limit]

    def end_poll(self, reason: ApiError) -> None:
        """End the poll in progress, if any, with this error."""
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

    def _append(self, updates: list[JsonObject]) -> None:
        for update in [*updates, *self._held_back]:
            self._pending.append(update)
            append_line(self._path, update)
        self._held_back.clear()
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)
        self._changes.publish("status")

    def _replace(self, pending: list[JsonObject]) -> None:
        self._pending = pending
        write_lines(self._path, pending)
        self._changes.publish("status")
