"""Rooms import only from lower levels, and the bot starts without the training libraries."""

import subprocess
import sys
from pathlib import Path

from paths import ROOT


def test_the_import_contracts_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_bot_imports_neither_tensorflow_nor_transformers() -> None:
    program = """
import sys
import bot.main
heavy = {"tensorflow", "keras", "transformers", "torch", "pandas", "pyarrow"}
print(*sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
"""
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.split() == []
