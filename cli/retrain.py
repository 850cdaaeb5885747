"""``thumbs retrain`` requests a training run and waits for its outcome."""

import dataclasses
import html
import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cli.errors import LearningPaused, RunInProgress
from cli.interrupts import stop_event
from cli.open_database import open_database
from cli.run_text import outcome_text, progress_text, request_text

if TYPE_CHECKING:
    from core.settings import Settings
    from storage.db.database import Database, UnitOfWork
    from storage.training.runs import Run

_POLL_SECONDS: Final = 0.5


def retrain(
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the run ends, and print its outcome.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Start from the base encoder and train on all of IMDB; needs a GPU.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the run as one JSON object.")] = False,
) -> None:
    """Request a training run, or join the one in progress.

    The command first says what the run will be able to prove from the current votes. If there are no usable votes, no
    run starts. A worker must be running, on this machine or another one. Ctrl-C stops the command, but the run
    continues. The exit status is 1 if the run in progress is of a different kind or, with --wait, if the run failed or
    was cancelled.

    \b
    Examples:
      thumbs retrain --wait
      thumbs retrain --full --json
    """
    from broker.queues import notify_worker
    from core.settings import read_settings
    from storage.db.states import RunKind, RunState, Trigger
    from storage.training import learning_pauses, runs

    settings = read_settings()
    with open_database(settings) as database:
        kind = RunKind.FULL_RUN if full else RunKind.FEEDBACK_ROUND
        with database.unit_of_work() as unit:
            if learning_pauses.is_paused(unit):
                raise LearningPaused
            if runs.open_run(unit) is None and kind is RunKind.FEEDBACK_ROUND:
                _print_forecast(unit, settings)
            request = runs.request_run(unit, kind, Trigger.ADMIN)
        if request.new:
            notify_worker(settings, request.run.id)
        # Ctrl-C sets an event, because interrupting a query would raise an error from the driver instead.
        with stop_event() as stopped:
            typer.echo(request_text(request.run, request.new), err=True)
            run = _wait_for_end(database, request.run.id, stopped) if wait else request.run
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(run), default=str))
    elif wait:
        typer.echo(outcome_text(run))
    if run.state in (RunState.FAILED, RunState.CANCELLED) or run.kind is not kind:
        raise typer.Exit(1)


def _print_forecast(unit: "UnitOfWork", settings: "Settings") -> None:
    """Say what the run will be able to prove. Raise NothingToLearn if there are no usable votes."""
    from bot.admin.forecast import read_forecast, render_forecast
    from bot.texts import FALLBACK, texts_for
    from worker.errors import NothingToLearn

    forecast = read_forecast(unit, settings)
    if not forecast.usable:
        raise NothingToLearn
    typer.echo(html.unescape(render_forecast(texts_for(FALLBACK), forecast, settings.feedback_quorum)), err=True)


def _wait_for_end(database: "Database", run_id: int, stopped: threading.Event) -> "Run":
    """Show the run's progress until it ends. Raise RunInProgress if ``stopped`` is set before that."""
    from cli.progress import progress_bar

    with progress_bar("{task.fields[speed]}") as bar:
        task = bar.add_task("Waiting for a worker", total=None, speed="")

        def show(run: "Run") -> None:
            speed = f"{run.samples_per_second:.1f} texts/s" if run.samples_per_second else ""
            done, total = (run.step, run.steps) if run.phase is None else (run.phase_done, run.phase_total)
            bar.update(task, description=progress_text(run), completed=done, total=total, speed=speed)

        return _poll(lambda: _read_run(database, run_id), show, stopped)


def _poll(read: "Callable[[], Run]", show: "Callable[[Run], None]", stopped: threading.Event) -> "Run":
    while True:
        run = read()
        show(run)
        if not run.open:
            return run
        if stopped.wait(_POLL_SECONDS):
            raise RunInProgress(number=run.number, state=run.state)


def _read_run(database: "Database", run_id: int) -> "Run":
    from storage.training import runs

    with database.reading() as unit:
        return runs.get_run(unit, run_id)
