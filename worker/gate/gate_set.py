"""The reviews that every candidate is measured on, and what the live model says of them, asked once a version."""

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
# Never another one: every run, on every machine, has to draw the same reviews.
_SEED: Final = 20_260
_LOGITS: Final = "logits"


@dataclass(frozen=True, slots=True)
class GateSet:
    """Reviews in a fixed order; ``ratings`` (reviews,) is NaN where a review has none, None where no review has one."""

    texts: list[str]
    labels: Labels
    ratings: npt.NDArray[np.float64] | None

    @classmethod
    def choose(cls, known: DatasetSplits) -> Self:
        """About ``REVIEWS`` reviews of the official test part, whole movies where they are known, or all it has.

        Reviews that name no official parts have no such part; then it is those that the recipe keeps for dev, which do
        not train either.
        """
        drawn = _drawn(known.test if len(known.test) else known.split.dev).dev
        return cls(drawn["text"].tolist(), drawn["label"].to_numpy(np.int8), rating_column(drawn))

    @classmethod
    def others(cls, known: DatasetSplits) -> Self:
        """The reviews of the official test part that ``choose`` leaves: of other movies, and they decide nothing.

        It is empty where there is no such part, or that is no larger than the gate set.
        """
        drawn = _drawn(known.test).train
        return cls(drawn["text"].tolist(), drawn["label"].to_numpy(np.int8), rating_column(drawn))

    def champion_logits(self, champion: Classifier, folder: Path, advance: Advance) -> Logits:
        """The live model's logits (reviews, labels): from ``folder`` where they are, else asked for and kept there.

        Only logits are kept. What cannot be read is asked for again.
        """
        path = folder / f"{self._key(champion)}.safetensors"
        try:
            found = load_file(path).get(_LOGITS)
            if found is not None and found.shape == (len(self.texts), len(LABELS)) and np.isfinite(found).all():
                return found
            logger.warning("The live model's answers in %s are no pairs of numbers; it is asked again", path)
        except FileNotFoundError:
            pass
        except (OSError, SafetensorError) as error:
            logger.warning("The live model's answers in %s cannot be read; it is asked again: %s", path, error)
        logits = logits_in_chunks(champion.engine, self.texts, advance)
        _keep(logits, path)
        return logits

    def _key(self, champion: Classifier) -> str:
        """What the logits depend on: the published version, the texts in their order, and the engine."""
        parts = [manifest_hash(champion.folder), ov.__version__, *map(fingerprint, self.texts)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _drawn(source: pd.DataFrame) -> TrainDevSplit:
    """The reviews that gate, as dev, and the others."""
    if len(source) <= REVIEWS:
        return TrainDevSplit(source.iloc[:0], source)
    return hold_out(source, REVIEWS / len(source), _SEED)


def _keep(logits: Logits, path: Path) -> None:
    """Write the file whole or not at all; without room for it, the next run asks again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced(path) as part:
            save_file({_LOGITS: logits}, part)
    except (OSError, SafetensorError) as error:
        logger.warning("The live model's answers cannot be kept in %s: %s", path, error)
