"""Runs one segment: people write, the bot is killed as planned, and finally the history is checked."""

import threading
import time
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final

from benchmarks.delivery.checker import Findings, check
from benchmarks.delivery.history import History
from benchmarks.delivery.people import People
from benchmarks.delivery.plan import Moment, PlannedKill, SegmentPlan
from benchmarks.delivery.subjects import Subject, Work
from benchmarks.delivery.wire import WireLog

# Seconds without any reply after which a bot counts as stalled.
_STALL_TIMEOUT: Final = 60.0
_POLL_INTERVAL: Final = 0.25
# Seconds after a kill in which the wire may still execute a call from the killed process. A start takes longer.
_LAST_CALL: Final = 0.5
# Initial estimates, in seconds, until there is a median to use.
_USUAL_RECOVERY: Final = 2.0
_USUAL_LATENCY: Final = 0.1
# Number of recent texts from which the usual latency is computed.
_LATENCY_TEXTS: Final = 50
_THIRDS: Final = {Moment.RECEIVING: 0, Moment.CLASSIFYING: 1, Moment.SENDING: 2}


class Stalled(Exception):
    """Raised when the bot has gone too long without replying to anyone."""


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill, and the bot's open work at that time, if the bot keeps a record of it."""

    number: int
    victim: str
    moment: Moment
    work: Work | None


@dataclass(frozen=True, slots=True)
class SegmentResult:
    """One finished segment.

    ``stalled`` is the error that ended the segment early. ``recoveries`` lists the seconds from each kill to the next
    reply. Kills that were followed by another kill before any reply are left out.
    """

    lane: str
    first: int
    kills: tuple[Kill, ...]
    findings: Findings
    recoveries: tuple[float, ...]
    unexpected_exits: int
    seconds: float
    stalled: str | None


@dataclass(frozen=True, slots=True)
class Patience:
    """A segment ends after ``quiet`` seconds without open work, or after ``silence`` seconds without a reply."""

    silence: float
    quiet: float


class Segment:
    """A running bot, the people who write to it, and the wire between them."""

    def __init__(self, subject: Subject, people: People, wire: WireLog, patience: Patience) -> None:
        self._subject = subject
        self._people = people
        self._wire = wire
        self._patience = patience
        self._starts = [time.monotonic()]
        """Start times of the first process and of the process after each kill."""

    def run(self, plan: SegmentPlan, stop: threading.Event, on_kill: Callable[[Kill], None]) -> SegmentResult:
        """Kill processes as planned until ``stop`` is set, let the bot catch up, and check the history."""
        began = time.monotonic()
        kills: list[Kill] = []
        stalled: str | None = None
        try:
            self.wait_for_answer()
            for place, planned in enumerate(plan.kills):
                if stop.is_set():
                    break
                kills.append(self._kill(plan.first + place, planned))
                on_kill(kills[-1])
        except Stalled as error:
            stalled = str(error)
        return SegmentResult(
            lane=str(plan.lane),
            first=plan.first,
            kills=tuple(kills),
            findings=self.finish(),
            recoveries=tuple(round(seconds, 2) for seconds in self._recoveries()),
            unexpected_exits=self.unexpected_exits,
            seconds=round(time.monotonic() - began, 1),
            stalled=stalled,
        )

    def wait_for_answer(self) -> None:
        """Wait for the first reply since the last start. Raise Stalled if none arrives."""
        deadline = time.monotonic() + _STALL_TIMEOUT
        since = self._starts[-1] + _LAST_CALL
        while not self._wire.wait_for(lambda: self._wire.arrived_since(since), _POLL_INTERVAL):
            self._subject.restart_if_ended()
            if time.monotonic() > deadline:
                raise Stalled(f"no one was answered for {_STALL_TIMEOUT:.0f} seconds")

    @property
    def unexpected_exits(self) -> int:
        """How many times a process exited without being killed."""
        return self._subject.unexpected_exits

    def pause(self, seconds: float) -> None:
        """Let people write for a while, and restart processes that exit, as a service manager would."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._subject.restart_if_ended()
            time.sleep(min(left, _POLL_INTERVAL))

    def finish(self) -> Findings:
        """Stop the people, let the bot catch up, and check the history."""
        self._people.stop()
        self._catch_up()
        return check(self._history())

    def _history(self) -> History:
        """Return the history so far. Read the texts last, so that the text is known for every reply."""
        replies, work = self._subject.replies(), self._subject.work()
        calls = self._wire.calls()
        texts = tuple(text for _, text in self._people.sent())
        return History(texts, calls, replies, work.received if work else 0)

    def _kill(self, number: int, planned: PlannedKill) -> Kill:
        """Wait for the planned moment, and kill the process."""
        if planned.moment is Moment.STARTING:
            time.sleep(max(0.0, self._starts[-1] + planned.share * self._usual_recovery() - time.monotonic()))
        else:
            self.wait_for_answer()
            self.pause(planned.pause)
            sent_at = self._people.wait_for_next_text()
            delay = (_THIRDS[planned.moment] + planned.share) / 3 * self._usual_latency()
            time.sleep(max(0.0, sent_at + delay - time.monotonic()))
        self._subject.kill(planned.victim)
        self._starts.append(time.monotonic())
        # The new process takes longer to open the database.
        return Kill(number, planned.victim, planned.moment, self._subject.work())

    def _catch_up(self) -> None:
        """Wait until the history has been complete for a while, or until no more replies arrive."""
        began = quiet_since = time.monotonic()
        while (now := time.monotonic()) < quiet_since + self._patience.quiet:
            if now > began + self._patience.silence and not self._wire.arrived_since(now - self._patience.silence):
                return
            time.sleep(_POLL_INTERVAL)
            self._subject.restart_if_ended()
            if not check(self._history()).complete:
                quiet_since = time.monotonic()

    def _recoveries(self) -> list[float]:
        """Return the seconds from each kill to the next reply.

        Leave out kills that were followed by another kill before any reply.
        """
        arrivals = [read_at for read_at, call in self._wire.timed_calls() if call.arrived]
        found: list[float] = []
        for start, end in pairwise([*self._starts[1:], time.monotonic()]):
            place = bisect_left(arrivals, start + _LAST_CALL)
            if place < len(arrivals) and arrivals[place] < end:
                found.append(arrivals[place] - start)
        return found

    def _usual_recovery(self) -> float:
        """Return the median number of seconds from a kill to the next reply."""
        return median(self._recoveries() or [_USUAL_RECOVERY])

    def _usual_latency(self) -> float:
        """Return the median number of seconds from a text to its reply, for the newest texts."""
        sent_at = {text: moment for moment, text in self._people.sent()[-_LATENCY_TEXTS:]}
        seconds = [
            read_at - sent_at[text]
            for read_at, call in self._wire.timed_calls()
            if call.arrived and (text := call.text) in sent_at
        ]
        return median(seconds) if seconds else _USUAL_LATENCY
