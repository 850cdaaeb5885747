"""Adds the published models to a backup."""

from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from core.errors import UnusablePath
from core.paths import STARTER
from core.settings import Settings
from ml.errors import UnusableArtifact
from ml.serving.artifact import holds_model, require_registered
from storage.backup.archive import BackupWriter, model_name
from storage.db.database import Database
from storage.errors import ModelFolderUnusable, NotInTheStore
from storage.models import registry
from storage.models.artifact_store import ArtifactStore, is_folder
from storage.models.registry import ModelVersion


def add_models(settings: Settings, database: Database, writer: BackupWriter, versions: list[ModelVersion]) -> list[str]:
    """Add every model except the starter, which every installation already has.

    Print the versions of the models whose files are missing or unreadable, and return them.
    """
    missing = []
    for version in versions:
        is_outside_store = is_folder(version.location)
        if version.removed_at is not None or (is_outside_store and holds_model(STARTER, version.manifest_sha256)):
            continue
        name = model_name(version.version, version.manifest_sha256) if is_outside_store else version.location
        try:
            with TemporaryDirectory() as folder:
                writer.add_model(name, _model_folder(settings, version, Path(folder)))
        except (ModelFolderUnusable, NotInTheStore, UnusableArtifact, UnusablePath) as error:
            if _was_removed(database, version):
                typer.echo(
                    f"Model {version.version} was removed in the meantime, so it is not in the backup.", err=True
                )
            else:
                typer.echo(f"Model {version.version} is not in the backup. {error}", err=True)
                missing.append(version.version)
    return missing


def _model_folder(settings: Settings, version: ModelVersion, into: Path) -> Path:
    """Return the folder with a model's files, which is MODEL if MODEL contains the model.

    A remote model is copied to ``into``. Raise ModelFolderUnusable, NotInTheStore or UnusableArtifact if the files are
    missing.
    """
    # The model may have been moved since it was registered.
    if holds_model(settings.model, version.manifest_sha256):
        return settings.model
    folder = ArtifactStore.open(settings.store_address).fetch(version.location, into)
    if is_folder(version.location):
        require_registered(folder, version.version, version.manifest_sha256)
    return folder


def _was_removed(database: Database, version: ModelVersion) -> bool:
    """Return whether the worker or an operator has removed a model since the backup started."""
    with database.reading() as unit:
        return registry.get_version(unit, version.version).removed_at is not None
