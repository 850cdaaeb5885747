"""The review head: a linear layer on the encoder's hidden states that tells reviews from other texts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from ml.bert.config import BertConfig
from ml.errors import UnusableCheckpoint

REVIEW_HEAD: Final = "review_head.safetensors"


@dataclass(frozen=True, slots=True)
class ReviewHead:
    """A linear layer on the mean hidden state after the first ``layer`` blocks, with a positive output for reviews.

    ``weights`` has shape (hidden size,). A text whose score is below ``threshold`` does not read like a review.
    """

    layer: int
    weights: npt.NDArray[np.float32]
    bias: float
    threshold: float

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Read the head in a published folder, or return None if there is no head.

        A model without a head never abstains.

        Raise UnusableCheckpoint if the head is damaged.
        """
        path = folder / REVIEW_HEAD
        if not path.exists():
            return None
        try:
            tensors = load_file(path)
            layer, bias, threshold = (tensors[name].item() for name in ("layer", "bias", "threshold"))
            head = cls(int(layer), tensors["weights"], float(bias), float(threshold))
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise UnusableCheckpoint(path=folder, reason=f"{REVIEW_HEAD} cannot be read ({error})") from error
        head._require_fit(folder, BertConfig.read(folder))
        return head

    def write(self, folder: Path) -> None:
        """Write the head into a folder that is being published."""
        numbers = {
            "bias": np.float32(self.bias),
            "threshold": np.float32(self.threshold),
            "layer": np.int64(self.layer),
        }
        tensors = {name: np.array([number]) for name, number in numbers.items()}
        save_file({**tensors, "weights": np.ascontiguousarray(self.weights, np.float32)}, folder / REVIEW_HEAD)

    def _require_fit(self, folder: Path, config: BertConfig) -> None:
        if self.weights.shape != (config.hidden_size,) or not 0 <= self.layer < config.num_hidden_layers:
            raise UnusableCheckpoint(path=folder, reason=f"{REVIEW_HEAD} is for another network than config.json")
        if not np.isfinite([*self.weights, self.bias, self.threshold]).all():
            raise UnusableCheckpoint(path=folder, reason=f"{REVIEW_HEAD} has numbers that are not finite")
