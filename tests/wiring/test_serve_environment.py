"""Every process that runs without the training packages can be imported with the packages in ``serve.lock`` alone."""

import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest
from paths import ROOT

# Imports the named module in a process that cannot import the named packages.
PROGRAM = """
import sys
from importlib import import_module
from importlib.abc import MetaPathFinder

class Missing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in missing:
            raise ModuleNotFoundError(f"{name} is not in serve.lock", name=name)

module, *missing = sys.argv[1:]
sys.meta_path.insert(0, Missing())
import_module(module)
"""


def normalised(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def missing_packages() -> list[str]:
    """Return the top-level packages in this environment that ``serve.lock`` does not install."""
    lock = (ROOT / "requirements" / "serve.lock").read_text(encoding="utf-8")
    served = {normalised(line.partition("==")[0]) for line in lock.splitlines() if line[:1].isalnum()} | {"thumbs"}
    return [
        package
        for package, distributions in packages_distributions().items()
        if not served & {normalised(name) for name in distributions}
    ]


def imports(module: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, module, *missing_packages()]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "module",
    [
        "bot.main",
        "bot.pictures.draw",
        "cli.demo.supervisor",
        "cli.main",
        "cli.predict",
        "migrations.runner",
        "playground.__main__",
        "worker.gate.chart",
        "worker.main",
        "worker.runs.executor",
        "worker.tasks",
    ],
)
def test_a_serving_process_needs_only_the_packages_that_serving_installs(module: str) -> None:
    done = imports(module)
    assert done.returncode == 0, done.stderr


def test_training_packages_are_missing_from_this_check() -> None:
    assert "is not in serve.lock" in imports("ml.training.loop").stderr
