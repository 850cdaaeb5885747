"""The end of a run that trained: the candidate goes to the store, and one unit of work says all that came of it."""

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
class Result:
    """What a run came to: the trainer's last word, the gate's, and the chart that goes with it."""

    done: Done
    decision: Decision
    card: bytes | None


def publish(database: Database, store: ArtifactStore, lease: Lease, room: RunDirectory, result: Result) -> RunState:
    """Publish the candidate unless it was rejected, and end the run; the state that it ends in.

    A candidate that was compared with a model which is not live any more is held. Raises UnusableArtifact when the
    candidate is not what the trainer measured, StoreUnusable, RunCancelled when somebody asked for that meanwhile, and
    LeaseLost when the run is another's by now: of these two nothing comes but files that nobody names.
    """
    location = None
    if result.decision.outcome is not RunState.REJECTED:
        _verify(room, result.done)
        location = store.put(room.candidate, store_name(lease.run.id, result.done))
    try:
        _end(database, lease, location, result)
    except LiveModelChanged as change:
        sentence = f"Held: the live model changed from {lease.run.champion} while this run went on, so it has to be "
        sentence += "compared anew."
        logger.info("Run %d: %s", lease.run.id, change)
        result = replace(result, decision=replace(result.decision, outcome=RunState.HELD, sentence=sentence))
        _end(database, lease, location, result)
    return result.decision.outcome


def store_name(run_id: int, done: Done) -> str:
    """The candidate's name in the store, which tells the run and the contents."""
    return f"run{run_id}-{done.version}-{done.manifest_sha256[:12]}"


def _verify(room: RunDirectory, done: Done) -> None:
    manifest = verified_manifest(room.candidate)
    if manifest.version != done.version or manifest_hash(room.candidate) != done.manifest_sha256:
        raise UnusableArtifact(path=room.candidate, reason="it is not the model that was measured")


def _end(database: Database, lease: Lease, location: str | None, result: Result) -> None:
    done, decision = result.done, result.decision
    with database.unit_of_work() as unit:
        if runs.renew(unit, lease):
            raise RunCancelled(run_id=lease.run.id)
        if location is not None:
            registry.register(unit, done.version, done.manifest_sha256, location, lease.run.id)
        if decision.outcome is RunState.PROMOTED:
            registry.make_live(unit, done.version, decision.sentence, instead_of=lease.run.champion)
        runs.finish(unit, lease, decision.outcome, candidate=done.version, decision=decision.record(), card=result.card)
