"""The file of soft labels, and the training examples made from it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import MissingFile
from ml.distillation.soft_labels import SoftLabels, review_key
from ml.errors import UnusableSoftLabels
from ml.training.soft_examples import LabelledParts
from ml.training.training_set import TrainingExamples

GOOD, BAD, PLAIN = "I would buy it again.<br />Twice!", "It broke on the first day &amp; nobody cared.", "It is a lamp."
LABELS = SoftLabels(
    teacher="some/teacher",
    characters="entities_nfkc",
    keys=(review_key(GOOD), review_key(BAD), review_key("A review that is not in this data.")),
    review=np.array([0, 0, 1, 2], np.int32),
    start=np.array([0, 22, 0, 0], np.int32),
    end=np.array([21, 28, 8, 5], np.int32),
    logits=np.array([[-2, 2], [0, 0], [3, -3], [1, 1]], np.float16),
)
REVIEWS = pd.DataFrame({"text": [BAD, GOOD, PLAIN], "label": [0, 1, 1]})


def test_a_file_can_be_read_back(tmp_path: Path) -> None:
    LABELS.write(tmp_path / "labels.npz")
    found = SoftLabels.read(tmp_path / "labels.npz")
    assert found.digest == LABELS.digest
    assert (found.teacher, found.characters, found.keys) == ("some/teacher", "entities_nfkc", LABELS.keys)
    assert list(tmp_path.iterdir()) == [tmp_path / "labels.npz"]


def test_the_digest_covers_the_logits() -> None:
    assert replace(LABELS, logits=LABELS.logits + np.float16(1)).digest != LABELS.digest


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"labels\.npz"):
        SoftLabels.read(tmp_path / "labels.npz")


def test_a_pickled_or_foreign_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.npz"
    for content in (b"", b"text,label\n", b"PK\x03\x04 not an archive"):
        path.write_bytes(content)
        with pytest.raises(UnusableSoftLabels, match="labelling program"):
            SoftLabels.read(path)
    np.savez(path, keys=np.array([{"an": "object"}], object))
    with pytest.raises(UnusableSoftLabels, match="labelling program"):
        SoftLabels.read(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"end": np.array([1, 2], np.int32)}, "same length"),
        ({"logits": np.full((4, 2), np.nan, np.float16)}, "not finite"),
        ({"review": np.array([0, 0, 1, 3], np.int32)}, "no review"),
        ({"end": np.array([21, 22, 8, 5], np.int32)}, "empty"),
        ({"characters": "a later form"}, "another version"),
    ],
)
def test_a_fault_in_a_file_is_named(tmp_path: Path, change: dict[str, object], reason: str) -> None:
    replace(LABELS, **change).write(tmp_path / "labels.npz")  # type: ignore[arg-type]
    with pytest.raises(UnusableSoftLabels, match=reason):
        SoftLabels.read(tmp_path / "labels.npz")


def test_labelled_parts_become_groups_and_other_reviews_keep_their_label() -> None:
    examples, facts = LabelledParts(LABELS, "labels.npz").examples(REVIEWS)
    assert list(examples.texts) == ["I would buy it again.", "Twice!", "It broke", PLAIN]
    assert list(examples.group_numbers) == [1, 1, 0, 2]
    assert examples.targets.argmax(axis=1).tolist() == [1, 0, 0, 1]
    assert examples.targets[0] == pytest.approx([0.01799, 0.98201], abs=1e-5)
    assert examples.targets[1].tolist() == [0.5, 0.5]
    assert facts["teacher"] == "some/teacher"
    assert (facts["parts"], facts["reviews"], facts["reviews_without"]) == (3, 2, 1)


def test_labels_for_other_reviews_are_refused() -> None:
    with pytest.raises(UnusableSoftLabels, match="none of these reviews"):
        LabelledParts(LABELS, "labels.npz").examples(REVIEWS.iloc[[2]].reset_index(drop=True))


def test_parts_outside_a_text_are_refused() -> None:
    far = replace(LABELS, start=LABELS.start + 500, end=LABELS.end + 500)
    with pytest.raises(UnusableSoftLabels, match="outside"):
        LabelledParts(far, "labels.npz").examples(REVIEWS)


def test_joined_examples_keep_their_groups_apart() -> None:
    soft, _ = LabelledParts(LABELS, "labels.npz").examples(REVIEWS)
    joined = soft + TrainingExamples.from_labels(["One more.", "And another."], [1, 0])
    assert list(joined.group_numbers) == [1, 1, 0, 2, 3, 4]
