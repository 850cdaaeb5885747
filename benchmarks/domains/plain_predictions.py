"""Stores the plain run's predictions without texts, so that comparing models with it does not require PyTorch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from benchmarks.common.results import RESULTS
from ml.serving.engine import Logits

PREDICTIONS: Final = RESULTS / "plain_run.safetensors"
_KEY_DIGITS: Final = 16


def short_key(text_fingerprint: str) -> int:
    """Return the first 64 bits of a fingerprint."""
    return int(text_fingerprint[:_KEY_DIGITS], 16)


@dataclass(frozen=True, slots=True)
class PlainPredictions:
    """The plain run's logit of Positive minus its logit of Negative for each text, keyed by ``short_key``."""

    differences: dict[int, float]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read predictions written by ``write``."""
        stored = load_file(path)
        return cls(dict(zip(stored["keys"].tolist(), stored["differences"].tolist(), strict=True)))

    def write(self, path: Path) -> None:
        """Write the keys as uint64, in ascending order, and the differences as float16."""
        keys = sorted(self.differences)
        save_file(
            {
                "keys": np.array(keys, np.uint64),
                "differences": np.array([self.differences[key] for key in keys], np.float16),
            },
            path,
        )

    def logits(self, fingerprints: Sequence[str]) -> Logits:
        """Return logits (texts, labels) with the predicted differences. Raise ValueError if a text has no prediction.

        The logit of Negative is always 0, which does not affect the probabilities.
        """
        found: npt.NDArray[np.float32] = np.zeros((len(fingerprints), 2), np.float32)
        try:
            found[:, 1] = [self.differences[short_key(each)] for each in fingerprints]
        except KeyError as error:
            raise ValueError("a text has no prediction of the plain run; python -m benchmarks.domains.plain") from error
        return found
