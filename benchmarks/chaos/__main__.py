"""Kills the worker, its trainer and the beat at random moments, on both transports, and checks the training runs.

    python -m benchmarks.chaos

Several lanes run in parallel. Each lane has its own worker, beat, reader, database and broker, so one lane can train
while another waits for a dead worker's lease to expire. Everything matches production, except that the network is small
and the gate's limits on losses are turned off. A killed worker or beat is restarted immediately, as a service manager
would do. The run must then resume without intervention.

The exit status is 1 if a run was lost, went live more than once, or left files or processes behind. It is also 1 if a
run failed for any reason other than three failed attempts, or was held for any reason other than distrusted words. The
status is also 1 if the reader found an incomplete model, or if the worker or the beat did not survive the Redis outage.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks.chaos.environment import chaos_environment
from benchmarks.chaos.lane import Lane
from benchmarks.chaos.network import ChaosNetwork, make_network
from benchmarks.chaos.plan import Transport, draw_plan, split_evenly
from benchmarks.chaos.records import LaneResult
from benchmarks.chaos.report import ChaosReport, TransportReport, summarise
from benchmarks.common.provenance import provenance
from benchmarks.common.results import write_results
from benchmarks.common.servers import postgres_server

_PACKAGES: Final = ("celery", "kombu", "redis", "sqlalchemy", "keras", "tensorflow", "openvino")


def main() -> int:
    """Run all lanes, write and print the results, and return the exit status."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="chaos-", ignore_cleanup_errors=True) as folder:
        network = make_network(Path(folder))
        reports = [_run_transport(transport, network, arguments, Path(folder)) for transport in arguments.transports]
    report = ChaosReport(
        provenance=provenance(*_PACKAGES),
        seed=arguments.seed,
        lanes=arguments.lanes,
        parameters=network.parameters,
        layers=network.layers,
        transports={str(found.transport): found for found in reports},
    )
    if arguments.out:
        write_results(arguments.out, report)
    faults = [fault for found in reports for fault in found.faults]
    print("\n".join([*(f"{found.transport}: {found.kills} in {found.seconds:.0f} s" for found in reports), *faults]))
    return int(bool(faults))


def _run_transport(
    transport: Transport, network: ChaosNetwork, arguments: argparse.Namespace, folder: Path
) -> TransportReport:
    """Run all lanes for one transport."""
    started = time.monotonic()
    kills = split_evenly(arguments.kills, arguments.lanes)

    def lane(number: int) -> LaneResult:
        name = f"{transport}-{number}"
        plan = draw_plan(f"{arguments.seed} {name}", kills[number])
        with chaos_environment(folder / name, transport, network, postgres) as environment:
            return Lane(environment, plan, lambda line: print(f"{name}: {line}", flush=True)).run()

    with ExitStack() as stack:
        postgres = stack.enter_context(postgres_server()) if transport is Transport.REDIS else None
        with ThreadPoolExecutor(arguments.lanes) as pool:
            lanes = list(pool.map(lane, range(arguments.lanes)))
    return summarise(transport, lanes, time.monotonic() - started)


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.chaos", description="Kill the training processes, and check the runs."
    )
    parser.add_argument("--kills", type=int, default=50, help="number of kills on each transport")
    parser.add_argument("--lanes", type=int, default=4, help="number of lanes to run in parallel")
    parser.add_argument("--seed", type=int, default=1, help="seed for drawing the victims and moments")
    parser.add_argument(
        "--transports", type=Transport, nargs="+", default=list(Transport), help="redis, folder or both"
    )
    parser.add_argument("--out", type=Path, help="results file, such as benchmarks/results/chaos.json")
    return parser.parse_args(given)


if __name__ == "__main__":
    sys.exit(main())
