"""Publishes a candidate: uploads it to the artifact store and records the run's result in one unit of work."""

import logging
from dataclasses import dataclass, replace

from ml.errors import UnusableArtifact
from ml.serving.artifact import manifest_hash, verified_manifest
from storage.db.database import Database
from storage.db.states import RunState
from storage.errors import LiveModelChanged
from storage.models import registry
from storage.models.artifact_store import ArtifactStore
from storage.training import runs
from storage.training.runs import Lease
from worker.errors import RunCancelled
from worker.gate.decision import Decision
from worker.runs.run_directory import RunDirectory
from worker.trainer.protocol import Done

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run's result: the trainer's measurements, the gate's decision, and its chart as a PNG, if one was drawn."""

    done: Done
    decision: Decision
    chart: bytes | None


def publish(
    database: Database, store: ArtifactStore, lease: Lease, directory: RunDirectory, result: RunResult
) -> RunState:
    """Publish the candidate unless it was rejected, end the run, and return its final state.

    If the live model changed during the run, hold the candidate, because it was compared with the wrong model.

    Raise UnusableArtifact if the candidate is not the model that was evaluated, and StoreUnusable if the store cannot
    be used. Raise RunCancelled if the run has been cancelled, and LeaseLost if another worker has taken over the run.
    After RunCancelled or LeaseLost, the store may contain files that are not in the registry.
    """
    location = None
    if result.decision.outcome is not RunState.REJECTED:
        _verify_candidate(directory, result.done)
        location = store.put(directory.candidate, artifact_name(lease.run.id, result.done))
    try:
        _record_result(database, lease, location, result)
    except LiveModelChanged as change:
        logger.info("Run %d: %s", lease.run.id, change)
        sentence = (
            f"Held: the live model changed from {lease.run.champion} during this run, "
            "so the candidate must be compared again."
        )
        result = replace(result, decision=replace(result.decision, outcome=RunState.HELD, sentence=sentence))
        _record_result(database, lease, location, result)
    return result.decision.outcome


def artifact_name(run_id: int, done: Done) -> str:
    """Return the candidate's name in the store, composed of the run, the version and a hash of the contents."""
    return f"run{run_id}-{done.version}-{done.manifest_sha256[:12]}"


def _verify_candidate(directory: RunDirectory, done: Done) -> None:
    manifest = verified_manifest(directory.candidate)
    if manifest.version != done.version or manifest_hash(directory.candidate) != done.manifest_sha256:
        raise UnusableArtifact(path=directory.candidate, reason="it is not the model that was evaluated")


def _record_result(database: Database, lease: Lease, location: str | None, result: RunResult) -> None:
    done, decision = result.done, result.decision
    with database.unit_of_work() as unit:
        cancel_requested = runs.renew(unit, lease)
        if cancel_requested:
            raise RunCancelled(run_id=lease.run.id)
        if location is not None:
            registry.register(unit, done.version, done.manifest_sha256, location, lease.run.id)
        if decision.outcome is RunState.PROMOTED:
            registry.make_live(unit, done.version, decision.sentence, instead_of=lease.run.champion)
        elif decision.outcome is RunState.TRIAL:
            registry.begin_trial(unit, done.version, decision.sentence, None, lease.run.champion or "")
        runs.finish(
            unit, lease, decision.outcome, candidate=done.version, decision=decision.record(), card=result.chart
        )
