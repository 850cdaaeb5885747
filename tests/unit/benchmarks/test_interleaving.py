"""Trainers take turns, and their speeds are compared block by block."""

import os
import sys
from pathlib import Path

import pytest

from benchmarks.common.interleaving import TrainerProcess, interleave, samples_per_second, speed_ratio

# Reports its precision, runs to its first stop, and continues when it reads a line. It notes each block in a shared
# file.
PROGRAM = """
import json, sys
name, notes = sys.argv[1:]
print(json.dumps({"precision": "float32"}), flush=True)
for stop in range(3):
    with open(notes, "a") as file:
        file.write(name)
    print(json.dumps({"seconds": [0.5, 1.5 + stop]}), flush=True)
    sys.stdin.readline()
with open(notes, "a") as file:
    file.write(name.upper())
"""


def trainer(program: str, *arguments: str, log: Path) -> TrainerProcess:
    return TrainerProcess([sys.executable, "-c", program, *arguments], os.environ, log)


def test_a_ratio_is_of_medians_and_its_range_of_pairs_of_blocks() -> None:
    found = speed_ratio([30.0, 22.0, 24.0], [20.0, 10.0, 16.0])
    assert found.of_medians == 24 / 16
    assert (found.lowest, found.highest) == (1.5, 2.2)


def test_a_speed_counts_the_samples_of_its_block() -> None:
    assert samples_per_second([32, 32, 8, 32], [[1.0, 3.0], [2.0, 2.0]]) == [16.0, 10.0]
    with pytest.raises(ValueError, match="3 steps were timed, but there were 4 batches"):
        samples_per_second([32, 32, 8, 32], [[1.0, 3.0], [2.0]])


def test_only_one_trainer_computes_at_a_time(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    with (
        trainer(PROGRAM, "a", str(notes), log=tmp_path / "a.log") as a,
        trainer(PROGRAM, "b", str(notes), log=tmp_path / "b.log") as b,
    ):
        assert notes.read_text() == "ab"
        assert (a.facts, b.untimed) == ({"precision": "float32"}, {"seconds": [0.5, 1.5]})
        seconds = interleave({"first": a, "second": b}, 2)
        assert notes.read_text() == "ababab"
        assert seconds == {name: [[0.5, 2.5], [0.5, 3.5]] for name in ("first", "second")}
        a.finish()
        assert notes.read_text() == "abababA"


def test_the_error_of_a_failed_trainer_has_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)ended with status 3:.*out of batches"):
        trainer("import sys; print('out of batches', file=sys.stderr); sys.exit(3)", log=tmp_path / "log")
