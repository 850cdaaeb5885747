"""The trainer as a process of its own: TensorFlow's memory, and the GPU's, are free when it ends.

It runs in its own session, so that what it starts can be ended with it. Its standard input stays open for as long as
this process lives; its end tells the trainer to end too.
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
# Seconds that the trainer has to write its checkpoint after SIGTERM before it is killed.
GRACE: Final = 5.0
# The trainer competes with nobody who answers people.
_NICE: Final = 10
_PACKAGE: Final = "keras"
_FIND_PACKAGE: Final = (
    f"import importlib.util, sys; sys.exit(importlib.util.find_spec({_PACKAGE!r}) is None and 3 or 0)"
)
# Settings that a process which reads no database and talks to nobody has no use for.
_SECRETS: Final = frozenset(
    {"DATABASE_URL", "ENCRYPTION_KEY", "ENCRYPTION_KEY_FILE", "BROKER_URL", "TELEGRAM_TOKEN", "TELEGRAM_TOKEN_FILE"}
)


@dataclass(frozen=True, slots=True)
class Exited:
    """The trainer ended with this status; negative for a signal."""

    status: int


def require_training_python(settings: Settings) -> str:
    """The interpreter that trains. Raises BadSetting when it does not start, NeedsTrainingEnvironment without Keras."""
    python = str(settings.training_python.absolute()) if settings.training_python else sys.executable
    try:
        found = subprocess.run([python, "-c", _FIND_PACKAGE], check=False, stdin=subprocess.DEVNULL)  # noqa: S603 - ours
    except OSError as error:
        raise BadSetting(name="TRAINING_PYTHON", reason=f"{python} does not start ({error.strerror})") from error
    if found.returncode != 0:
        raise NeedsTrainingEnvironment(command="worker", package=_PACKAGE, target="worker")
    return python


class TrainerProcess:
    """One trainer with one job, ended at the latest when the block ends.

    ``held`` is a descriptor that the trainer inherits, so that the lock it stands for lasts as long as either process.
    """

    def __init__(self, python: str, job: Job, held: int) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [python, "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={name: value for name, value in os.environ.items() if name.upper() not in _SECRETS},
            encoding="utf-8",
            errors="replace",
            pass_fds=[held],
            start_new_session=True,
        )
        with suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, self._process.pid, _NICE)
        self._said: queue.SimpleQueue[Event | Exited] = queue.SimpleQueue()
        for work in (lambda: self._tell(job), self._hear):
            threading.Thread(target=work, name="trainer", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def next(self, seconds: float) -> Event | Exited | None:
        """What the trainer says next, or its end; None when nothing came within ``seconds``."""
        try:
            return self._said.get(timeout=seconds)
        except queue.Empty:
            return None

    def stop(self) -> None:
        """End the trainer and all that it started: SIGTERM, then SIGKILL to what outlives the grace."""
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _tell(self, job: Job) -> None:
        """Write the job; whoever never reads it has ended, which is heard."""
        with suppress(BrokenPipeError):
            pipe = _pipe(self._process.stdin)
            pipe.write(job.written())
            pipe.flush()

    def _hear(self) -> None:
        with _pipe(self._process.stdout) as lines:
            for line in lines:
                try:
                    self._said.put(read_event(line))
                except ValueError:
                    # Not repeated: a library that prints may quote what people wrote.
                    logger.warning("The trainer said something that is no event, of %d characters", len(line))
        self._said.put(Exited(self._process.wait()))


def _pipe(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise RuntimeError("the trainer was started without pipes")
    return pipe
