"""Several devices with a copy of the network each train as one does."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

PROGRAM = Path(__file__).with_name("copies_program.py")


def weights_of(copies: int, folder: Path) -> dict[str, np.ndarray]:
    out = folder / f"{copies}.safetensors"
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, str(PROGRAM), str(copies), str(out)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return load_file(out)


def test_two_copies_share_each_batch_and_end_with_the_same_weights(tmp_path: Path) -> None:
    one, two = weights_of(1, tmp_path), weights_of(2, tmp_path)
    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_allclose(two[name], one[name], atol=1e-5)
