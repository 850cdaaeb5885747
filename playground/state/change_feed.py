"""Publishes every change to subscribers, and wakes callers that wait for a condition."""

import asyncio
from collections.abc import AsyncIterator, Callable

from playground.wire import JsonObject

_QUEUE_SIZE = 10_000


class ChangeFeed:
    """The feed of a server's changes. Use a feed only from a single event loop."""

    def __init__(self) -> None:
        self._next = asyncio.Event()
        self._subscribers: set[asyncio.Queue[JsonObject | None]] = set()
        self._closed = False

    def publish(self, kind: str, **values: object) -> None:
        """Publish a change, with ``kind`` as its ``type``."""
        event = {"type": kind, **values}
        for queue in list(self._subscribers):
            if queue.full():
                # The subscriber has stopped reading. Its page reloads everything when it reconnects.
                self._subscribers.discard(queue)
            else:
                queue.put_nowait(event)
        self._wake()

    async def wait_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until ``condition()`` is true, ``seconds`` have passed or the feed closes. Return whether it is true."""
        try:
            async with asyncio.timeout(seconds):
                while not (self._closed or condition()):
                    await self._next.wait()
        except TimeoutError:
            return condition()
        return condition()

    async def subscribe(self) -> AsyncIterator[JsonObject]:
        """Yield every new change, in order, until the feed closes."""
        queue: asyncio.Queue[JsonObject | None] = asyncio.Queue(_QUEUE_SIZE)
        self._subscribers.add(queue)
        try:
            while (queue in self._subscribers or not queue.empty()) and (event := await queue.get()) is not None:
                yield event
        finally:
            self._subscribers.discard(queue)

    def close(self) -> None:
        """End all waits and subscriptions, because the server is stopping."""
        self._closed = True
        for queue in self._subscribers:
            if not queue.full():
                queue.put_nowait(None)
        self._wake()

    def _wake(self) -> None:
        self._next.set()
        self._next = asyncio.Event()
