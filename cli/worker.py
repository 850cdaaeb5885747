"""``thumbs worker`` and ``thumbs beat``: start a worker, and the scheduler of its periodic tasks."""

from enum import StrEnum
from typing import Annotated

import typer


class Queue(StrEnum):
    """A queue to consume. Repeats ``broker.queues``, which imports Celery and would slow down every --help."""

    FINE_TUNING = "fine-tuning"
    HOUSEKEEPING = "housekeeping"


def worker(
    queues: Annotated[
        list[Queue] | None, typer.Option("--queue", help="Queue to consume; may be repeated. Default: all queues.")
    ] = None,
    beat: Annotated[bool, typer.Option("--beat", help="Run the scheduler too; exactly one process may.")] = False,
) -> None:
    """Start a worker, which fine-tunes, evaluates and publishes models until it is stopped.

    Needs the training environment, the bot's encryption key and database, and a broker that the bot reaches. If the
    worker stops during a run, another worker resumes the run.

    \b
    Examples:
      thumbs worker --beat
      BROKER_URL=redis://queue.example.org thumbs worker --queue fine-tuning
    """
    from core.settings import read_settings
    from worker.main import run_worker

    run_worker(read_settings(), [queue.value for queue in queues or Queue], beat=beat)


def beat() -> None:
    """Start the scheduler, which sends the periodic tasks: starting due runs, resuming lost ones, removing old models.

    Exactly one must run, either by this command or as part of a worker (thumbs worker --beat).

    \b
    Example:
      BROKER_URL=redis://queue.example.org thumbs beat
    """
    from core.settings import read_settings
    from worker.main import run_beat

    run_beat(read_settings())
