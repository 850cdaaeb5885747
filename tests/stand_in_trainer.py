"""A trainer that learns nothing, for tests of what happens around one: it does as it is told.

It keeps the worker's protocol: a job on standard input, events on standard output, an end when standard input ends. The
candidate is the champion's folder under a version of its own. It calls port ``STAND_IN`` of this machine, says its
process id, and goes on as the answer says: ``better``, ``worse``, ``few``, ``fail`` or ``die``. After ``deaf`` it
ignores SIGTERM, says so, and hears on; after ``measuring`` it says that it measures, and hears on.
"""

import os
import shutil
import signal
import socket
import sys
import threading
from dataclasses import replace
from pathlib import Path

from ml.serving.artifact import MANIFEST, Manifest, manifest_hash
from worker.gate.measurements import Measured, Paired
from worker.trainer.protocol import Done, Evaluating, Event, Failed, Job, Tested, Trained, write_event

IMDB = Paired(6000, 5600, 5600, 10, 10, -0.001)
JUDGED = {
    "better": Paired(100, 60, 75, 0, 15, 0.1),
    "worse": Paired(100, 60, 45, 15, 0, -0.2),
    "few": Paired(4, 2, 3, 0, 1, 0.0),
}


def main() -> None:
    """Play one run."""
    job = Job.read(sys.stdin.readline())
    threading.Thread(target=_end_with_the_worker, daemon=True).start()
    _say(Trained(1, 2, 1, 12.5))
    version = f"run-{job.run_id}"
    order = _ordered(version)
    if order == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if order == "fail":
        _say(Failed("The small network would not learn."))
        return
    candidate = Path(job.work) / "candidate"
    shutil.rmtree(candidate, ignore_errors=True)
    shutil.copytree(job.champion, candidate)
    manifest = replace(Manifest.read(candidate), version=version)
    (candidate / MANIFEST).unlink()
    manifest.write(candidate)
    _say(Evaluating(version))
    measured = Measured(IMDB, JUDGED[order], {}, {}, ())
    _say(Done(version, manifest_hash(candidate), measured))
    _say(Tested(19, 17))


def _ordered(version: str) -> str:
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
                _say(Evaluating(version))
            order = line.readline().strip()
        return order


def _say(event: Event) -> None:
    sys.stdout.write(write_event(event))
    sys.stdout.flush()


def _end_with_the_worker() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
