"""From labelled reviews and a base encoder to a published folder."""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np
import pandas as pd

from config.errors import TooFewReviews
from ml.artifact import Manifest, file_hash, file_hashes, prepare_place, publishing
from ml.base_model import BaseModel
from ml.bert_config import BertConfig
from ml.checkpoint import WEIGHTS, read_checkpoint, write_checkpoint
from ml.data import Split, digest, hold_out, official_split, without_texts_of
from ml.evaluation import figures, fit_temperature
from ml.labels import LABELS
from ml.prediction import Engine
from ml.probes import PROBES
from ml.recipe import Recipe
from ml.tokens import TextReader
from ml.training import Watch, WindowBatches, computing_in, train
from ml.training_state import TrainingState, plan_digest

_LIBRARIES = ("keras", "tensorflow", "numpy", "openvino", "safetensors", "tokenizers")


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The reviews of one fine-tune and where they come from."""

    split: Split
    source: str
    source_digest: str
    without_test_texts: int

    @classmethod
    def choose(cls, reviews: pd.DataFrame, path: Path, recipe: Recipe, limit: int | None) -> Self:
        """The official train part (all rows of a file without parts), ``limit`` of them at random, with dev held out.

        Rows whose text stands in the official test part too are left out. Raises MissingPart when there is no train
        part, TooFewReviews when a part of the split would lack one of the labels.
        """
        chosen = official_split(reviews, "train")
        clean = chosen
        if "split" in reviews and "test" in set(reviews["split"]):
            clean = without_texts_of(chosen, official_split(reviews, "test"))
        left_out = len(chosen) - len(clean)
        if limit is not None and limit < len(clean):
            clean = clean.sample(limit, random_state=recipe.seed).reset_index(drop=True)
        split = hold_out(clean, recipe.dev, recipe.seed)
        if min(split.train["label"].nunique(), split.dev["label"].nunique()) < len(LABELS):
            raise TooFewReviews(path=path, rows=len(clean))
        return cls(split, path.name, digest(reviews["text"]), left_out)

    def facts(self) -> dict[str, Any]:
        """What the manifest says of the data; the digests cover the normalised texts, whatever their order."""
        return {
            "file": self.source,
            "file_digest": self.source_digest,
            "left_out_because_in_test": self.without_test_texts,
            "left_out_because_in_dev": self.split.dropped,
            "train": {"reviews": len(self.split.train), "digest": digest(self.split.train["text"])},
            "dev": {"reviews": len(self.split.dev), "digest": digest(self.split.dev["text"])},
        }


@dataclass(frozen=True, slots=True)
class Order:
    """One fine-tune: from which base, on what, how, and the folder that it is published as."""

    base: BaseModel
    data: TrainingData
    recipe: Recipe
    out: Path

    @property
    def state(self) -> TrainingState:
        """Where the checkpoint of the running fine-tune is kept: a hidden folder beside ``out``."""
        texts = self.data.facts()
        plan = plan_digest(base=self.base.name, data=texts, recipe=asdict(self.recipe))
        return TrainingState(self.out.parent / f".{self.out.name}-training", plan)


def fine_tune(order: Order, watch: Watch, resume: bool = False) -> Manifest:
    """Carry out an order; ``order.out`` is replaced only once all is done.

    Raises UnusableCheckpoint when the base cannot be built or reads less than a window at once, FolderTaken when
    ``out`` is something else than a published model, UnwritableFile when it cannot be made, FineTuneStopped when the
    watch stops it, and NothingToResume when there is no checkpoint to go on with.
    """
    prepare_place(order.out)
    base, data, recipe, state = order.base, order.data, order.recipe, order.state
    bert = BertConfig.read(base.folder)
    bert.require_window(base.folder, recipe.window)
    keras.utils.set_random_seed(recipe.seed)
    reader = TextReader.read(base.folder, recipe.window, recipe.overlap, recipe.reading)
    config = replace(
        bert,
        hidden_dropout_prob=recipe.hidden_dropout,
        attention_probs_dropout_prob=recipe.attention_dropout,
    )
    with computing_in(recipe.precision) as precision:
        network = read_checkpoint(base.folder, config)
        batches = WindowBatches(data.split.train["text"].tolist(), data.split.train["label"].tolist(), reader, recipe)
        train(network, batches, state, resume, watch)
    with publishing(order.out) as folder:
        write_checkpoint(folder, network, config, reader)
        manifest = _describe(folder, base.name, data, recipe, precision)
        manifest.write(folder)
    state.remove()
    return manifest


def _describe(folder: Path, base_name: str, data: TrainingData, recipe: Recipe, precision: str) -> Manifest:
    """The manifest of a written checkpoint: calibrated and measured on dev with the engine that will serve it."""
    engine = Engine.load(folder, recipe.window, recipe.overlap, recipe.reading)
    dev = data.split.dev
    labels = dev["label"].to_numpy(np.int8)
    logits, _ = engine.logits(dev["text"].tolist())
    probe_logits, _ = engine.logits(PROBES)
    temperature = fit_temperature(logits, labels)
    now = datetime.now(UTC)
    return Manifest(
        version=f"{now:%Y%m%d}-{file_hash(folder / WEIGHTS)[:8]}",
        created=now.isoformat(timespec="seconds"),
        base=base_name,
        window=recipe.window,
        overlap=recipe.overlap,
        reading=recipe.reading,
        temperature=temperature,
        unsure_below=recipe.unsure_below,
        data=data.facts(),
        recipe={**asdict(recipe), "computed_in": precision},
        libraries={name: version(name) for name in _LIBRARIES},
        figures={"dev": asdict(figures(logits, labels, temperature, recipe.unsure_below))},
        probe_logits=[[float(value) for value in row] for row in probe_logits],
        files=file_hashes(folder),
    )
