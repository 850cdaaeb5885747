"""Batches and precision for the programs that run a teacher."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch

# Batches have at most this many tokens, padding included, and this many windows.
_BATCH_TOKENS, _BATCH_WINDOWS = 4_096, 96
# The number of windows that are sorted by length together.
_POOL: Final = 2_000


def batches_by_length(lengths: Sequence[int], rng: np.random.Generator) -> list[list[int]]:
    """Group windows of similar length into batches of at most 4,096 tokens, in random order."""
    order = rng.permutation(len(lengths))
    batches: list[list[int]] = []
    for first in range(0, len(order), _POOL):
        batch: list[int] = []
        for row in sorted(order[first : first + _POOL].tolist(), key=lengths.__getitem__):
            if batch and (len(batch) == _BATCH_WINDOWS or (len(batch) + 1) * lengths[row] > _BATCH_TOKENS):
                batches.append(batch)
                batch = []
            batch.append(row)
        batches.append(batch)
    return [batches[index] for index in rng.permutation(len(batches))]


def autocast() -> Any:
    """Return a context manager for matrix products in bfloat16, which GPUs and recent CPUs multiply in hardware."""
    return torch.autocast("cuda" if torch.cuda.is_available() else "cpu", dtype=torch.bfloat16)
