"""Runs the ``thumbs`` command, and counts the parameters of published models."""

import os
import subprocess
import sys
from pathlib import Path

from safetensors.numpy import load_file

from ml.bert.pretrained import WEIGHTS

# The installed command for this interpreter.
_COMMAND = (sys.executable, "-c", "from cli.main import main; main()")


def run_thumbs(*arguments: str) -> str:
    """Run ``thumbs`` on the CPU and return its standard output. Raise CalledProcessError if it fails."""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    finished = subprocess.run([*_COMMAND, *arguments], check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return finished.stdout


def count_parameters(folder: Path) -> int:
    """Return the number of parameters in a published model."""
    return sum(weight.size for weight in load_file(folder / WEIGHTS).values())
