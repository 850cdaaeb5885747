"""Gathers texts from many callers into batches without a timer: while one batch runs, the next gathers."""

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
    """A thread that answers texts with ``classify``, at most ``characters`` of text at a time.

    The bound keeps short texts from waiting behind a batch that takes seconds. A text that is longer by itself is taken
    whole, in a batch of its own. When ``classify`` fails for a batch, each of its texts is tried alone.
    """

    def __init__(self, classify: Callable[[Sequence[str]], Sequence[Result]], characters: int) -> None:
        self._classify = classify
        self._characters = characters
        self._waiting: queue.SimpleQueue[_Request[Result] | None] = queue.SimpleQueue()
        self._held: _Request[Result] | None = None
        self._thread = threading.Thread(target=self._run, name="batcher", daemon=True)
        self._thread.start()

    def submit(self, text: str) -> "Future[Result]":
        """The answer to ``text``, as a future of the thread; what ``classify`` raises for it is raised there."""
        request: _Request[Result] = _Request(text)
        self._waiting.put(request)
        return request.result

    def close(self) -> None:
        """Answer what waits, then end the thread."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        while batch := self._gather():
            wanted = [request for request in batch if request.result.set_running_or_notify_cancel()]
            if wanted:
                self._answer(wanted)

    def _answer(self, batch: Sequence[_Request[Result]]) -> None:
        try:
            answers = list(zip(batch, self._classify([request.text for request in batch]), strict=True))
        # Whatever went wrong belongs to the callers; the thread must go on for the others.
        except Exception as error:
            if len(batch) == 1:
                batch[0].result.set_exception(error)
                return
            for request in batch:
                self._answer([request])
        else:
            for request, answer in answers:
                request.result.set_result(answer)

    def _gather(self) -> list[_Request[Result]]:
        """What waits, up to the bound; blocks for the first, and is empty once the batcher closes."""
        first = self._held or self._waiting.get()
        self._held = None
        if first is None:
            return []
        batch, size = [first], len(first.text)
        while not self._waiting.empty():
            request = self._waiting.get()
            if request is None:
                self._waiting.put(None)
                break
            size += len(request.text)
            if size > self._characters:
                self._held = request
                break
            batch.append(request)
        return batch
