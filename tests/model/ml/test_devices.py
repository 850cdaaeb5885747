"""Training with replicas on several devices gives the same result as training on one device."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

PROGRAM = Path(__file__).with_name("replicas_program.py")


def weights_of(replicas: int, folder: Path) -> dict[str, np.ndarray]:
    out = folder / f"{replicas}.safetensors"
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, str(PROGRAM), str(replicas), str(out)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return load_file(out)


def test_two_replicas_end_with_the_same_weights_as_one(tmp_path: Path) -> None:
    one, two = weights_of(1, tmp_path), weights_of(2, tmp_path)
    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_allclose(two[name], one[name], atol=1e-5)
