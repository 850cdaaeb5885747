"""No package that Thumbs installs sends telemetry."""

import subprocess
import sys
from pathlib import Path

import pytest
from paths import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.lock"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_no_lock_installs_telemetry(lock: Path) -> None:
    assert "telemetry" not in lock.read_text(encoding="utf-8")


def test_the_engine_works_without_telemetry() -> None:
    program = "import sys, ml.serving.engine; print('openvino' in sys.modules, 'openvino_telemetry' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert result.stdout.split() == ["True", "False"]
    assert not result.stderr
