"""The demo's worker: it runs where TensorFlow is, in an environment that is made while people already chat."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import typer

import cli
from cli.demo.processes import ChildProcesses, Event, OutputLine, ProcessExit

WORKER: Final = "worker"
# The script that makes environments, as a module of the project's folder.
MAKER: Final = "requirements.make_env"
_ROOT: Final = Path(cli.__file__).resolve().parents[1]
_PYTHON: Final = _ROOT / ".venv-train" / "bin" / "python"
# What the maker says once it finds that the environment has to be made.
_MAKING: Final = "Making "


class WorkerSetup:
    """Starts the worker once its environment is there; without it the chat goes on, and runs wait."""

    def __init__(self, children: ChildProcesses, environment: Mapping[str, str], data_dir: Path) -> None:
        self._children = children
        self._environment = environment
        self._data_dir = data_dir
        self._made = False

    def start(self) -> None:
        """Start the worker in this environment when it can train, else the maker of one that can."""
        if find_spec("keras") is not None:
            self._children.start(WORKER, ["--beat"], self._environment, self._data_dir)
        elif (_ROOT / "requirements" / "make_env.py").is_file():
            self._children.start(MAKER, ["train"], self._environment, _ROOT)
        else:
            typer.echo("The bot does not learn here: the project's folder, which has what fine-tuning needs, is away.")

    def heed(self, event: Event) -> bool:
        """Go on with what the maker or the worker did; whether the event was about them."""
        match event:
            case OutputLine(name, line) if name == MAKER:
                if line.startswith(_MAKING):
                    self._made = True
                    typer.echo("What fine-tuning needs is fetched in the background; until then /retrain waits.")
            case ProcessExit(name, status) if name == MAKER:
                self._maker_ended(status)
            case ProcessExit(name, _) if name == WORKER:
                log = self._children.log_of(WORKER)
                typer.echo(f"The worker ended by itself, so the bot learns no more; {log} may say why.")
            case _:
                return False
        return True

    def _maker_ended(self, status: int) -> None:
        if status != 0:
            log = self._children.log_of(MAKER)
            typer.echo(f"What fine-tuning needs could not be fetched, so the bot does not learn; {log} says why.")
            return
        if self._made:
            typer.echo("What fine-tuning needs is there: the bot learns from now on.")
        self._children.start(WORKER, ["--beat"], self._environment, self._data_dir, _PYTHON)
