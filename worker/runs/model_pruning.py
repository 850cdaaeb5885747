"""Removes models that are no longer needed, and the leftovers of interrupted publications."""

import logging
import re
from pathlib import Path
from typing import Final

from core.settings import Settings
from ml.serving.artifact import MANIFEST, manifest_hash
from storage.db.database import Database
from storage.errors import LiveModelChanged
from storage.models import registry, trials
from storage.models.artifact_store import ArtifactStore
from storage.models.registry import ModelVersion
from storage.training import runs

logger = logging.getLogger(__name__)

# Matches the names of the runs' models in the store. A leading dot marks an upload in progress.
_RUN_ARTIFACT: Final = re.compile(r"\.?run(\d+)-")


def prune(database: Database, store: ArtifactStore, settings: Settings) -> list[str]:
    """Remove old models and interrupted publications from the store, and return the removed versions.

    Keep the live model, the model that a rollback would return to, the model that a trial may bring back, the anchor,
    the starter, the model that an open run is compared with, and the newest KEEP_MODELS others. Never remove a model
    outside the store, such as the starter.
    """
    # List the store before reading the registry: a model published in between must not look like a leftover.
    present = store.names()
    with database.reading() as unit:
        versions = [version for version in registry.versions(unit) if version.removed_at is None]
        run = runs.open_run(unit)
        previous = registry.rollback_targets(unit)[:1]
        trial = trials.running_trial(unit)
    in_use = {run and run.champion, trial and trial.champion, *(version.version for version in previous)}
    pinned = {manifest_hash(folder) for folder in (settings.anchor, settings.model) if (folder / MANIFEST).is_file()}
    removable = [
        version
        for version in versions
        if not (
            _is_outside_store(version) or version.live or version.version in in_use or version.manifest_sha256 in pinned
        )
    ]
    removed = [version for version in removable[settings.keep_models :] if _remove_model(database, store, version)]
    # Compare by folder name, because MODEL may contain the path of a folder in the store.
    registered = {Path(version.location).name for version in versions}
    for name in present:
        found = _RUN_ARTIFACT.match(name)
        if found and name not in registered and (run is None or int(found[1]) != run.id):
            store.remove(name)
            logger.info("Removed %s, left by an interrupted publication", name)
    return [version.version for version in removed]


def _is_outside_store(version: ModelVersion) -> bool:
    return Path(version.location).name != version.location


def _remove_model(database: Database, store: ArtifactStore, version: ModelVersion) -> bool:
    """Remove one model, or return False if it is live.

    The model is removed from the registry first, so that it cannot go live in the meantime.
    """
    try:
        with database.unit_of_work() as unit:
            registry.mark_removed(unit, version.version)
    except LiveModelChanged:
        return False
    store.remove(version.location)
    logger.info("Removed model %s", version.version)
    return True
