"""Simulates people who write while a model is trained and swapped in, and records the replies."""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from benchmarks.common.replies import REPLY_TIMEOUT, waiting_quantiles
from benchmarks.learning.people import TEXTS, is_reply_to
from bot.texts import fill
from playground.client import PlaygroundClient
from playground.wire import JsonObject

# Seconds after which a reply is late.
LATE_AFTER: Final = 5.0
# Seconds to wait between a reply and the person's next sentence.
_PAUSE: Final = 1.0
# Matches the model version in a reply with a prediction.
_VERSION_PATTERN: Final = re.compile(re.sub("<[^>]*>", "", fill(TEXTS.version, version=r"(\S+)")))


@dataclass(frozen=True, slots=True)
class SentenceRoundTrip:
    """A sentence and its reply, with the ``time.time()`` timestamp of each.

    ``replied_at`` is None if there is no reply.

    ``version`` is None if the reply contains no prediction.
    """

    message_id: int
    sent_at: float
    replied_at: float | None
    version: str | None


@dataclass(frozen=True, slots=True)
class BackgroundLoad:
    """Figures about the replies during a run. ``seconds_to_reply`` holds quantiles."""

    people: int
    sentences: int
    answered: int
    late: int
    doubled: int
    stale: int
    """Number of sentences that the old model answered even though they were sent after the new model's first reply."""
    versions: dict[str, int]
    seconds_to_reply: dict[str, float]


class BackgroundPerson:
    """A person who writes sentences. A separate thread runs ``write_until_stopped``."""

    def __init__(self, client: PlaygroundClient, number: int, texts: Iterable[str]) -> None:
        self.round_trips: list[SentenceRoundTrip] = []
        self._client = client
        self._id = number
        self._texts = texts
        self._stop = threading.Event()

    def write_until_stopped(self) -> None:
        """Write sentences until stopped, and wait for each reply. Raise RuntimeError if the sentences run out."""
        for text in self._texts:
            self.round_trips.append(self._send(text))
            if self._stop.wait(_PAUSE):
                return
        raise RuntimeError("the background sentences ran out before the end of the run")

    def stop(self) -> None:
        """Stop writing after the current sentence."""
        self._stop.set()

    def count_doubled(self) -> int:
        """Return the number of sentences in the chat with more than one reply."""
        chat = self._client.chat(self._id)
        return sum(sum(is_reply_to(seen, one.message_id) for seen in chat["messages"]) > 1 for one in self.round_trips)

    def _send(self, text: str) -> SentenceRoundTrip:
        sent_at = time.time()
        message_id = self._client.message(text, user_id=self._id)["message_id"]

        def found(chat: JsonObject) -> list[JsonObject]:
            return [message for message in chat["messages"] if is_reply_to(message, message_id)]

        try:
            chat = self._client.wait_for_chat(lambda seen: bool(found(seen)), chat_id=self._id, seconds=REPLY_TIMEOUT)
        except TimeoutError:
            return SentenceRoundTrip(message_id, sent_at, None, None)
        version = _VERSION_PATTERN.search(found(chat)[0]["text"])
        return SentenceRoundTrip(message_id, sent_at, time.time(), version[1] if version else None)


@contextmanager
def background_people(
    client: PlaygroundClient, numbers: Sequence[int], texts: Sequence[str]
) -> Iterator[list[BackgroundPerson]]:
    """Let people write different sentences during the block.

    If writing fails, raise the error at the end of the block.
    """
    people = [BackgroundPerson(client, number, texts[place :: len(numbers)]) for place, number in enumerate(numbers)]
    with ThreadPoolExecutor(len(people)) as threads, ExitStack() as stops:
        jobs: list[Future[None]] = []
        for person in people:
            stops.callback(person.stop)
            jobs.append(threads.submit(person.write_until_stopped))
        yield people
        stops.close()
        for job in jobs:
            job.result()


def wait_for_first_reply(people: Sequence[BackgroundPerson], version: str) -> float:
    """Wait for a version's first reply and return its ``time.time()`` timestamp.

    Raise TimeoutError if no reply arrives.
    """

    def reply_times() -> list[float]:
        return [
            one.replied_at for one in _all_round_trips(people) if one.version == version and one.replied_at is not None
        ]

    _wait_until(lambda: bool(reply_times()), f"version {version} sent no reply")
    return min(reply_times())


def wait_for_replies(people: Sequence[BackgroundPerson], count: int) -> None:
    """Wait for ``count`` more replies. Raise TimeoutError if they do not arrive."""
    enough = len(_all_round_trips(people)) + count
    _wait_until(lambda: len(_all_round_trips(people)) >= enough, f"fewer than {count} more replies came")


def summarise(people: Sequence[BackgroundPerson], new: str | None, since: float | None) -> BackgroundLoad:
    """Return figures about all replies. ``new`` is the version that went live at ``since``, or None."""
    round_trips = _all_round_trips(people)
    seconds = [one.replied_at - one.sent_at for one in round_trips if one.replied_at is not None]
    return BackgroundLoad(
        people=len(people),
        sentences=len(round_trips),
        answered=len(seconds),
        late=sum(wait > LATE_AFTER for wait in seconds),
        doubled=sum(person.count_doubled() for person in people),
        stale=sum(since is not None and one.sent_at > since and one.version not in (new, None) for one in round_trips),
        versions=dict(Counter(one.version for one in round_trips if one.version is not None)),
        seconds_to_reply=waiting_quantiles(seconds),
    )


def _all_round_trips(people: Sequence[BackgroundPerson]) -> list[SentenceRoundTrip]:
    return [one for person in people for one in list(person.round_trips)]


def _wait_until(condition: Callable[[], bool], timeout_message: str) -> None:
    deadline = time.monotonic() + REPLY_TIMEOUT
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(timeout_message)
        time.sleep(_PAUSE / 10)
