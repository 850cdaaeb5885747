"""Fetches, verifies and loads versions from the model registry."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from core.errors import ThumbsError
from core.settings import Settings
from ml.errors import UnusableArtifact
from ml.serving.artifact import Manifest, manifest_hash, require_registered
from ml.serving.engine import Classifier
from storage.db.database import Database, UnitOfWork
from storage.errors import LiveModelChanged, ModelVersionTaken, StorageError
from storage.models import registry
from storage.models.artifact_store import ArtifactStore
from storage.models.registry import ModelVersion

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoadRefusal:
    """A version that could not be loaded, and the reason. It is ``transient`` if a later attempt may succeed."""

    model: ModelVersion
    reason: str
    transient: bool = False


@dataclass(frozen=True, slots=True)
class InitialModel:
    """The model that a bot starts with. ``refusal`` describes the live model if that model failed to load."""

    classifier: Classifier
    refusal: LoadRefusal | None


class ModelLoader:
    """Loads published versions from the registry."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def load(self, model: ModelVersion) -> Classifier:
        """Load a version. Checking its probes also warms up the engine.

        Raise UnusableArtifact if the files differ from the registered ones or do not work, and StoreUnusable or
        NotInTheStore if they cannot be fetched.
        """
        with self._files(model) as folder:
            require_registered(folder, model.version, model.manifest_sha256)
            classifier = Classifier.load(folder, self._settings.serving_threads)
        if classifier.version != model.version:
            reason = f"its version is {classifier.version}, but it was registered as {model.version}"
            raise UnusableArtifact(path=folder, reason=reason)
        return classifier

    @contextmanager
    def _files(self, model: ModelVersion) -> Iterator[Path]:
        """Yield the version's folder; a copy fetched from a remote store is deleted afterwards."""
        shipped = self._settings.model
        if _manifest_hash_of(shipped) == model.manifest_sha256:
            # The same model may have another path on the machine that registered it.
            yield shipped
            return
        with TemporaryDirectory(prefix="thumbs-") as directory:
            yield ArtifactStore.open(self._settings.store_address).fetch(model.location, Path(directory))


def initial_model(database: Database, settings: Settings) -> InitialModel:
    """Load the live version or, if that fails, the newest earlier live version that loads, or else MODEL.

    MODEL is registered, and becomes live if no version is. If not even MODEL can be loaded, raise the error from
    ``ModelLoader.load``.
    """
    with database.reading() as unit:
        live = registry.live_model(unit)
    if live is None:
        return InitialModel(_load_first(database, settings), None)
    return _load_live_or_earlier(database, settings, live)


def _load_first(database: Database, settings: Settings) -> Classifier:
    """Load MODEL and make it live, unless another model has gone live. The reloader then swaps to that model."""
    classifier = Classifier.load(settings.model, settings.serving_threads)
    with database.unit_of_work() as unit:
        _register(unit, settings.model)
    with suppress(LiveModelChanged), database.unit_of_work() as unit:
        if registry.live_model(unit) is None:
            registry.make_live(unit, classifier.version, "the bot started with it")
    return classifier


def _load_live_or_earlier(database: Database, settings: Settings, live: ModelVersion) -> InitialModel:
    loader = ModelLoader(settings)
    shipped_version = _register_shipped(database, settings.model)
    with database.reading() as unit:
        shipped = [] if shipped_version is None else [registry.get_version(unit, shipped_version)]
        candidates = list(dict.fromkeys([live, *registry.earlier_live_models(unit), *shipped]))
    refusal = None
    for model in candidates[:-1]:
        try:
            return InitialModel(loader.load(model), refusal)
        except ThumbsError as error:
            logger.warning("Could not load model %s; trying the one before it: %s", model.version, error)
            refusal = refusal or LoadRefusal(model, str(error), isinstance(error, StorageError))
    return InitialModel(loader.load(candidates[-1]), refusal)


def _register_shipped(database: Database, folder: Path) -> str | None:
    """Register MODEL and return its version, or None on failure, which matters only if all other models fail too."""
    try:
        with database.unit_of_work() as unit:
            return _register(unit, folder)
    except (UnusableArtifact, ModelVersionTaken) as error:
        logger.warning("The model that MODEL names is not available as a fallback: %s", error)
        return None


def _register(unit: UnitOfWork, folder: Path) -> str:
    """Register the model in ``folder`` and return its version."""
    version = Manifest.read(folder).version
    registry.register(unit, version, manifest_hash(folder), str(folder.absolute()))
    return version


def _manifest_hash_of(folder: Path) -> str | None:
    try:
        return manifest_hash(folder)
    except OSError:
        return None
