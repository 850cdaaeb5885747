"""Takes a run's snapshot and builds the trainer's job from it."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from core.settings import Settings
from ml.errors import UnusableArtifact
from ml.serving.artifact import Manifest, holds_model, manifest_hash, require_registered
from ml.training.recipe import Recipe
from storage.db.database import Database
from storage.db.states import RunKind, SnapshotPart
from storage.errors import LiveModelChanged, ModelRemoved
from storage.feedback.eligibility import EligibilityRules
from storage.models import registry
from storage.models.artifact_store import ArtifactStore
from storage.models.registry import ModelVersion
from storage.models.shipped import ShippedModel, replace_live
from storage.training import runs, snapshots
from storage.training.runs import Lease, Run
from worker.errors import NoLiveModel, NothingToLearn
from worker.runs.run_directory import RunDirectory
from worker.trainer.protocol import Job


def take_snapshot(database: Database, settings: Settings, lease: Lease) -> Lease:
    """Record which texts the run uses, unless an earlier attempt did. Return the lease with the updated run.

    Raise NoLiveModel if there is no live model to compare with, and LeaseLost if the lease was lost.
    """
    if lease.run.snapshot_at is not None:
        return lease
    _adopt_shipped(database, settings)
    with database.unit_of_work() as unit:
        champion = registry.baseline(unit)
        if champion is None:
            raise NoLiveModel
        snapshots.create_snapshot(
            unit, lease, EligibilityRules.from_settings(settings), frozenset(settings.admin_ids), champion.version
        )
        return replace(lease, run=runs.get_run(unit, lease.run.id))


def build_job(database: Database, settings: Settings, store: ArtifactStore, run: Run, directory: RunDirectory) -> Job:
    """Return the trainer's job, with the current texts and labels for the snapshot.

    Raise NothingToLearn if a feedback round has nothing to train on. If the live model's files are missing, raise
    ModelRemoved, NotInTheStore or ModelFolderUnusable. If the files differ from those in the registry, raise
    UnusableArtifact.
    """
    with database.reading() as unit:
        train = snapshots.labelled_texts(unit, run.id, SnapshotPart.TRAIN)
        measure = snapshots.labelled_texts(unit, run.id, SnapshotPart.MEASURE)
        not_reviews = snapshots.labelled_texts(unit, run.id, SnapshotPart.NOT_REVIEW)
        champion = registry.get_version(unit, run.champion or "")
        known = [] if champion.run_id is None else snapshots.trained_before(unit, run.id, champion.run_id)
    is_feedback_round = run.kind is RunKind.FEEDBACK_ROUND
    if is_feedback_round and not train:
        raise NothingToLearn
    files = _champion_files(settings, store, champion, directory)
    if is_feedback_round:
        recipe, base = settings.feedback_recipe, str(settings.anchor.absolute())
    else:
        recipe = settings.full_recipe
        base = settings.base_model or Recipe.load(recipe).base
    return Job(
        run_id=run.id,
        recipe=recipe,
        base=base,
        directory=str(directory.path),
        champion=str(files.absolute()),
        imdb=settings.imdb_path,
        train=tuple(train),
        measure=tuple(measure),
        known=tuple(known),
        not_reviews=tuple(row.text for row in not_reviews),
        gate_cache=str(settings.data_dir.resolve() / "gate"),
    )


def _adopt_shipped(database: Database, settings: Settings) -> None:
    """Make MODEL live if a program update replaced the live model with it. The bot does the same at startup."""
    folder = settings.model.absolute()
    with suppress(UnusableArtifact, LiveModelChanged, ModelRemoved):
        shipped = ShippedModel(Manifest.read(folder).version, manifest_hash(folder), folder)
        with database.unit_of_work() as unit:
            replace_live(unit, shipped)


def _champion_files(settings: Settings, store: ArtifactStore, champion: ModelVersion, directory: RunDirectory) -> Path:
    # The same model may have a different path on the machine that registered it.
    if holds_model(settings.model, champion.manifest_sha256):
        return settings.model
    if champion.removed_at is not None:
        raise ModelRemoved(version=champion.version)
    files = store.fetch(champion.location, directory.path / "champion")
    require_registered(files, champion.version, champion.manifest_sha256)
    return files
