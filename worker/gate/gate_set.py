"""The gate set, the reviews on which every candidate is evaluated, and a cache for the live model's logits."""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import openvino as ov
import pandas as pd
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from core.files import replaced
from ml.data.splits import TrainDevSplit, hold_out
from ml.evaluation.evaluation_set import rating_column
from ml.evaluation.metrics import Labels
from ml.serving.artifact import manifest_hash
from ml.serving.chunked import Advance, logits_in_chunks
from ml.serving.engine import Classifier, Logits
from ml.text.fingerprints import fingerprint
from ml.text.labels import LABELS
from ml.training.dataset_splits import DatasetSplits

logger = logging.getLogger(__name__)

REVIEWS: Final = 6_000
# Never change this seed, because every run, on every machine, must draw the same reviews.
_SEED: Final = 20_260
_LOGITS: Final = "logits"


@dataclass(frozen=True, slots=True)
class GateSet:
    """Labelled reviews in a fixed order. ``ratings`` (reviews,) is NaN where missing, or None if there are none."""

    texts: list[str]
    labels: Labels
    ratings: npt.NDArray[np.float64] | None

    @classmethod
    def choose(cls, data: DatasetSplits) -> Self:
        """Draw about ``REVIEWS`` official test reviews, or take all of them if there are fewer.

        If the movies are known, each movie's reviews stay together.

        Without official splits, draw from the recipe's dev reviews, which are not used for training either.
        """
        drawn = _draw(data.test if len(data.test) else data.split.dev).dev
        return cls(drawn["text"].tolist(), drawn["label"].to_numpy(np.int8), rating_column(drawn))

    @classmethod
    def remainder(cls, data: DatasetSplits) -> Self:
        """Return the official test reviews that ``choose`` does not draw.

        They are about other movies and do not affect decisions.

        The result is empty if there is no official test split, or if the split is no larger than the gate set.
        """
        drawn = _draw(data.test).train
        return cls(drawn["text"].tolist(), drawn["label"].to_numpy(np.int8), rating_column(drawn))

    def champion_logits(self, champion: Classifier, folder: Path, advance: Advance) -> Logits:
        """Return the live model's logits (reviews, labels), cached in ``folder``.

        The cache holds only logits. If a cache file cannot be read, the logits are computed again.
        """
        path = folder / f"{self._cache_key(champion)}.safetensors"
        try:
            cached = load_file(path).get(_LOGITS)
            if cached is not None and cached.shape == (len(self.texts), len(LABELS)) and np.isfinite(cached).all():
                return cached
            logger.warning("The cached logits in %s have the wrong shape or are not finite; computing them again", path)
        except FileNotFoundError:
            pass
        except (OSError, SafetensorError) as error:
            logger.warning("Cannot read the cached logits in %s; computing them again: %s", path, error)
        logits = logits_in_chunks(champion.engine, self.texts, advance)
        _cache(logits, path)
        return logits

    def _cache_key(self, champion: Classifier) -> str:
        """Return a hash of everything that determines the logits: manifest, engine and the texts in order."""
        parts = [manifest_hash(champion.folder), ov.__version__, *map(fingerprint, self.texts)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _draw(source: pd.DataFrame) -> TrainDevSplit:
    """Split ``source`` into the gate set (dev) and the remaining reviews (train)."""
    if len(source) <= REVIEWS:
        return TrainDevSplit(source.iloc[:0], source)
    return hold_out(source, REVIEWS / len(source), _SEED)


def _cache(logits: Logits, path: Path) -> None:
    """Write the logits atomically. If that fails, only log the error: the next run computes the logits again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced(path) as part:
            save_file({_LOGITS: logits}, part)
    except (OSError, SafetensorError) as error:
        logger.warning("Cannot cache the logits in %s: %s", path, error)
