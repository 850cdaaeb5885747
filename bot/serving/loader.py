"""Loads versions from the model registry, and chooses the version that a bot starts with."""

import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from bot.serving.model_files import model_files, read_shipped
from core.errors import ThumbsError
from core.settings import Settings
from ml.errors import UnusableArtifact
from ml.serving.artifact import is_replaced
from ml.serving.engine import Classifier
from storage.db.database import Database
from storage.errors import LiveModelChanged, ModelRemoved, ModelVersionTaken, StorageError, StoreUnusable
from storage.models import registry
from storage.models.registry import ModelVersion
from storage.models.shipped import register_shipped, retire_replaced

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoadRefusal:
    """A version that could not be loaded, and the reason. ``transient`` is true if a later attempt may succeed."""

    model: ModelVersion
    reason: str
    transient: bool = False

    @classmethod
    def of(cls, model: ModelVersion, error: ThumbsError) -> Self:
        """Return the refusal for a version that failed to load with ``error``."""
        return cls(model, str(error), isinstance(error, StorageError))


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
        """Load a version. Checking the model's probes also warms up the engine.

        Raise UnusableArtifact if the files differ from the registered ones or do not work, and StoreUnusable,
        NotInTheStore or ModelFolderUnusable if they cannot be fetched.
        """
        try:
            with model_files(self._settings, model) as folder:
                classifier = Classifier.load(folder, self._settings.serving_threads)
        except OSError as error:  # for example, if there is no space to copy a remote model
            address = self._settings.store_address
            raise StoreUnusable(address=address, reason=error.strerror or str(error)) from error
        if classifier.version != model.version:
            reason = f"its version is {classifier.version}, but it was registered as {model.version}"
            raise UnusableArtifact(path=folder, reason=reason)
        return classifier


def initial_model(database: Database, settings: Settings) -> InitialModel:
    """Load the live version. If that fails, load the first working rollback target, and if none works, load MODEL.

    MODEL is registered. MODEL becomes live if no version is live, or if a program update replaced the live version with
    it. If not even MODEL can be loaded, raise the error from ``ModelLoader.load``.
    """
    with database.reading() as unit:
        live = registry.live_model(unit)
    if live is None:
        return InitialModel(_load_first(database, settings), None)
    return _load_live_or_earlier(database, settings)


def _load_first(database: Database, settings: Settings) -> Classifier:
    """Load MODEL, and make it live unless another model has gone live.

    If another model has gone live, the reloader swaps to that model.
    """
    classifier = Classifier.load(settings.model, settings.serving_threads)
    with database.unit_of_work() as unit:
        register_shipped(unit, read_shipped(settings))
    with suppress(LiveModelChanged), database.unit_of_work() as unit:
        if registry.live_model(unit) is None:
            registry.make_live(unit, classifier.version, "the bot started with it")
    return classifier


def _load_live_or_earlier(database: Database, settings: Settings) -> InitialModel:
    loader = ModelLoader(settings)
    refusal: LoadRefusal | None = None
    *others, last = _candidates(database, _adopt_shipped(database, settings))
    for model in others:
        try:
            return InitialModel(loader.load(model), refusal)
        except ThumbsError as error:
            logger.warning("Could not load model %s; trying an earlier model: %s", model.version, error)
            refusal = refusal or LoadRefusal.of(model, error)
    return InitialModel(loader.load(last), refusal)


def _candidates(database: Database, shipped: str | None) -> list[ModelVersion]:
    """Return the live version, followed by the rollback targets (best first) and the shipped version."""
    with database.reading() as unit:
        live = registry.live_model(unit)
        found = [*([live] if live else []), *registry.rollback_targets(unit)]
        if shipped is not None:
            found.append(registry.get_version(unit, shipped))
    return list(dict.fromkeys(found))


def _adopt_shipped(database: Database, settings: Settings) -> str | None:
    """Register MODEL, retire the models that it replaced, and return its version.

    Return None on failure, which matters only if all other models fail too.
    """
    try:
        shipped = read_shipped(settings)
        with database.unit_of_work() as unit:
            register_shipped(unit, shipped)
    except (UnusableArtifact, ModelVersionTaken) as error:
        logger.warning("The model that MODEL names is not available as a fallback: %s", error)
        return None
    # Another bot may be doing the same, or MODEL may be a copy of a removed version.
    with suppress(LiveModelChanged, ModelRemoved), database.unit_of_work() as unit:
        retire_replaced(unit, shipped, is_replaced)
    return shipped.version
