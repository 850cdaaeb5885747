"""Removes the files of models that nobody will go back to, and what killed publications left."""

import logging
import re
from pathlib import Path
from typing import Final

from core.settings import Settings
from ml.serving.artifact import MANIFEST, manifest_hash
from storage.db.database import Database
from storage.errors import LiveModelChanged
from storage.models import registry
from storage.models.artifact_store import ArtifactStore
from storage.models.registry import ModelVersion
from storage.training import runs

logger = logging.getLogger(__name__)

# How the names of models in the store begin, temporary ones too.
_RUN: Final = re.compile(r"\.?run(\d+)-")


def prune(database: Database, store: ArtifactStore, settings: Settings) -> list[str]:
    """Remove what has to go; the versions whose files went.

    The live model, the one before it, the anchor, the starter, the model that an open run has to beat and the newest
    KEEP_MODELS beside them stay. A model outside the store, such as the starter, is never removed.
    """
    present = store.names()  # before the registry is read: what is published after this is not taken for a left-over
    with database.reading() as unit:
        versions = [version for version in registry.versions(unit) if version.removed_at is None]
        run = runs.open_run(unit)
        before = registry.earlier_live_models(unit)[:1]
    in_use = {run.champion if run else None, *(version.version for version in before)}
    kept = {manifest_hash(folder) for folder in (settings.anchor, settings.model) if (folder / MANIFEST).is_file()}
    others = [
        version
        for version in versions
        if not (_outside(version) or version.live or version.version in in_use or version.manifest_sha256 in kept)
    ]
    gone = [version for version in others[settings.keep_models :] if _removed(database, store, version)]
    # MODEL may name a folder of the store by its path.
    known = {Path(version.location).name for version in versions}
    for name in present:
        found = _RUN.match(name)
        if found and name not in known and (run is None or int(found[1]) != run.id):
            store.remove(name)
            logger.info("Removed %s, which no run finished publishing", name)
    return [version.version for version in gone]


def _outside(version: ModelVersion) -> bool:
    return Path(version.location).name != version.location


def _removed(database: Database, store: ArtifactStore, version: ModelVersion) -> bool:
    """Remove one model: first in the registry, so that nobody makes it live meanwhile."""
    try:
        with database.unit_of_work() as unit:
            registry.mark_removed(unit, version.version)
    except LiveModelChanged:
        return False
    store.remove(version.location)
    logger.info("Removed model %s", version.version)
    return True
