"""Fine-tunes a base encoder on a training set and publishes the result."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from core.input_profile import InputProfile
from ml.bert.config import BertConfig
from ml.bert.pretrained import WEIGHTS, interpolate_weights, read_checkpoint, write_checkpoint
from ml.errors import FineTuneDiverged
from ml.evaluation.metrics import Labels, figures, fit_temperature
from ml.serving.artifact import INPUTS, Manifest, file_hash, file_hashes, prepare_destination, publish_artifact
from ml.serving.chunked import Advance, logits_in_chunks
from ml.serving.engine import Engine, Logits, probabilities
from ml.serving.probes import PROBES
from ml.text.labels import LABELS
from ml.text.tokenization import WindowTokenizer
from ml.training.base_model import BaseModel
from ml.training.batches import WindowBatches
from ml.training.checkpoint import Checkpoint, plan_digest
from ml.training.devices import use_precision
from ml.training.loop import TrainingCallbacks, train
from ml.training.recipe import Recipe
from ml.training.review_head import ReviewTexts, fit_review_head
from ml.training.training_set import TrainingSet
from ml.training.versions import with_new_version

_LIBRARIES = ("keras", keras.backend.backend(), "numpy", "openvino", "safetensors", "scikit-learn", "tokenizers")


@dataclass(frozen=True, slots=True)
class FineTuneJob:
    """One fine-tune: its base, training set and recipe, and the folder to publish it in."""

    base: BaseModel
    training_set: TrainingSet
    recipe: Recipe
    out: Path

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint of this fine-tune, in a hidden folder next to ``out``."""
        training_set = self.training_set
        plan = plan_digest(
            base=file_hash(self.base.folder / WEIGHTS),
            data=training_set.manifest_data,
            examples=training_set.examples.digest,
            recipe=asdict(self.recipe),
            characters=self.base.characters,
        )
        return Checkpoint(self.out.parent / f".{self.out.name}-training", plan)


def fine_tune(job: FineTuneJob, callbacks: TrainingCallbacks, resume: bool = False) -> Manifest:
    """Run a job, and replace ``job.out`` atomically once the model is complete.

    Raise UnusableCheckpoint if the base cannot be built, or if it has too few positions for a window, fewer blocks than
    are frozen, or fewer embeddings than tokens. Raise FineTuneDiverged if the loss is no longer a number, or if the
    weights become too large for float16. Raise FolderTaken if ``out`` contains something other than a published model,
    and UnwritableFile if it cannot be written. Raise FineTuneStopped if the callbacks stop the fine-tune, and
    NothingToResume if there is no checkpoint to resume from.
    """
    prepare_destination(job.out)
    base, training_set, recipe = job.base, job.training_set, job.recipe
    bert = BertConfig.read(base.folder)
    bert.require_window(base.folder, recipe.window)
    bert.require_blocks(base.folder, recipe.frozen_layers)
    keras.utils.set_random_seed(recipe.seed)
    tokenizer = WindowTokenizer.read(base.folder, recipe.window, recipe.overlap, recipe.reading, base.characters)
    tokenizer.require_vocabulary(base.folder, bert.vocab_size)
    config = replace(
        bert,
        hidden_dropout_prob=recipe.hidden_dropout,
        attention_probs_dropout_prob=recipe.attention_dropout,
    )
    with use_precision(recipe.precision) as precision:
        network = read_checkpoint(base.folder, config)
        checkpoint = job.checkpoint
        steps = train(network, WindowBatches(training_set.examples, tokenizer, recipe), checkpoint, resume, callbacks)
        callbacks.phases.begin("publishing", len(training_set.dev) + len(training_set.corrections))
        if recipe.interpolation < 1:
            interpolate_weights(network, read_checkpoint(base.folder, config), recipe.interpolation)
    with publish_artifact(job.out) as folder:
        write_checkpoint(folder, network, config, tokenizer)
        manifest = _build_manifest(folder, job, {"computed_in": precision, "steps": steps}, callbacks.phases.advance)
        manifest.write(folder)
    checkpoint.remove()
    return manifest


def _build_manifest(folder: Path, job: FineTuneJob, training_facts: dict[str, Any], advance: Advance) -> Manifest:
    """Fit a saved model's review head, calibrate and evaluate the model on dev as served, and return its manifest.

    ``training_facts`` are added to the recipe in the manifest.
    """
    recipe, training_set = job.recipe, job.training_set
    characters = job.base.characters
    engine = Engine.load(folder, recipe.window, recipe.overlap, recipe.reading, characters=characters)
    probe_logits, _ = engine.logits(PROBES)
    if not np.isfinite(probe_logits).all():
        raise FineTuneDiverged(step=training_facts["steps"], reason="the trained weights are too large for float16")
    fit_review_head(folder, engine.tokenizer, ReviewTexts.from_training_set(training_set)).write(folder)
    temperature, dev_figures = _calibrate_and_measure(engine, job, advance)
    now = datetime.now(UTC)
    manifest = Manifest(
        version="",
        created=now.isoformat(timespec="seconds"),
        base=job.base.name,
        window=recipe.window,
        overlap=recipe.overlap,
        reading=recipe.reading,
        characters=characters,
        temperature=temperature,
        unsure_below=recipe.unsure_below,
        data=training_set.manifest_data,
        recipe={**asdict(recipe), **training_facts},
        libraries={name: version(name) for name in _LIBRARIES},
        figures=dev_figures,
        probe_logits=[[float(value) for value in row] for row in probe_logits],
        files=file_hashes(folder),
    )
    return with_new_version(manifest, now)


def _calibrate_and_measure(engine: Engine, job: FineTuneJob, advance: Advance) -> tuple[float, dict[str, Any]]:
    """Return the temperature fitted on dev, and the figures on dev and on the corrections, if there are any.

    ``inputs`` is the profile of the reviews in dev, with which people's texts are compared later.
    """
    found: dict[str, Any] = {}
    training_set, unsure_below = job.training_set, job.recipe.unsure_below
    temperature = job.base.temperature
    if len(training_set.dev):
        logits, labels = _logits_and_labels(engine, training_set.dev, advance)
        temperature = fit_temperature(logits, labels)
        found["dev"] = asdict(figures(logits, labels, temperature, unsure_below))
        found[INPUTS] = asdict(_profile(engine, training_set.dev["text"].tolist(), logits, temperature))
    if len(training_set.corrections):
        logits, labels = _logits_and_labels(engine, training_set.corrections, advance)
        found["corrections"] = asdict(figures(logits, labels, temperature, unsure_below))
    return temperature, found


def _profile(engine: Engine, texts: Sequence[str], logits: Logits, temperature: float) -> InputProfile:
    """Return what these texts look like to the model that gave them these logits (texts, labels)."""
    shares = probabilities(logits, temperature)
    counts = engine.word_counter.count(engine.tokenizer.token_ids(texts))
    words = sum(each.words for each in counts)
    return InputProfile(
        texts=len(texts),
        positive=float((shares.argmax(axis=1) == LABELS.index("Positive")).mean()),
        confidence=float(shares.max(axis=1).mean()),
        words=words / len(texts),
        unknown=sum(each.unknown for each in counts) / max(words, 1),
    )


def _logits_and_labels(engine: Engine, reviews: pd.DataFrame, advance: Advance) -> tuple[Logits, Labels]:
    logits = logits_in_chunks(engine, reviews["text"].tolist(), advance)
    return logits, reviews["label"].to_numpy(np.int8)
