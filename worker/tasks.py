"""The tasks, each a thin edge: this process's database in, the work, and a nudge where one is due."""

from datetime import UTC, datetime
from functools import cached_property

from broker.queues import notify_worker, queue_length
from core.settings import Settings
from storage.db.database import Database
from storage.db.encryption import read_keys
from storage.models.artifact_store import ArtifactStore
from worker.runs import executor, model_pruning, scheduling
from worker.runs.run_directory import remove_stale_directories
from worker.stop_with_parent import StopWithParent


class Tasks:
    """What the queues' messages ask for. The database is opened in the process that carries the first task out."""

    def __init__(self, settings: Settings, leash: StopWithParent) -> None:
        self._settings = settings
        self._leash = leash

    def carry_out(self, run_id: int) -> None:
        """Carry a training run out, and remove what is one too many after it."""
        place = executor.WorkerContext(self._settings, self._database, self._leash.stopping)
        executor.execute_run(place, run_id)
        self.prune()

    def sweep(self) -> None:
        """Tell the workers again of runs that nobody carries out: the message got lost, or the worker did."""
        unattended = scheduling.unclaimed_runs(self._database)
        # While messages wait, nobody is free, and more of them would only pile up.
        if unattended and not queue_length(self._settings):
            for run_id in unattended:
                notify_worker(self._settings, run_id)

    def start_due(self) -> None:
        """Start a feedback round when one is due."""
        run = scheduling.start_due(self._database, self._settings, datetime.now(UTC))
        if run is not None:
            notify_worker(self._settings, run.id)

    def prune(self) -> None:
        """Remove what ended runs left in their folders, and models beyond those that are kept."""
        remove_stale_directories(self._settings, scheduling.open_run(self._database))
        model_pruning.prune(self._database, ArtifactStore.open(self._settings.store_address), self._settings)

    @cached_property
    def _database(self) -> Database:
        return Database.open(self._settings.database_address, read_keys(self._settings))
