"""Gives access to the files of registered models and of the model that ships with the program."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from core.settings import Settings
from ml.errors import UnusableArtifact
from ml.serving.artifact import Manifest, holds_model, manifest_hash, require_registered
from storage.db.database import Database
from storage.errors import LiveModelChanged, ModelRemoved
from storage.models.artifact_store import ArtifactStore
from storage.models.registry import ModelVersion
from storage.models.shipped import ShippedModel, replace_live


def read_shipped(settings: Settings) -> ShippedModel:
    """Return the model that the MODEL setting names. Raise UnusableArtifact if its manifest cannot be read."""
    folder = settings.model.absolute()
    version = Manifest.read(folder).version
    return ShippedModel(version, manifest_hash(folder), folder)


def adopt_shipped(database: Database, settings: Settings) -> None:
    """Make MODEL live if a program update replaced the live model with it. Raise ModelVersionTaken if that fails."""
    # Another process may be doing the same.
    with suppress(UnusableArtifact, LiveModelChanged, ModelRemoved), database.unit_of_work() as unit:
        replace_live(unit, read_shipped(settings))


@contextmanager
def model_files(settings: Settings, model: ModelVersion) -> Iterator[Path]:
    """Yield the version's folder. A copy fetched from a remote store is deleted afterwards.

    Raise UnusableArtifact if the manifest is not the registered one, or StoreUnusable, NotInTheStore or
    ModelFolderUnusable if the files cannot be fetched.
    """
    # The same model may have a different path on the machine that registered it.
    if holds_model(settings.model, model.manifest_sha256):
        yield settings.model
        return
    with TemporaryDirectory(prefix="thumbs-") as directory:
        folder = ArtifactStore.open(settings.store_address).fetch(model.location, Path(directory))
        require_registered(folder, model.version, model.manifest_sha256)
        yield folder
