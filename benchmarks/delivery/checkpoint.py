"""Stores a benchmark's checkpoint: a JSON Lines file from which an interrupted run resumes.

Each kill gets a line to show progress, and each segment gets a line once its history has been checked. After an
interruption, an unfinished segment's kills are repeated.
"""

import json
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from benchmarks.delivery.outages import OutageResult
from benchmarks.delivery.plan import Lane
from benchmarks.delivery.segment import Kill, SegmentResult

_KILL: Final = "kill"
_SEGMENT: Final = "segment"
_OUTAGES: Final = "outages"


class Checkpoint:
    """Appends to the file, and gives access to its earlier content. Thread-safe."""

    def __init__(self, path: Path, resume: bool) -> None:
        self._lock = threading.Lock()
        if not resume:
            path.write_text("", encoding="utf-8")
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        # The last line is incomplete if the process was killed while writing it.
        entries = [entry for line in lines if (entry := _parsed(line)) is not None]
        self.segments: list[dict[str, Any]] = [entry["result"] for entry in entries if entry["kind"] == _SEGMENT]
        """Each finished segment as JSON."""
        self.outages: dict[str, Any] | None = next(
            (entry["result"] for entry in reversed(entries) if entry["kind"] == _OUTAGES), None
        )
        """The outages as JSON; None until they have been measured."""
        self._file = path.open("a", encoding="utf-8")
        if lines and _parsed(lines[-1]) is None:
            self._file.write("\n")

    def executed(self, lane: Lane) -> int:
        """Return the number of kills in a lane's finished segments."""
        return sum(len(segment["kills"]) for segment in self.segments if segment["lane"] == lane)

    def add_kill(self, lane: Lane, kill: Kill) -> None:
        """Record one kill."""
        self._append(_KILL, {"lane": str(lane), **asdict(kill)})

    def add_segment(self, result: SegmentResult) -> None:
        """Record a finished segment."""
        self.segments.append(self._append(_SEGMENT, asdict(result)))

    def add_outages(self, result: OutageResult) -> None:
        """Record the outages."""
        self.outages = self._append(_OUTAGES, asdict(result))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _append(self, kind: str, result: dict[str, Any]) -> dict[str, Any]:
        """Append a line, and return the result in the form in which it will be read back."""
        line = json.dumps({"kind": kind, "result": result})
        with self._lock:
            self._file.write(line + "\n")
            self._file.flush()
        read: dict[str, Any] = json.loads(line)["result"]
        return read


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        entry: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    return entry
