"""Trainers that take turns: each in a process of its own, and one alone computes at any time."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Any, Self

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Ratio:
    """Samples per second of one trainer over those of another; ``lowest`` and ``highest`` of blocks that met."""

    of_medians: float
    lowest: float
    highest: float


def speed_ratio(first: Sequence[float], second: Sequence[float]) -> Ratio:
    """How many times as fast ``first`` is; both in samples per second, block by block of the same batches."""
    pairs = [mine / theirs for mine, theirs in zip(first, second, strict=True)]
    return Ratio(median(first) / median(second), min(pairs), max(pairs))


def samples_per_second(sizes: Sequence[int], blocks: Sequence[Sequence[float]]) -> list[float]:
    """The speed of each block: ``sizes`` are the samples of every step in order, ``blocks`` the steps' seconds."""
    if len(sizes) != sum(map(len, blocks)):
        raise ValueError(f"{sum(map(len, blocks))} steps were timed, and there were {len(sizes)} batches")
    left = iter(sizes)
    return [sum(next(left) for _ in block) / sum(block) for block in blocks]


class Trainee:
    """One trainer's process, started and through its first stop; it computes only while ``steps`` waits for it.

    What it writes on standard error goes into ``log``. Raises RuntimeError when it ends early.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._log = log
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                cwd=_ROOT,
                text=True,
            )
        try:
            self.facts = self._hear()
            self.untimed = self._hear()
        except BaseException:
            self._end()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._end()

    def steps(self) -> list[float]:
        """The seconds of each step up to the next stop."""
        self._go_on()
        seconds: list[float] = self._hear()["seconds"]
        return seconds

    def finish(self) -> None:
        """Let it write its folder after the last stop; raises RuntimeError when it cannot."""
        self._go_on()
        if self._process.wait() != 0:
            raise self._failure()

    def _go_on(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            raise self._failure()
        heard: dict[str, Any] = json.loads(line)
        return heard

    def _failure(self) -> RuntimeError:
        said = self._log.read_text(encoding="utf-8", errors="replace")[-4000:]
        return RuntimeError(f"A trainer ended with {self._process.returncode}:\n{said}")

    def _end(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


def take_turns(trainees: Mapping[str, Trainee], blocks: int) -> dict[str, list[list[float]]]:
    """Seconds of each step, by trainee and block: every trainee does its first block, then every one its second."""
    seconds: dict[str, list[list[float]]] = {name: [] for name in trainees}
    for _ in range(blocks):
        for name, trainee in trainees.items():
            seconds[name].append(trainee.steps())
    return seconds
