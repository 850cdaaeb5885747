"""The Celery application: settings, schedule and tasks."""

from typing import Any, Final

from celery import Celery

from broker.queues import (
    CHECK_TRIAL,
    EXECUTE_RUN,
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

# Seconds between two messages for each of the beat's tasks. A message expires when the next one is due.
SCHEDULE: Final = {SWEEP: 5, CHECK_TRIAL: 15, START_DUE: 60, PRUNE: 60 * 60}

_SETTINGS: Final[dict[str, Any]] = {
    "result_backend": None,
    "result_accept_content": ["json"],
    # Acknowledge a message only after its task has ended, even if the process that runs the task is killed.
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    # A process that is busy for hours must not hold messages that another process could handle.
    "worker_prefetch_multiplier": 1,
    # A lost broker connection must not end a run, because the run's lease is in the database.
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "broker_connection_retry": True,
    "broker_connection_max_retries": None,
    "worker_enable_remote_control": False,
    "worker_send_task_events": False,
    # Maximum number of seconds that a new process may take to start, because the machine may be busy training.
    "worker_proc_alive_timeout": 60.0,
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    # The schedule isn't stored and starts again with each beat, because running a task too often is harmless.
    "beat_scheduler": "worker.celery_parts:Scheduler",
    "worker_consumer": "worker.celery_parts:Consumer",
    # Reducing the prefetch count has no effect with a multiplier of 1, but Celery logs it at each outage.
    "worker_enable_prefetch_count_reduction": False,
    # Maximum number of seconds that the beat sleeps. While asleep, the beat cannot notice a request to stop.
    "beat_max_loop_interval": 1,
    "timezone": "UTC",
}


def make_app(settings: Settings, stop: StopWithParent) -> Celery:
    """Return the application that workers and the beat run.

    Raise BadSetting if the broker is not supported.
    """
    app = producer(settings)
    app.conf.update(_SETTINGS)
    app.conf.beat_schedule = {
        name: {"task": name, "schedule": seconds, "options": {"queue": HOUSEKEEPING, "expires": seconds}}
        for name, seconds in SCHEDULE.items()
    }
    tasks = Tasks(settings, stop)
    # Typing is off because Celery would expect a method's ``self`` among the message's arguments.
    app.task(
        tasks.execute_run,
        name=EXECUTE_RUN,
        typing=False,
        shared=False,
        soft_time_limit=SOFT_LIMIT,
        time_limit=HARD_LIMIT,
    )
    housekeeping = {
        SWEEP: tasks.sweep,
        CHECK_TRIAL: tasks.check_trial,
        START_DUE: tasks.start_due_run,
        PRUNE: tasks.prune,
    }
    for name, task in housekeeping.items():
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
