"""A fake trainer that follows orders, for testing the code around the trainer.

The fake trainer follows the worker's protocol: it reads a job from standard input, writes events to standard output,
and exits when standard input ends. The candidate is a copy of the champion's folder with a new version. The trainer
connects to port ``STAND_IN`` of this machine, sends its process id, and then follows the order that it receives:
``better``, ``worse``, ``few``, ``fail`` or ``die``. After ``deaf``, it ignores SIGTERM, confirms that it does, and
waits for the next order. After ``measuring``, it emits ``Evaluating`` and waits for the next order.
"""

import os
import shutil
import signal
import socket
import sys
import threading
from dataclasses import replace
from pathlib import Path

from ml.evaluation.paired_counts import PairedCounts
from ml.serving.artifact import MANIFEST, Manifest, manifest_hash
from worker.gate.measurements import Measurements, PairedResult
from worker.gate.vote_rows import VoteRow
from worker.trainer.protocol import Done, Evaluating, Event, Failed, Job, Progress, Tested, write_event

IMDB = PairedResult(6000, 5600, 5600, 10, 10, -0.001)
VOTES = {
    "better": PairedCounts(100, 60, 75, 0, 15),
    "worse": PairedCounts(100, 60, 45, 15, 0),
    "few": PairedCounts(4, 2, 3, 0, 1),
}


def main() -> None:
    """Act as the trainer for one run."""
    job = Job.from_line(sys.stdin.readline())
    threading.Thread(target=_exit_with_worker, daemon=True).start()
    _emit(Progress(1, 2, 1, 12.5))
    version = f"run-{job.run_id}"
    order = _receive_order(version)
    if order == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if order == "fail":
        _emit(Failed("The small network would not learn."))
        return
    candidate = Path(job.directory) / "candidate"
    shutil.rmtree(candidate, ignore_errors=True)
    shutil.copytree(job.champion, candidate)
    manifest = replace(Manifest.read(candidate), version=version)
    (candidate / MANIFEST).unlink()
    manifest.write(candidate)
    _emit(Evaluating(version))
    measured = Measurements(IMDB, None, {}, {}, ())
    _emit(Done(version, manifest_hash(candidate), measured, _vote_rows(VOTES[order])))
    _emit(Tested(19, 17))


def _vote_rows(counts: PairedCounts) -> tuple[VoteRow, ...]:
    """Return made-up rows that add up to these counts."""
    both = counts.first_right - counts.negative_flips
    neither = counts.texts - counts.first_right - counts.positive_flips
    correct = [(True, True)] * both + [(False, False)] * neither
    correct += [(True, False)] * counts.negative_flips + [(False, True)] * counts.positive_flips
    return tuple(VoteRow(number, "Positive", *pair) for number, pair in enumerate(correct, 1))


def _receive_order(version: str) -> str:
    with socket.create_connection(("127.0.0.1", int(os.environ["STAND_IN"]))) as test, test.makefile("rw") as line:
        line.write(f"{os.getpid()}\n")
        line.flush()
        order = line.readline().strip()
        while order in ("deaf", "measuring"):
            if order == "deaf":
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                line.write("deaf\n")
                line.flush()
            else:
                _emit(Evaluating(version))
            order = line.readline().strip()
        return order


def _emit(event: Event) -> None:
    sys.stdout.write(write_event(event))
    sys.stdout.flush()


def _exit_with_worker() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
