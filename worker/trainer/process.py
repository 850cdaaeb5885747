"""Starts the trainer as a separate process, so that its memory and GPU memory are freed when it ends.

The trainer runs in its own session, so that its child processes can be killed with it. The trainer's standard input
stays open as long as this process lives. When the input closes, the trainer exits.
"""

import logging
import os
import queue
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Final, Self

from core.errors import BadSetting, NeedsTrainingEnvironment
from core.settings import Settings
from worker.trainer.protocol import Event, Job, read_event

logger = logging.getLogger(__name__)

MODULE: Final = "worker.trainer"
# Number of seconds that the trainer gets after SIGTERM to write a checkpoint, before it is killed.
GRACE: Final = 5.0
# Training has a lower priority than the bot, which must stay responsive.
_NICE: Final = 10
_PACKAGE: Final = "keras"
_FIND_PACKAGE: Final = (
    f"import importlib.util, sys; sys.exit(importlib.util.find_spec({_PACKAGE!r}) is None and 3 or 0)"
)
# The trainer uses neither the database nor the network, so it does not get these settings.
_SECRETS: Final = frozenset(
    {"DATABASE_URL", "ENCRYPTION_KEY", "ENCRYPTION_KEY_FILE", "BROKER_URL", "TELEGRAM_TOKEN", "TELEGRAM_TOKEN_FILE"}
)


@dataclass(frozen=True, slots=True)
class Exited:
    """The trainer's exit status. A negative status is the number of the signal that ended it."""

    status: int


def require_training_python(settings: Settings) -> str:
    """Return the Python interpreter for training.

    Raise BadSetting if the interpreter does not start, and NeedsTrainingEnvironment if it lacks Keras.
    """
    python = str(settings.training_python.absolute()) if settings.training_python else sys.executable
    try:
        found = subprocess.run([python, "-c", _FIND_PACKAGE], check=False, stdin=subprocess.DEVNULL)  # noqa: S603 - ours
    except OSError as error:
        raise BadSetting(name="TRAINING_PYTHON", reason=f"{python} does not start ({error.strerror})") from error
    if found.returncode != 0:
        raise NeedsTrainingEnvironment(command="worker", package=_PACKAGE, target="worker")
    return python


class TrainerProcess:
    """A trainer process with one job. Leaving the ``with`` block stops it.

    The trainer inherits ``lock_descriptor``, so that the lock is held until both processes have ended.
    """

    def __init__(self, python: str, job: Job, lock_descriptor: int) -> None:
        self.run_id = job.run_id
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [python, "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={name: value for name, value in os.environ.items() if name.upper() not in _SECRETS},
            encoding="utf-8",
            errors="replace",
            pass_fds=[lock_descriptor],
            start_new_session=True,
        )
        with suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, self._process.pid, _NICE)
        self._events: queue.SimpleQueue[Event | Exited] = queue.SimpleQueue()
        for target in (lambda: self._send_job(job), self._read_events):
            threading.Thread(target=target, name="trainer", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def next_event(self, seconds: float) -> Event | Exited | None:
        """Return the next event or the exit, or None if neither arrives within ``seconds``."""
        try:
            return self._events.get(timeout=seconds)
        except queue.Empty:
            return None

    def stop(self) -> None:
        """Stop the trainer and its child processes: SIGTERM, then SIGKILL after the grace period."""
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _send_job(self, job: Job) -> None:
        """Write the job to the trainer's standard input."""
        with suppress(BrokenPipeError):  # the trainer has exited, which ``_read_events`` reports
            pipe = _pipe(self._process.stdin)
            pipe.write(job.to_line())
            pipe.flush()

    def _read_events(self) -> None:
        with _pipe(self._process.stdout) as lines:
            for line in lines:
                try:
                    self._events.put(read_event(line))
                except ValueError:
                    # Do not log the line: a library that prints may quote people's texts.
                    logger.warning("The trainer printed a line of %d characters that is not an event", len(line))
        self._events.put(Exited(self._process.wait()))


def _pipe(pipe: IO[str] | None) -> IO[str]:
    """Return ``pipe``. Raise RuntimeError if it is None, which only the type checker considers possible."""
    if pipe is None:
        raise RuntimeError("the trainer was started without pipes")
    return pipe
