"""From a row of the registry to a model in memory: fetched, vouched for, verified and warm."""

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
    """A version that was not taken, and the sentence that says why; ``passing`` when another try may end better."""

    model: ModelVersion
    reason: str
    passing: bool = False


@dataclass(frozen=True, slots=True)
class InitialModel:
    """The model that a starting bot answers with; ``refusal`` is of the live one, when that could not be loaded."""

    classifier: Classifier
    refusal: LoadRefusal | None


class ModelLoader:
    """Loads published versions by what the registry says of them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def load(self, model: ModelVersion) -> Classifier:
        """Load a version; the probes that are checked warm the engine.

        Raises UnusableArtifact when the files are not those that the registry vouches for or do not work, and
        StoreUnusable or NotInTheStore when they cannot be had now.
        """
        with self._files(model) as folder:
            require_registered(folder, model.version, model.manifest_sha256)
            classifier = Classifier.load(folder, self._settings.serving_threads)
        if classifier.version != model.version:
            reason = f"it calls itself {classifier.version} and was registered as {model.version}"
            raise UnusableArtifact(path=folder, reason=reason)
        return classifier

    @contextmanager
    def _files(self, model: ModelVersion) -> Iterator[Path]:
        """The version's folder for as long as it is read; a copy from a far store goes again."""
        own = self._settings.model
        if _hash_of(own) == model.manifest_sha256:
            # The same model may lie elsewhere on the machine that registered it.
            yield own
            return
        with TemporaryDirectory(prefix="thumbs-") as place:
            yield ArtifactStore.open(self._settings.store_address).fetch(model.location, Path(place))


def initial_model(database: Database, settings: Settings) -> InitialModel:
    """Load what a starting bot answers with: the live version, or the newest before it that can be loaded, or MODEL.

    MODEL is entered in the registry, and goes live where no version is. Raises what ``Loader.load`` does when not even
    MODEL can be used.
    """
    with database.reading() as unit:
        live = registry.live_model(unit)
    return InitialModel(_begin(database, settings), None) if live is None else _resume(database, settings, live)


def _begin(database: Database, settings: Settings) -> Classifier:
    """The first start of all: MODEL goes live, unless another bot's does meanwhile, which is swapped to later."""
    classifier = Classifier.load(settings.model, settings.serving_threads)
    with database.unit_of_work() as unit:
        _enter(unit, settings.model)
    with suppress(LiveModelChanged), database.unit_of_work() as unit:
        if registry.live_model(unit) is None:
            registry.make_live(unit, classifier.version, "the bot started with it")
    return classifier


def _resume(database: Database, settings: Settings, live: ModelVersion) -> InitialModel:
    loader = ModelLoader(settings)
    own = _own(database, settings.model)
    with database.reading() as unit:
        shipped = [] if own is None else [registry.get_version(unit, own)]
        candidates = list(dict.fromkeys([live, *registry.earlier_live_models(unit), *shipped]))
    refusal = None
    for model in candidates[:-1]:
        try:
            return InitialModel(loader.load(model), refusal)
        except ThumbsError as error:
            logger.warning("Model %s cannot answer, so the one before it has to: %s", model.version, error)
            refusal = refusal or LoadRefusal(model, str(error), isinstance(error, StorageError))
    return InitialModel(loader.load(candidates[-1]), refusal)


def _own(database: Database, folder: Path) -> str | None:
    """MODEL's version, entered in the registry; None when it cannot be, which matters only when all others fail."""
    try:
        with database.unit_of_work() as unit:
            return _enter(unit, folder)
    except (UnusableArtifact, ModelVersionTaken) as error:
        logger.warning("The model that MODEL names is not there to fall back on: %s", error)
        return None


def _enter(unit: UnitOfWork, folder: Path) -> str:
    """Register the model in ``folder``; its version."""
    version = Manifest.read(folder).version
    registry.register(unit, version, manifest_hash(folder), str(folder.absolute()))
    return version


def _hash_of(folder: Path) -> str | None:
    try:
        return manifest_hash(folder)
    except OSError:
        return None
