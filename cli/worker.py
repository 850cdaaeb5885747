"""``thumbs worker`` starts a worker, and ``thumbs beat`` starts the scheduler for periodic tasks."""

from enum import StrEnum
from typing import Annotated

import typer


class Queue(StrEnum):
    """A queue to consume. The names are copied from ``broker.queues``, because importing it would slow down --help."""

    FINE_TUNING = "fine-tuning"
    HOUSEKEEPING = "housekeeping"


def worker(
    queues: Annotated[
        list[Queue] | None, typer.Option("--queue", help="Queue to consume; may be repeated. Default: all queues.")
    ] = None,
    beat: Annotated[
        bool, typer.Option("--beat", help="Run the scheduler too. Only one process may run the scheduler.")
    ] = False,
) -> None:
    """Start a worker that trains, evaluates and publishes models.

    A worker runs until it is stopped. It needs the bot's encryption key and database, and a broker that the bot can
    reach. It also needs the training environment, unless it consumes only the housekeeping queue or TRAINING_PYTHON is
    set. If the worker stops during a run, another worker resumes the run.

    \b
    Examples:
      thumbs worker --beat
      BROKER_URL=redis://queue.example.org thumbs worker --queue fine-tuning
    """
    from core.settings import read_settings
    from worker.main import run_worker

    run_worker(read_settings(), [queue.value for queue in queues or Queue], beat=beat)


def beat() -> None:
    """Start the scheduler for periodic tasks.

    The tasks start due runs, resume lost runs and remove old models.

    Exactly one scheduler must run: either this command or a worker with --beat.

    \b
    Example:
      BROKER_URL=redis://queue.example.org thumbs beat
    """
    from core.settings import read_settings
    from worker.main import run_beat

    run_beat(read_settings())
