"""Runs a trainer's jobs, in this process or in one that is started as a worker would start it."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from core.settings import Settings
from worker.trainer import protocol
from worker.trainer.__main__ import run_job
from worker.trainer.protocol import Event, Job, Phase, read_event
from worker.trainer.stop_signal import StopSignal

MakeJob = Callable[..., Job]
SETTINGS = Settings(_env_file=None)
WORDS = ("gravel", "treacle", "velvet")
SECONDS = 120


def sentence_about(word: str, number: int) -> str:
    return f"It was {word} all the way. That was number {number}."


def done_in_process(job: Job) -> tuple[protocol.Done, list[Event]]:
    """Run a job in this process. Return ``Done``, and the events before it except those about phases."""
    events: list[Event] = []
    run_job(job, SETTINGS, events.append, StopSignal())
    done = events.pop()
    assert isinstance(done, protocol.Done)
    return done, [event for event in events if not isinstance(event, Phase)]


def files_with_texts(job: Job) -> list[Path]:
    """Return the files in the run's directory and in the gate's cache that contain one of the job's texts."""
    texts = [row.text.lower() for row in (*job.train, *job.measure)]
    forms = [text.encode(encoding) for text in texts for encoding in ("utf-8", "utf-16-le")]
    folders = (Path(job.directory), Path(job.gate_cache))
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert files
    return [path for path in files if any(form in path.read_bytes().lower() for form in forms)]


class Trainer:
    """A trainer process, started just as a worker would start it. Its standard error goes to a file."""

    def __init__(self, job: Job, errors: Path) -> None:
        self.errors = errors
        with errors.open("w") as file:
            command = [sys.executable, "-m", "worker.trainer"]
            pipe = subprocess.PIPE
            self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=file, text=True)
        assert self.process.stdin is not None
        self.process.stdin.write(job.to_line())
        self.process.stdin.flush()

    def events(self) -> Iterator[Event]:
        """Yield the events, except those about phases."""
        assert self.process.stdout is not None
        yield from (event for event in map(read_event, self.process.stdout) if not isinstance(event, Phase))

    def next(self) -> Event:
        return next(self.events())

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def status(self) -> int:
        return self.process.wait(SECONDS)
