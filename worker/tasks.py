"""The Celery tasks, which open this process's database, call the code that does the work, and notify workers.

During an outage, a task ends without an error, because the beat sends it again and the sweep finds runs without a
worker.
"""

import logging
from datetime import UTC, datetime
from functools import cached_property

from broker.queues import notify_worker, queue_length
from core.settings import Settings
from ml.errors import UnusableArtifact
from storage.db.database import Database
from storage.db.encryption import read_keys
from storage.errors import StorageError
from storage.models.artifact_store import ArtifactStore
from worker.outages import unless_broker_is_away, unless_database_is_away
from worker.runs import executor, model_pruning, scheduling, trial_check
from worker.runs.run_directory import remove_stale_directories
from worker.stop_with_parent import StopWithParent

logger = logging.getLogger(__name__)


class Tasks:
    """One method per Celery task. The database is opened on first use, in the process that runs the task."""

    def __init__(self, settings: Settings, stop: StopWithParent) -> None:
        self._settings = settings
        self._stop = stop

    def execute_run(self, run_id: int) -> None:
        """Execute a training run, then remove files that are no longer needed."""
        with unless_database_is_away():
            context = executor.WorkerContext(self._settings, self._database, self._stop.stopping)
            executor.execute_run(context, run_id)
        self.prune()

    def sweep(self) -> None:
        """Send a new message for each open run that has no worker, whether its message was lost or its worker died."""
        unclaimed: list[int] = []
        with unless_database_is_away():
            unclaimed = scheduling.unclaimed_runs(self._database)
        with unless_broker_is_away():
            # If messages are pending, no worker is free, and more messages would only pile up.
            if unclaimed and not queue_length(self._settings):
                for run_id in unclaimed:
                    notify_worker(self._settings, run_id)

    def start_due_run(self) -> None:
        """Start a feedback round if one is due."""
        with unless_database_is_away():
            run = scheduling.start_due_run(self._database, self._settings, datetime.now(UTC))
            if run is not None:
                notify_worker(self._settings, run.id)

    def prune(self) -> None:
        """Remove finished runs' directories, and models that are no longer needed."""
        with unless_database_is_away():
            remove_stale_directories(self._settings, scheduling.open_run_id(self._database))
            model_pruning.prune(self._database, ArtifactStore.open(self._settings.store_address), self._settings)

    def check_trial(self) -> None:
        """Compare the model on trial, if any, with the champion on new votes, and confirm it or roll it back."""
        with unless_database_is_away():
            try:
                trial_check.check_trial(self._database, self._settings)
            except (UnusableArtifact, StorageError) as error:
                logger.warning("The trial waits, because the model to compare with cannot be loaded: %s", error)

    @cached_property
    def _database(self) -> Database:
        return Database.open(self._settings.database_address, read_keys(self._settings))
