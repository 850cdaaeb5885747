"""The updates that a process has taken on, with a limit above which no more are taken on."""

import asyncio
from collections.abc import Iterable
from typing import Final

# Maximum number of updates in memory. Telegram keeps the others until there is room, so a flood cannot fill the memory.
MAX_IN_PROGRESS: Final = 1000


class InProgress:
    """The ids of the updates that are being handled or wait for their turn."""

    def __init__(self) -> None:
        self.ids: set[int] = set()
        self._has_room = asyncio.Event()
        self._has_room.set()

    def add(self, update_id: int) -> None:
        """Take on an update."""
        self.ids.add(update_id)
        self._check_room()

    def remove(self, update_ids: Iterable[int]) -> None:
        """Forget updates that were handled, or whose handling failed."""
        self.ids.difference_update(update_ids)
        self._check_room()

    async def wait_for_room(self) -> None:
        """Wait until another update may be taken on."""
        await self._has_room.wait()

    def _check_room(self) -> None:
        if len(self.ids) < MAX_IN_PROGRESS:
            self._has_room.set()
        else:
            self._has_room.clear()
