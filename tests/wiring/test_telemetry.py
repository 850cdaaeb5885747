"""Nothing that Thumbs installs tells its makers that it is used."""

import subprocess
import sys
from pathlib import Path

import pytest
from paths import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.lock"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_no_lock_installs_the_engines_telemetry(lock: Path) -> None:
    assert "telemetry" not in lock.read_text(encoding="utf-8")


def test_the_engine_goes_without() -> None:
    program = "import sys, ml.serving.engine; print('openvino' in sys.modules, 'openvino_telemetry' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert said.stdout.split() == ["True", "False"]
    assert not said.stderr
