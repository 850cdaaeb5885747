"""``thumbs worker`` and ``thumbs beat``: the processes that fine-tune, and the clock that starts what is due."""

from enum import StrEnum
from typing import Annotated

import typer


class Queue(StrEnum):
    """A queue that a worker consumes: those of ``broker.queues``, which loads Celery and would slow every help down."""

    FINE_TUNING = "fine-tuning"
    HOUSEKEEPING = "housekeeping"


def worker(
    queues: Annotated[
        list[Queue] | None, typer.Option("--queue", help="A queue to consume; give it again for more. All by default.")
    ] = None,
    beat: Annotated[bool, typer.Option("--beat", help="Keep the schedule too; exactly one process may.")] = False,
) -> None:
    """Start a worker: it fine-tunes, measures and publishes models until it is told to stop.

    Needs the environment of fine-tuning, the bot's encryption key and database, and a broker that the bot reaches.
    A run that it is busy with goes on with the next worker.

    \b
    Examples:
      thumbs worker --beat
      BROKER_URL=redis://queue.example.org thumbs worker --queue fine-tuning
    """
    from core.settings import read_settings
    from worker.main import run_worker

    run_worker(read_settings(), [queue.value for queue in queues or Queue], beat=beat)


def beat() -> None:
    """Start the clock that has due runs started, lost ones taken up again, and old models removed.

    Exactly one has to run, here or as part of a worker.

    \b
    Example:
      BROKER_URL=redis://queue.example.org thumbs beat
    """
    from core.settings import read_settings
    from worker.main import run_beat

    run_beat(read_settings())
