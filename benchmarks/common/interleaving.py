"""Runs trainers in separate processes that take turns, so that only one computes at a time."""

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
class SpeedRatio:
    """One trainer's speed divided by another trainer's.

    ``lowest`` and ``highest`` are the lowest and highest ratios in any pair of blocks.
    """

    of_medians: float
    lowest: float
    highest: float


def speed_ratio(first: Sequence[float], second: Sequence[float]) -> SpeedRatio:
    """Return the speed of ``first`` relative to ``second``.

    Both arguments list the samples per second in each block, for the same batches.
    """
    pairs = [mine / theirs for mine, theirs in zip(first, second, strict=True)]
    return SpeedRatio(median(first) / median(second), min(pairs), max(pairs))


def samples_per_second(sizes: Sequence[int], blocks: Sequence[Sequence[float]]) -> list[float]:
    """Return the speed in each block, given the batch ``sizes`` of all steps and the durations of each block's steps.

    Raise ValueError if the number of steps differs from the number of batches.
    """
    if len(sizes) != sum(map(len, blocks)):
        raise ValueError(f"{sum(map(len, blocks))} steps were timed, but there were {len(sizes)} batches")
    remaining = iter(sizes)
    return [sum(next(remaining) for _ in block) / sum(block) for block in blocks]


class TrainerProcess:
    """A trainer's process. The process waits at its first stop, and computes only during ``run_block`` and ``finish``.

    Standard error goes to ``log``. The methods raise RuntimeError if the process ends early.
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
            self.facts = self._read_event()
            """Precision, threads and packages, as reported by the trainer."""
            self.untimed = self._read_event()
            """The report on the steps before the first stop."""
        except BaseException:
            self._close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._close()

    def run_block(self) -> list[float]:
        """Run until the next stop, and return each step's duration in seconds."""
        self._resume()
        seconds: list[float] = self._read_event()["seconds"]
        return seconds

    def finish(self) -> None:
        """Let the trainer continue after the last stop and write its folder. Raise RuntimeError if that fails."""
        self._resume()
        if self._process.wait() != 0:
            raise self._failure()

    def _resume(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def _read_event(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            raise self._failure()
        event: dict[str, Any] = json.loads(line)
        return event

    def _failure(self) -> RuntimeError:
        end_of_log = self._log.read_text(encoding="utf-8", errors="replace")[-4000:]
        return RuntimeError(f"A trainer ended with status {self._process.returncode}:\n{end_of_log}")

    def _close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


def interleave(trainers: Mapping[str, TrainerProcess], blocks: int) -> dict[str, list[list[float]]]:
    """Run every trainer's first block, then every trainer's second block, and so on.

    Return the duration of each step in seconds, by trainer and block.
    """
    seconds: dict[str, list[list[float]]] = {name: [] for name in trainers}
    for _ in range(blocks):
        for name, trainer in trainers.items():
            seconds[name].append(trainer.run_block())
    return seconds
