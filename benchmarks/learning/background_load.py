"""People who just ask: they write while a model is made and swapped, and note when each answer came and from which."""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.learning.people import PATIENCE, TEXTS, answers
from bot.texts import fill
from playground.client import PlaygroundClient
from playground.wire import JsonObject

# Seconds after which an answer is late.
LATE: Final = 5.0
# Seconds between an answer and the person's next sentence.
_PAUSE: Final = 1.0
# What stands behind a verdict: the version that made it.
_VERSION: Final = re.compile(re.sub("<[^>]*>", "", fill(TEXTS.version, version=r"(\S+)")))


@dataclass(frozen=True, slots=True)
class Exchange:
    """One sentence and its answer: when both were seen (``time.time()``), None where no answer came.

    ``version`` is None for an answer without a verdict.
    """

    message_id: int
    sent: float
    answered: float | None
    version: str | None


@dataclass(frozen=True, slots=True)
class BackgroundLoad:
    """What came back while a run was carried out; seconds are quantiles over the answers."""

    people: int
    sentences: int
    answered: int
    late: int
    doubled: int
    stale: int
    """Sentences that an older model answered, though sent after the new one had answered somebody."""
    versions: dict[str, int]
    seconds_to_reply: dict[str, float]


class Asker:
    """One person who asks; a thread of its own runs ``ask``."""

    def __init__(self, client: PlaygroundClient, number: int, texts: Iterable[str]) -> None:
        self.exchanges: list[Exchange] = []
        self._client = client
        self._id = number
        self._texts = texts
        self._stop = threading.Event()

    def ask(self) -> None:
        """Write a sentence, wait for the answer, pause, until told to stop; RuntimeError when the sentences run out."""
        for text in self._texts:
            self.exchanges.append(self._exchange(text))
            if self._stop.wait(_PAUSE):
                return
        raise RuntimeError("there are too few sentences for so long a run")

    def stop(self) -> None:
        """Write no more."""
        self._stop.set()

    def doubled(self) -> int:
        """Sentences with more than one answer in the chat now."""
        chat = self._client.chat(self._id)
        return sum(sum(answers(seen, one.message_id) for seen in chat["messages"]) > 1 for one in self.exchanges)

    def _exchange(self, text: str) -> Exchange:
        sent = time.time()
        message_id = self._client.message(text, user_id=self._id)["message_id"]

        def found(chat: JsonObject) -> list[JsonObject]:
            return [message for message in chat["messages"] if answers(message, message_id)]

        try:
            chat = self._client.wait_for_chat(lambda seen: bool(found(seen)), chat_id=self._id, seconds=PATIENCE)
        except TimeoutError:
            return Exchange(message_id, sent, None, None)
        named = _VERSION.search(found(chat)[0]["text"])
        return Exchange(message_id, sent, time.time(), named[1] if named else None)


@contextmanager
def asking(client: PlaygroundClient, numbers: Sequence[int], texts: Sequence[str]) -> Iterator[list[Asker]]:
    """People who ask while the block runs, each sentences of their own; raises what went wrong for one of them."""
    askers = [Asker(client, number, texts[place :: len(numbers)]) for place, number in enumerate(numbers)]
    with ThreadPoolExecutor(len(askers)) as threads, ExitStack() as stops:
        jobs: list[Future[None]] = []
        for asker in askers:
            stops.callback(asker.stop)
            jobs.append(threads.submit(asker.ask))
        yield askers
        stops.close()
        for job in jobs:
            job.result()


def first_answer(askers: Sequence[Asker], version: str) -> float:
    """When this version answered anybody first (``time.time()``); waits for it. Raises TimeoutError."""

    def moments() -> list[float]:
        return [one.answered for one in _all(askers) if one.version == version and one.answered is not None]

    _wait(lambda: bool(moments()), f"no answer comes from {version}")
    return min(moments())


def more_answers(askers: Sequence[Asker], count: int) -> None:
    """Wait until so many more answers came. Raises TimeoutError."""
    enough = len(_all(askers)) + count
    _wait(lambda: len(_all(askers)) >= enough, f"{count} more answers do not come")


def summed_up(askers: Sequence[Asker], new: str | None, since: float | None) -> BackgroundLoad:
    """What came back, in all; ``new`` is the version that answers from ``since`` on, None where none does."""
    exchanges = _all(askers)
    waits = [one.answered - one.sent for one in exchanges if one.answered is not None]
    late = sum(wait > LATE for wait in waits)
    return BackgroundLoad(
        people=len(askers),
        sentences=len(exchanges),
        answered=len(waits),
        late=late,
        doubled=sum(asker.doubled() for asker in askers),
        stale=sum(since is not None and one.sent > since and one.version not in (new, None) for one in exchanges),
        versions=dict(Counter(one.version for one in exchanges if one.version is not None)),
        seconds_to_reply={f"{share:.0%}": round(float(np.quantile(waits, share)), 2) for share in (0.5, 0.95, 1.0)},
    )


def _all(askers: Sequence[Asker]) -> list[Exchange]:
    return [one for asker in askers for one in list(asker.exchanges)]


def _wait(until: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not until():
        if time.monotonic() > deadline:
            raise TimeoutError(otherwise)
        time.sleep(_PAUSE / 10)
