"""Stores a training job in a folder that two trainers read: initial weights, batches and recipe.

``start/`` is the Hugging Face folder of the initial weights, with the classification head. ``batches.safetensors``
contains ``0000.input_ids`` and ``0000.attention_mask`` (int32), ``0000.targets`` (float32), ``0001...``. ``job.json``
contains ``recipe`` and ``stops``, the steps after which a trainer reports their durations and waits.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import keras
from safetensors.numpy import load_file, save_file

from ml.bert.config import BertConfig
from ml.bert.pretrained import write_checkpoint
from ml.text.tokenization import WindowTokenizer
from ml.training.batches import NetworkInputs, WindowBatches
from ml.training.recipe import Recipe
from ml.training.training_set import Targets

TrainingBatch = tuple[NetworkInputs, Targets]


class RecordedBatches(WindowBatches):
    """One epoch of padded batches in a fixed order."""

    def __init__(self, batches: Sequence[TrainingBatch], recipe: Recipe) -> None:
        self.recipe = recipe
        self._batches = batches

    @property
    def batches_per_epoch(self) -> int:
        """Number of batches in the epoch."""
        return len(self._batches)

    def epoch(self, number: int) -> Iterator[TrainingBatch]:
        """Return the batches of epoch 0. Raise ValueError for any other ``number``."""
        if number:
            raise ValueError(f"recorded batches have epoch 0 only, not epoch {number}")
        return iter(self._batches)


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """A one-epoch job. After each step in ``stops``, a trainer reports and waits."""

    folder: Path
    recipe: Recipe
    batches: RecordedBatches
    stops: Sequence[int]

    @property
    def start(self) -> Path:
        """The checkpoint that training starts from."""
        return self.folder / "start"

    @classmethod
    def write(  # noqa: PLR0913, PLR0917 - every argument is a part of the job
        cls,
        folder: Path,
        network: keras.Model,
        config: BertConfig,
        reader: WindowTokenizer,
        recipe: Recipe,
        batches: Sequence[TrainingBatch],
        stops: Sequence[int],
    ) -> Self:
        """Write the folder. Raise ValueError unless the recipe has one epoch and the last stop is the last step."""
        if recipe.epochs != 1 or stops[-1] != len(batches):
            raise ValueError(f"{recipe.epochs} epochs of {len(batches)} steps do not end at step {stops[-1]}")
        job = cls(folder, recipe, RecordedBatches(batches, recipe), stops)
        write_checkpoint(job.start, network, config, reader)
        tensors = {
            f"{number:04d}.{name}": values
            for number, (inputs, targets) in enumerate(batches)
            for name, values in {**inputs, "targets": targets}.items()
        }
        save_file(tensors, folder / "batches.safetensors")
        facts = {"recipe": asdict(recipe), "stops": list(stops)}
        (folder / "job.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        return job

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read a folder written by ``write``."""
        facts = json.loads((folder / "job.json").read_text(encoding="utf-8"))
        recipe = Recipe(**facts["recipe"])
        tensors = load_file(folder / "batches.safetensors")
        batches: list[TrainingBatch] = []
        for number in range(facts["stops"][-1]):
            inputs = {name: tensors[f"{number:04d}.{name}"] for name in ("input_ids", "attention_mask")}
            batches.append((inputs, tensors[f"{number:04d}.targets"]))
        return cls(folder, recipe, RecordedBatches(batches, recipe), facts["stops"])


def warm_up_batches(batches: Sequence[TrainingBatch], times: int) -> list[TrainingBatch]:
    """Return the first ``times`` batches of each shape, in order, so that a trainer sees every shape."""
    chosen: list[TrainingBatch] = []
    counts: dict[tuple[int, ...], int] = {}
    for batch in batches:
        shape = batch[0]["input_ids"].shape
        counts[shape] = counts.get(shape, 0) + 1
        if counts[shape] <= times:
            chosen.append(batch)
    return chosen
