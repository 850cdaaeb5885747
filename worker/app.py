"""The Celery application: its settings, its schedule and its tasks."""

from typing import Any, Final

from celery import Celery

from broker.queues import (
    CARRY_OUT,
    HARD_LIMIT,
    HOUSEKEEPING,
    HOUSEKEEPING_LIMIT,
    PRUNE,
    SOFT_LIMIT,
    START_DUE,
    SWEEP,
    producer,
)
from core.settings import Settings
from worker.stop_with_parent import StopWithParent
from worker.tasks import Tasks

# What the beat sends, and after how many seconds again. A message that waited so long is dropped for the next one.
SCHEDULE: Final = {SWEEP: 5, START_DUE: 60, PRUNE: 60 * 60}

_SETTINGS: Final[dict[str, Any]] = {
    "result_backend": None,
    "result_accept_content": ["json"],
    # A message goes only once its task has ended, whatever ends the process that carries it out.
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    # A process that is busy for hours hoards no messages that another could carry out.
    "worker_prefetch_multiplier": 1,
    # A connection that comes back is no reason to end a run, whose lease is kept in the database.
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "broker_connection_retry": True,
    "broker_connection_max_retries": None,
    "worker_enable_remote_control": False,
    "worker_send_task_events": False,
    # Seconds that a new process has to start in: the machine may be busy training.
    "worker_proc_alive_timeout": 60.0,
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    # The schedule begins anew at each start; every task in it may run once too often.
    "beat_scheduler": "celery.beat:Scheduler",
    # Seconds, at most, that the beat sleeps and does not hear that it has to stop.
    "beat_max_loop_interval": 1,
    "timezone": "UTC",
}


def make_app(settings: Settings, leash: StopWithParent) -> Celery:
    """The application that workers and the beat run. Raises BadSetting for a broker of another kind."""
    app = producer(settings)
    app.conf.update(_SETTINGS)
    app.conf.beat_schedule = {
        name: {"task": name, "schedule": seconds, "options": {"queue": HOUSEKEEPING, "expires": seconds}}
        for name, seconds in SCHEDULE.items()
    }
    tasks = Tasks(settings, leash)
    # Celery's check of a message's arguments takes a method's self for one of them.
    app.task(
        tasks.carry_out, name=CARRY_OUT, typing=False, shared=False, soft_time_limit=SOFT_LIMIT, time_limit=HARD_LIMIT
    )
    for name, task in ((SWEEP, tasks.sweep), (START_DUE, tasks.start_due), (PRUNE, tasks.prune)):
        app.task(
            task,
            name=name,
            typing=False,
            shared=False,
            soft_time_limit=HOUSEKEEPING_LIMIT,
            time_limit=HOUSEKEEPING_LIMIT + 60,
        )
    app.finalize()
    return app
