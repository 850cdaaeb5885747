"""Batches texts from many callers without a timer: while one batch runs, the next one fills up."""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Result = TypeVar("Result")


@dataclass(slots=True)
class _Request(Generic[Result]):
    text: str
    result: "Future[Result]" = field(default_factory=Future)


class Batcher(Generic[Result]):
    """A thread that runs ``classify`` on batches of at most ``max_characters`` characters.

    The limit keeps short texts from waiting behind a batch that takes seconds. A text that exceeds the limit forms a
    separate batch. If ``classify`` fails for a batch, its texts are retried one by one.
    """

    def __init__(self, classify: Callable[[Sequence[str]], Sequence[Result]], max_characters: int) -> None:
        self._classify = classify
        self._max_characters = max_characters
        self._queue: queue.SimpleQueue[_Request[Result] | None] = queue.SimpleQueue()
        self._overflow: _Request[Result] | None = None
        self._closed = False
        self._submitting = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="batcher", daemon=True)
        self._thread.start()

    def submit(self, text: str) -> "Future[Result]":
        """Enqueue ``text`` and return a future for its result or for the exception that ``classify`` raised.

        Raise RuntimeError if the batcher is closed.
        """
        request: _Request[Result] = _Request(text)
        # No text may come after the end of the queue, because its caller would wait forever.
        with self._submitting:
            if self._closed:
                raise RuntimeError("the batcher is closed")
            self._queue.put(request)
        return request.result

    def close(self) -> None:
        """Finish pending texts, then stop the thread."""
        with self._submitting:
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while batch := self._next_batch():
            pending = [request for request in batch if request.result.set_running_or_notify_cancel()]
            if pending:
                self._run_batch(pending)

    def _run_batch(self, batch: Sequence[_Request[Result]]) -> None:
        try:
            results = list(zip(batch, self._classify([request.text for request in batch]), strict=True))
        # Every exception goes to the callers. The thread must keep running for other callers.
        except Exception as error:
            if len(batch) == 1:
                batch[0].result.set_exception(error)
                return
            for request in batch:
                self._run_batch([request])
        else:
            for request, result in results:
                request.result.set_result(result)

    def _next_batch(self) -> list[_Request[Result]]:
        """Wait for a text, then return pending texts up to the limit.

        Return an empty list once the batcher is closed.
        """
        first = self._overflow or self._queue.get()
        self._overflow = None
        if first is None:
            return []
        batch, size = [first], len(first.text)
        while not self._queue.empty():
            request = self._queue.get()
            if request is None:
                self._queue.put(None)
                break
            size += len(request.text)
            if size > self._max_characters:
                self._overflow = request
                break
            batch.append(request)
        return batch
