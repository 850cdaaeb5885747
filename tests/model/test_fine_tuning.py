"""A whole fine-tune of a small BERT on sentences of our own: labelled file in, published folder out."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file

from cli import model_commands
from config.errors import FolderTaken, UnusableCheckpoint
from ml.artifact import Manifest, verified_manifest
from ml.base_model import BaseModel
from ml.bert_config import BertConfig
from ml.checkpoint import WEIGHTS
from ml.data import read_reviews
from ml.fine_tuning import Order, fine_tune
from ml.fingerprints import digest
from ml.labels import LABELS
from ml.prediction import Classifier
from ml.probes import PROBES
from ml.recipe import Recipe
from ml.training import Progress, Watch
from ml.training_data import TrainingData

RandomBert = Callable[..., Path]
CONFIG = BertConfig(
    hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, max_position_embeddings=128
)
RECIPE = replace(
    Recipe.named("default"),
    window=16,
    overlap=4,
    batch_size=8,
    epochs=12,
    learning_rate=3e-3,
    hidden_dropout=0.02,
    precision="float32",
    dev=0.2,
)
LIKED = [
    "A joy from the first page to the last.",
    "I laughed, I cried, and I called my sister to tell her to see it.",
    "Warm, witty and wonderfully played.",
    "The best evening we have had in months.",
    "Every song in it is a small delight.",
    "Brilliant, and kind as well.",
]
HATED = [
    "A bore from the first page to the last.",
    "I yawned, I sighed, and I told my sister to stay at home.",
    "Cold, clumsy and dreadfully played.",
    "The worst evening we have had in months.",
    "Every song in it is a small torture.",
    "Stupid, and cruel as well.",
]


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table in Kaggle's form: each sentence with twelve endings, so that every text is there once."""
    rows = [
        (f"{sentence} That was number {number}.", label)
        for number in range(12)
        for label, sentences in (("positive", LIKED), ("negative", HATED))
        for sentence in sentences
    ]
    path = tmp_path_factory.mktemp("reviews") / "reviews.csv"
    pd.DataFrame(rows, columns=["review", "sentiment"]).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def base(random_bert: RandomBert, tmp_path_factory: pytest.TempPathFactory) -> BaseModel:
    """An encoder without a head, as encoders come."""
    folder = random_bert(tmp_path_factory.mktemp("base") / "bert", CONFIG)
    weights = {name: values for name, values in load_file(folder / WEIGHTS).items() if "classifier" not in name}
    save_file(weights, folder / WEIGHTS)
    return BaseModel("a small encoder", folder)


def order(base: BaseModel, reviews: Path, out: Path, recipe: Recipe = RECIPE) -> Order:
    return Order(base, TrainingData.choose(read_reviews(reviews), reviews, recipe, None).lesson(), recipe, out)


@dataclass(frozen=True)
class Done:
    """An order that was carried out, what it published and what was reported on the way."""

    order: Order
    manifest: Manifest
    seen: list[Progress]


def carry_out(order: Order) -> Done:
    seen: list[Progress] = []
    return Done(order, fine_tune(order, Watch(seen.append, lambda: False)), seen)


@pytest.fixture(scope="module")
def done(base: BaseModel, reviews: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    return carry_out(order(base, reviews, tmp_path_factory.mktemp("models") / "mine"))


def test_the_published_folder_is_verified_loaded_and_alone(done: Done) -> None:
    out = done.order.out
    assert verified_manifest(out) == done.manifest
    assert Classifier.load(out).version == done.manifest.version
    assert list(out.parent.iterdir()) == [out]


def test_it_learnt_what_it_was_shown(done: Done) -> None:
    shown = done.order.lesson.examples
    verdicts = Classifier.load(done.order.out).classify(shown.texts)
    labels = shown.targets.argmax(axis=1)
    right = [verdict.label == LABELS[label] for verdict, label in zip(verdicts, labels, strict=True)]
    # Guessing is right half of the time.
    assert sum(right) / len(right) > 0.8


def test_every_step_is_reported_and_the_loss_falls(done: Done) -> None:
    steps = RECIPE.epochs * -(-len(done.order.lesson.examples.texts) // RECIPE.batch_size)
    assert [(progress.step, progress.steps) for progress in done.seen] == [(n, steps) for n in range(1, steps + 1)]
    assert done.seen[-1].loss < done.seen[steps // 2].loss
    assert done.seen[-1].reviews_per_second > 0


def test_the_manifest_says_what_was_done(done: Done, base: BaseModel) -> None:
    manifest, lesson = done.manifest, done.order.lesson
    assert manifest.base == base.name
    assert (manifest.window, manifest.overlap) == (RECIPE.window, RECIPE.overlap)
    assert manifest.recipe == {**asdict(RECIPE), "computed_in": "float32"}
    assert manifest.data["file"] == "reviews.csv"
    assert manifest.data["train"] == {"reviews": len(lesson.examples.texts), "digest": digest(lesson.examples.texts)}
    assert manifest.data["dev"] == {"reviews": len(lesson.dev), "digest": digest(lesson.dev["text"])}
    assert len(lesson.examples.texts) + len(lesson.dev) == 144
    assert manifest.figures["dev"]["reviews"] == len(lesson.dev)
    assert manifest.libraries["keras"] == keras.__version__
    assert manifest.version.endswith(manifest.files[WEIGHTS][:8])
    assert np.shape(manifest.probe_logits) == (len(PROBES), len(LABELS))


def test_a_window_longer_than_the_base_reads_is_told_before_training(
    base: BaseModel, reviews: Path, tmp_path: Path
) -> None:
    steps: list[Progress] = []
    too_long = order(base, reviews, tmp_path / "mine", replace(RECIPE, window=129))
    with pytest.raises(UnusableCheckpoint, match="it reads 128 tokens at once, and the window is 129"):
        fine_tune(too_long, Watch(steps.append, lambda: False))
    assert steps == []
    assert not (tmp_path / "mine").exists()


def test_the_same_seed_makes_the_same_weights(done: Done, base: BaseModel, reviews: Path, tmp_path: Path) -> None:
    assert RECIPE.hidden_dropout > 0, "what is dropped out follows from the seed too"
    again = carry_out(order(base, reviews, tmp_path / "again"))
    assert again.manifest.files[WEIGHTS] == done.manifest.files[WEIGHTS]


def test_the_command_fine_tunes_and_prints_the_manifest(
    base: BaseModel, reviews: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model_commands.fine_tune(data=reviews, out=tmp_path / "mine", base=str(base.folder), limit=80, as_json=True)
    facts = json.loads(capsys.readouterr().out)
    assert facts == asdict(verified_manifest(tmp_path / "mine"))
    assert facts["base"] == str(base.folder)
    assert facts["data"]["train"]["reviews"] + facts["data"]["dev"]["reviews"] == 80


def test_another_folder_is_not_replaced_and_nothing_is_trained(base: BaseModel, reviews: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("keep me", encoding="utf-8")
    seen: list[Progress] = []
    with pytest.raises(FolderTaken):
        fine_tune(order(base, reviews, tmp_path), Watch(seen.append, lambda: False))
    assert seen == []
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "keep me"
