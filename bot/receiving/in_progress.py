"""Tracks the updates that are in this process's memory, and limits how many there are."""

import asyncio
from collections.abc import Iterable
from typing import Final

# Maximum number of updates in memory. Telegram keeps further updates until there is room, so a flood cannot fill the
# memory.
MAX_IN_PROGRESS: Final = 1000


class InProgress:
    """The ids of the updates that are being handled or are waiting for their turn."""

    def __init__(self) -> None:
        self.ids: set[int] = set()
        self._has_room = asyncio.Event()
        self._has_room.set()

    def add(self, update_id: int) -> None:
        """Add an update to those in progress."""
        self.ids.add(update_id)
        self._check_room()

    def remove(self, update_ids: Iterable[int]) -> None:
        """Remove updates that were handled or failed."""
        self.ids.difference_update(update_ids)
        self._check_room()

    async def wait_for_room(self) -> None:
        """Wait until there is room for another update."""
        await self._has_room.wait()

    def _check_room(self) -> None:
        if len(self.ids) < MAX_IN_PROGRESS:
            self._has_room.set()
        else:
            self._has_room.clear()
