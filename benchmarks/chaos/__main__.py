"""Kills the worker, its trainer and the beat at random moments, on both transports, and looks at what becomes of it.

    python -m benchmarks.chaos

Several lanes go on at a time, each a worker, a beat and a reader with a database and a broker of their own, so that one
lane's wait for a dead worker's lease is another's time to train. Everything is as in production but for the network,
which is small, and the gate's bounds, which let a better candidate through whatever it forgot. A killed worker or beat
is started again at once, as an operator's service manager does; its run has to be taken up again by itself.

The exit status is 1 when a run was lost, failed for another reason than three broken attempts, was held for another
than distrusted words, went live more than once, or left anything behind; when half a model was seen; and when worker
and beat did not outlive Redis's absence.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Final

from benchmarks.chaos.environment import home, postgres_server
from benchmarks.chaos.lane import Lane
from benchmarks.chaos.network import SmallNetwork, make_network
from benchmarks.chaos.plan import Transport, draw, shares
from benchmarks.chaos.records import LaneReport
from benchmarks.chaos.report import Report, TransportReport, summary
from benchmarks.common.provenance import provenance

_PACKAGES: Final = ("celery", "kombu", "redis", "sqlalchemy", "keras", "tensorflow", "openvino")


def main() -> int:
    """Carry it out, write the JSON and print it; the exit status."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="chaos-", ignore_cleanup_errors=True) as folder:
        network = make_network(Path(folder))
        reports = [_on(transport, network, arguments, Path(folder)) for transport in arguments.transports]
    report = Report(
        provenance=provenance(*_PACKAGES),
        seed=arguments.seed,
        lanes=arguments.lanes,
        parameters=network.parameters,
        layers=network.layers,
        transports={str(found.transport): found for found in reports},
    )
    if arguments.out:
        arguments.out.write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
    faults = [fault for found in reports for fault in found.faults]
    print("\n".join([*(f"{found.transport}: {found.kills} in {found.seconds:.0f} s" for found in reports), *faults]))
    return int(bool(faults))


def _on(transport: Transport, network: SmallNetwork, arguments: argparse.Namespace, folder: Path) -> TransportReport:
    """All lanes of one transport."""
    started = time.monotonic()
    kills = shares(arguments.kills, arguments.lanes)

    def lane(number: int) -> LaneReport:
        name = f"{transport}-{number}"
        plan = draw(f"{arguments.seed} {name}", kills[number])
        with home(folder / name, transport, network, postgres) as place:
            return Lane(place, plan, lambda words: print(f"{name}: {words}", flush=True)).carry_out()

    with ExitStack() as held:
        postgres = held.enter_context(postgres_server()) if transport is Transport.REDIS else None
        with ThreadPoolExecutor(arguments.lanes) as pool:
            lanes = list(pool.map(lane, range(arguments.lanes)))
    return summary(transport, lanes, time.monotonic() - started)


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description="Kill what learns, and look.")
    parser.add_argument("--kills", type=int, default=50, help="kills on each transport")
    parser.add_argument("--lanes", type=int, default=4, help="lanes that go on at a time")
    parser.add_argument("--seed", type=int, default=1, help="draws whom and when")
    parser.add_argument("--transports", type=Transport, nargs="+", default=list(Transport), help="redis, folder")
    parser.add_argument("--out", type=Path, help="results file, such as benchmarks/results/chaos.json")
    return parser.parse_args(given)


if __name__ == "__main__":
    sys.exit(main())
