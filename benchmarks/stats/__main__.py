"""Measures the queries behind ``/stats`` with two million messages, on PostgreSQL and on SQLite.

    python -m benchmarks.stats

Each database is filled with messages of the last 30 days, which is the period that ``/stats`` shows. The counts of
finished days are stored, as the bot does every day. Each query is timed several times, each time in its own unit of
work. The time does not include opening the database or drawing the picture.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Final

from cryptography.fernet import Fernet
from sqlalchemy import text

from benchmarks.common.options import add_out_option
from benchmarks.common.provenance import Provenance, provenance
from benchmarks.common.results import write_results
from benchmarks.common.servers import postgres_server
from benchmarks.stats.fill import Size, fill
from bot.admin.statistics_page import read_figures
from migrations import runner
from storage.db.database import Database, UnitOfWork
from storage.statistics import COUNTED_DAYS, store_finished_days

_LIMIT_MS: Final = 200.0
_PACKAGES: Final = ("sqlalchemy", "psycopg")


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a query took, in milliseconds: the median, and the slowest of all runs, of which the first is cold."""

    median_ms: float
    slowest_ms: float


@dataclass(frozen=True, slots=True)
class EngineResult:
    """The timings on one engine, and the seconds that filling the database took.

    ``stats_without_days`` is /stats in a bot that has not stored the counts of finished days yet.
    """

    stats: Timing
    stats_without_days: Timing
    filled_seconds: float


@dataclass(frozen=True, slots=True)
class StatsReport:
    """The content of ``benchmarks/results/stats.json``."""

    provenance: Provenance
    size: Size
    runs: int
    limit_ms: float
    engines: dict[str, EngineResult]


def main() -> int:
    """Measure, write and print the results. Return 1 if ``/stats`` took longer than its limit, or else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stats", description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=2_000_000, help="Number of messages")
    parser.add_argument("--only", choices=_ENGINES, help="Measure one engine, and keep the figures of the other")
    parser.add_argument("--runs", type=int, default=20, help="How often each query is timed")
    add_out_option(parser, "stats")
    arguments = parser.parse_args()
    size = Size(arguments.messages, arguments.messages // 100, arguments.messages // 10, COUNTED_DAYS)
    engines = {}
    for name in [arguments.only] if arguments.only else _ENGINES:
        print(f"{name}: filling", file=sys.stderr, flush=True)
        with _ENGINES[name]() as url:
            engines[name] = _measure(url, size, arguments.runs)
        print(f"{name}: {engines[name]}", file=sys.stderr, flush=True)
    if arguments.only:
        engines = {**_measured_before(arguments.out, size), **engines}
    report = StatsReport(provenance(*_PACKAGES), size, arguments.runs, _LIMIT_MS, engines)
    write_results(arguments.out, report)
    return int(any(found.stats.slowest_ms > _LIMIT_MS for found in engines.values()))


def _measured_before(path: Path, size: Size) -> dict[str, EngineResult]:
    """Return the figures in a results file for databases of the same size, if there are any."""
    if not path.exists():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))
    if found["size"] != asdict(size):
        return {}
    return {
        name: EngineResult(Timing(**each["stats"]), Timing(**each["stats_without_days"]), each["filled_seconds"])
        for name, each in found["engines"].items()
    }


def _measure(url: str, size: Size, runs: int) -> EngineResult:
    runner.upgrade(url)
    database = Database.open(url, (Fernet.generate_key().decode(),))
    try:
        began = time.perf_counter()
        with database.unit_of_work() as unit:
            fill(unit, size)
        with database.unit_of_work() as unit:
            unit.execute(text("ANALYZE"))
        filled = time.perf_counter() - began
        without = _time(database, read_figures, runs)
        with database.unit_of_work() as unit:
            store_finished_days(unit, COUNTED_DAYS)
        stats = _time(database, read_figures, runs)
        return EngineResult(stats, without, round(filled, 1))
    finally:
        database.close()


def _time(database: Database, query: Callable[[UnitOfWork], object], runs: int) -> Timing:
    """Time ``query`` in its own unit of work, ``runs`` times."""
    seconds = []
    for _ in range(runs):
        began = time.perf_counter()
        with database.reading() as unit:
            query(unit)
        seconds.append(time.perf_counter() - began)
    return Timing(round(1000 * median(seconds), 1), round(1000 * max(seconds), 1))


@contextmanager
def _sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{Path(folder) / 'thumbs.db'}"


@contextmanager
def _postgresql() -> Iterator[str]:
    with postgres_server() as server:
        yield server.get_uri(driver="psycopg")


_ENGINES: Final = {"SQLite": _sqlite, "PostgreSQL": _postgresql}

if __name__ == "__main__":
    sys.exit(main())
