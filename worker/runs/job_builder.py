"""What a run trains on, measures by and has to beat: its snapshot, and the job that the trainer gets."""

from dataclasses import replace

from core.settings import Settings
from ml.serving.artifact import require_registered
from ml.training.recipe import Recipe
from storage.db.database import Database
from storage.db.states import RunKind, SnapshotPart
from storage.feedback.eligibility import EligibilityRules
from storage.models import registry
from storage.models.artifact_store import ArtifactStore
from storage.training import runs, snapshots
from storage.training.runs import Lease, Run
from worker.errors import NoLiveModel, NothingLeftToLearn, NothingToLearn
from worker.runs.run_directory import RunDirectory
from worker.trainer.protocol import Job


def take_snapshot(database: Database, settings: Settings, lease: Lease) -> Lease:
    """Write the run's data down, unless a former attempt did; the lease with the run as it is then.

    Raises NoLiveModel when there is none to beat, and LeaseLost.
    """
    if lease.run.snapshot_at is not None:
        return lease
    with database.unit_of_work() as unit:
        live = registry.live_model(unit)
        if live is None:
            raise NoLiveModel
        snapshots.create_snapshot(
            unit, lease, EligibilityRules.of(settings), frozenset(settings.admin_ids), live.version
        )
        return replace(lease, run=runs.get_run(unit, lease.run.id))


def build_job(database: Database, settings: Settings, store: ArtifactStore, run: Run, room: RunDirectory) -> Job:
    """The trainer's job, with the texts of the snapshot as they are now.

    Raises NothingToLearn or NothingLeftToLearn when a feedback round has none, NotInTheStore when the live model's
    files are gone, and UnusableArtifact when they are not those that the registry vouches for.
    """
    with database.reading() as unit:
        train = snapshots.labelled_texts(unit, run.id, SnapshotPart.TRAIN)
        held_out = [
            *snapshots.labelled_texts(unit, run.id, SnapshotPart.HELD_OUT),
            *snapshots.held_out_before(unit, run.id),
        ]
        champion = registry.get_version(unit, run.champion or "")
    round_of_feedback = run.kind is RunKind.FEEDBACK_ROUND
    if round_of_feedback and not train:
        raise NothingLeftToLearn(texts=len(held_out)) if held_out else NothingToLearn
    files = store.fetch(champion.location, room.folder / "champion")
    require_registered(files, champion.version, champion.manifest_sha256)
    recipe = settings.feedback_recipe if round_of_feedback else settings.full_recipe
    return Job(
        run_id=run.id,
        recipe=recipe,
        base=str(settings.anchor.absolute()) if round_of_feedback else settings.base_model or Recipe.load(recipe).base,
        work=str(room.folder),
        champion=str(files.absolute()),
        imdb=settings.imdb_path,
        train=tuple(train),
        held_out=tuple(held_out),
        gate_cache=str(settings.data_dir.resolve() / "gate"),
    )
