"""Word of every change: to whoever follows all of them, and to whoever waits until something has come about."""

import asyncio
from collections.abc import AsyncIterator, Callable

from playground.wire import JsonObject

_KEPT_FOR_A_SLOW_FOLLOWER = 10_000


class ChangeFeed:
    """One event loop's notice board."""

    def __init__(self) -> None:
        self._next = asyncio.Event()
        self._followers: set[asyncio.Queue[JsonObject | None]] = set()
        self._closed = False

    def publish(self, kind: str, **facts: object) -> None:
        """Announce a change; ``kind`` becomes its ``type``."""
        event = {"type": kind, **facts}
        for queue in list(self._followers):
            if queue.full():
                # It has stopped reading; its page asks for everything again when it connects anew.
                self._followers.discard(queue)
            else:
                queue.put_nowait(event)
        self._wake()

    async def until(self, come_about: Callable[[], bool], seconds: float) -> bool:
        """Wait until ``come_about()``, for ``seconds`` or until the board closes; returns what it is then."""
        try:
            async with asyncio.timeout(seconds):
                while not (self._closed or come_about()):
                    await self._next.wait()
        except TimeoutError:
            return come_about()
        return come_about()

    async def follow(self) -> AsyncIterator[JsonObject]:
        """Every change from now on, in order, until the board closes."""
        queue: asyncio.Queue[JsonObject | None] = asyncio.Queue(_KEPT_FOR_A_SLOW_FOLLOWER)
        self._followers.add(queue)
        try:
            while (queue in self._followers or not queue.empty()) and (event := await queue.get()) is not None:
                yield event
        finally:
            self._followers.discard(queue)

    def close(self) -> None:
        """End every wait and everybody's following: the server stops."""
        self._closed = True
        for queue in self._followers:
            if not queue.full():
                queue.put_nowait(None)
        self._wake()

    def _wake(self) -> None:
        self._next.set()
        self._next = asyncio.Event()
