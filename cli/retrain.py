"""``thumbs retrain``: ask for a training run, and wait for what comes of it."""

import dataclasses
import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cli.errors import RunGoesOn
from cli.interrupts import stop_event
from cli.open_database import open_database
from cli.progress import progress_bar

if TYPE_CHECKING:
    from storage.db.database import Database
    from storage.training.runs import Run

# Seconds between two looks at the run.
_LOOK_EVERY: Final = 0.5


def retrain(
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end, and print the verdict.")] = False,
    full: Annotated[bool, typer.Option("--full", help="From the base encoder with all of IMDB; for a GPU.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the run as one JSON object.")] = False,
) -> None:
    """Ask the workers for a training run, or join the one that is on.

    A worker has to run, here or elsewhere. Ctrl-C ends the waiting and not the run. The status is 1 when the run that
    was joined is of another kind, and with --wait when the run failed or was cancelled.

    \b
    Examples:
      thumbs retrain --wait
      thumbs retrain --full --json
    """
    from broker.queues import notify_worker
    from core.settings import read_settings
    from storage.db.states import RunKind, RunState, Trigger
    from storage.training import runs

    settings = read_settings()
    with open_database(settings) as database:
        kind = RunKind.FULL_RUN if full else RunKind.FEEDBACK_ROUND
        with database.unit_of_work() as unit:
            ask = runs.request_run(unit, kind, Trigger.ADMIN)
        if ask.new:
            notify_worker(settings, ask.run.id)
        # An event, for Ctrl-C in the middle of a query would end as the driver's error.
        with stop_event() as stopped:
            standing = "is queued" if ask.new else "was on already, and is joined"
            typer.echo(f"Run {ask.run.id} ({ask.run.kind.replace('_', ' ')}) {standing}.", err=True)
            run = _wait(database, ask.run.id, stopped) if wait else ask.run
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(run), default=str))
    elif wait:
        typer.echo(_verdict(run))
    if run.state in (RunState.FAILED, RunState.CANCELLED) or run.kind is not kind:
        raise typer.Exit(1)


def _wait(database: "Database", run_id: int, stopped: threading.Event) -> "Run":
    """Show how far the run is until it ends; raises RunGoesOn once ``stopped`` is set."""
    with progress_bar("{task.fields[speed]}") as bar:
        task = bar.add_task("Waiting for a worker", total=None, speed="")

        def show(run: "Run") -> None:
            speed = f"{run.samples_per_second:.1f} texts/s" if run.samples_per_second else ""
            bar.update(task, description=_standing(run), completed=run.step, total=run.steps, speed=speed)

        return _follow(lambda: _read(database, run_id), show, stopped)


def _follow(read: "Callable[[], Run]", show: "Callable[[Run], None]", stopped: threading.Event) -> "Run":
    while True:
        run = read()
        show(run)
        if not run.open:
            return run
        if stopped.wait(_LOOK_EVERY):
            raise RunGoesOn(run_id=run.id, state=run.state)


def _read(database: "Database", run_id: int) -> "Run":
    from storage.training import runs

    with database.reading() as unit:
        return runs.get_run(unit, run_id)


def _standing(run: "Run") -> str:
    from storage.db.states import RunState

    standings = {
        RunState.QUEUED: "Waiting for a worker",
        RunState.RUNNING: f"Epoch {run.epoch} of {run.epochs}" if run.epoch else "Getting the judged texts ready",
        RunState.EVALUATING: "Measuring",
    }
    return "Stopping" if run.open and run.cancel_asked else standings.get(run.state, "Done")


def _verdict(run: "Run") -> str:
    from storage.db.states import RunState

    if run.state is RunState.CANCELLED:
        return f"Run {run.id} was cancelled."
    if run.decision is None:
        return f"Run {run.id} failed: {run.error}"
    sentence = str(run.decision["sentence"])
    return f"{sentence} The new model is {run.candidate}." if run.candidate else sentence
