"""A small teacher is fine-tuned and labels parts of reviews, and a small student learns from its labels."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_model import RECIPE, run_fine_tune

from ml.data.reviews import read_reviews
from ml.distillation.reviews_file import write_teacher_reviews
from ml.distillation.soft_labels import SoftLabels
from ml.serving.engine import Classifier
from ml.text.tokenization import WindowTokenizer
from ml.training.base_model import BaseModel
from ml.training.batches import WindowBatches
from ml.training.dataset_splits import DatasetSplits
from ml.training.fine_tune import FineTuneJob
from ml.training.recipe import Recipe
from ml.training.soft_examples import LabelledParts
from ml.training.training_set import TrainingExamples


def windows(reader: WindowTokenizer, examples: TrainingExamples, recipe: Recipe) -> dict[tuple[int, ...], list[float]]:
    """Return the windows of one epoch, without padding, and their targets."""
    found = {}
    for inputs, targets in WindowBatches(examples, reader, recipe).epoch(0):
        for ids, mask, target in zip(inputs["input_ids"], inputs["attention_mask"], targets, strict=True):
            found[tuple(ids[: mask.sum()].tolist())] = target.tolist()
    return found


def test_an_epoch_uses_one_text_from_each_group(reader: WindowTokenizer) -> None:
    texts = ["one red lamp", "two blue lamps", "three green lamps"]
    targets = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5]], np.float32)
    examples = TrainingExamples(texts, targets, [0, 0, 1])
    found = windows(reader, examples, RECIPE)
    by_text = {
        text: (reader.cls_id, *ids, reader.sep_id) for text, ids in zip(texts, reader.token_ids(texts), strict=True)
    }
    assert len(found) == 2
    assert found[by_text[texts[2]]] == targets[2].tolist()
    drawn = next(row for row in (0, 1) if by_text[texts[row]] in found)
    assert found[by_text[texts[drawn]]] == targets[drawn].tolist()


def test_only_texts_with_a_known_label_are_cropped(reader: WindowTokenizer) -> None:
    text = " ".join(["word"] * 28)
    recipe = replace(RECIPE, crops=0.999)
    whole = len(reader.token_ids([text])[0]) + 2
    soft = TrainingExamples([text], np.array([[0.4, 0.6]], np.float32))
    assert [len(window) for window in windows(reader, soft, recipe)] == [whole]
    hard = TrainingExamples.from_labels([text], [1])
    assert [len(window) for window in windows(reader, hard, recipe)] != [whole]


@pytest.mark.peers
def test_a_student_learns_from_a_teacher(
    small_base: BaseModel, small_reviews: Path, tmp_path: Path, peers_python: Path
) -> None:
    splits = DatasetSplits.from_reviews(read_reviews(small_reviews), small_reviews, RECIPE, None)
    exported = tmp_path / "reviews.jsonl"
    assert write_teacher_reviews(exported, splits.teacher_reviews()) == 144
    program = [str(peers_python), "-m"]
    teacher, labels = tmp_path / "teacher", tmp_path / "labels.npz"
    options = ["--reviews", str(exported), "--out"]
    for command in (
        ["ml.distillation.teach", "--base", str(small_base.folder), *options, str(teacher), "--frozen-layers", "0"],
        ["ml.distillation.label", "--teacher", str(teacher), *options, str(labels), "--crops", "1"],
    ):
        environment = os.environ | {"HF_HUB_OFFLINE": "1"}
        done = subprocess.run([*program, *command], capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr
    found = SoftLabels.read(labels)
    assert len(found.keys) == len(splits.split.train)
    assert set(found.review.tolist()) == set(range(len(found.keys)))

    training_set = splits.training_set(soft_labels=LabelledParts.read(labels))
    result = run_fine_tune(FineTuneJob(small_base, training_set, RECIPE, tmp_path / "student"))
    assert result.manifest.data["soft_labels"]["digest"] == found.digest
    assert Classifier.load(tmp_path / "student").version == result.manifest.version
