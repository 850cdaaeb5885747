"""The command ``thumbs`` as people run it, and what it publishes."""

import os
import subprocess
import sys
from pathlib import Path

from safetensors.numpy import load_file

from ml.bert.pretrained import WEIGHTS

# The installed command, with this interpreter.
_COMMAND = (sys.executable, "-c", "from cli.main import main; main()")


def thumbs(*arguments: str) -> str:
    """What ``thumbs`` with ``arguments`` prints, on the processor; raises CalledProcessError when it fails."""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([*_COMMAND, *arguments], check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return done.stdout


def parameters(folder: Path) -> int:
    """How many numbers the weights of a published folder hold."""
    return sum(weight.size for weight in load_file(folder / WEIGHTS).values())
