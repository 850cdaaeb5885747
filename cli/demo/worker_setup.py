"""Starts the demo's worker, after installing the training environment in the background if it is missing."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import typer

import cli
from cli.demo.processes import ChildProcesses, Event, OutputLine, ProcessExit

WORKER: Final = "worker"
# The module that installs environments. It must be run from the project checkout.
INSTALLER: Final = "requirements.make_env"
_ROOT: Final = Path(cli.__file__).resolve().parents[1]
_PYTHON: Final = _ROOT / ".venv-train" / "bin" / "python"
# The installer prints this only if the environment is missing or outdated.
_INSTALLING: Final = "Installing "


class WorkerSetup:
    """Starts the worker once its environment is ready. Until then, people can chat, and training runs stay queued."""

    def __init__(self, children: ChildProcesses, environment: Mapping[str, str], data_dir: Path) -> None:
        self._children = children
        self._environment = environment
        self._data_dir = data_dir
        self._installing = False

    def start(self) -> None:
        """Start the worker if this environment can train. If it can't, install an environment that can."""
        if find_spec("keras") is not None:
            self._children.start(WORKER, ["--beat"], self._environment, self._data_dir)
        elif (_ROOT / "requirements" / "make_env.py").is_file():
            self._children.start(INSTALLER, ["train"], self._environment, _ROOT)
        else:
            typer.echo("Training is off: the project checkout was not found.")

    def handle(self, event: Event) -> bool:
        """Handle an event from the installer or the worker. Return False if the event is about another process."""
        match event:
            case OutputLine(name, line) if name == INSTALLER:
                if line.startswith(_INSTALLING):
                    self._installing = True
                    typer.echo("Installing the training environment; /retrain is queued until it is ready.")
            case ProcessExit(name, status) if name == INSTALLER:
                self._after_installation(status)
            case ProcessExit(name, _) if name == WORKER:
                log = self._children.log_path(WORKER)
                typer.echo(f"The worker exited unexpectedly, so training is off. See {log}.")
            case _:
                return False
        return True

    def _after_installation(self, status: int) -> None:
        if status != 0:
            log = self._children.log_path(INSTALLER)
            typer.echo(f"The training environment could not be installed, so training is off. See {log}.")
            return
        if self._installing:
            typer.echo("The training environment is ready; training is on.")
        self._children.start(WORKER, ["--beat"], self._environment, self._data_dir, _PYTHON)
