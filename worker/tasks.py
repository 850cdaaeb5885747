"""The tasks, each a thin edge: this process's database in, the work, and a nudge where one is due."""

from datetime import UTC, datetime
from functools import cached_property

from config.queues import nudge, waiting
from config.settings import Settings
from storage.artifact_store import ArtifactStore
from storage.database import Database
from storage.encryption import read_keys
from worker import fine_tuning, pruning, retraining
from worker.leash import Leash
from worker.workroom import clear_rooms


class Tasks:
    """What the queues' messages ask for. The database is opened in the process that carries the first task out."""

    def __init__(self, settings: Settings, leash: Leash) -> None:
        self._settings = settings
        self._leash = leash

    def carry_out(self, run_id: int) -> None:
        """Carry a training run out, and remove what is one too many after it."""
        place = fine_tuning.Workplace(self._settings, self._database, self._leash.stopping)
        fine_tuning.carry_out(place, run_id)
        self.prune()

    def sweep(self) -> None:
        """Tell the workers again of runs that nobody carries out: the message got lost, or the worker did."""
        unattended = retraining.unattended(self._database)
        # While messages wait, nobody is free, and more of them would only pile up.
        if unattended and not waiting(self._settings):
            for run_id in unattended:
                nudge(self._settings, run_id)

    def start_due(self) -> None:
        """Start a feedback round when one is due."""
        run = retraining.start_due(self._database, self._settings, datetime.now(UTC))
        if run is not None:
            nudge(self._settings, run.id)

    def prune(self) -> None:
        """Remove what ended runs left in their folders, and models beyond those that are kept."""
        clear_rooms(self._settings, retraining.open_run(self._database))
        pruning.prune(self._database, ArtifactStore.open(self._settings.store_address), self._settings)

    @cached_property
    def _database(self) -> Database:
        return Database.open(self._settings.database_address, read_keys(self._settings))
