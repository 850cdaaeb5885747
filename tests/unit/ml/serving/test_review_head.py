"""A review head is stored beside the weights, and damaged heads are rejected."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from small_model import CONFIG

from ml.errors import UnusableCheckpoint
from ml.serving.review_head import REVIEW_HEAD, ReviewHead

SIZE = CONFIG.hidden_size


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    import json

    (tmp_path / "config.json").write_text(json.dumps(CONFIG.to_hugging_face()), encoding="utf-8")
    return tmp_path


def head(**changes: object) -> ReviewHead:
    fields = {"layer": 1, "weights": np.linspace(-1, 1, SIZE, dtype=np.float32), "bias": 0.5, "threshold": -0.25}
    return ReviewHead(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_head_is_read_as_it_was_written(folder: Path) -> None:
    head().write(folder)
    found = ReviewHead.read(folder)
    assert found is not None
    assert (found.layer, found.bias, found.threshold) == (1, 0.5, -0.25)
    np.testing.assert_array_equal(found.weights, head().weights)


def test_a_folder_without_a_head_has_none(folder: Path) -> None:
    assert ReviewHead.read(folder) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"weights": np.zeros(SIZE + 1, np.float32)}, "for another network"),
        ({"layer": CONFIG.num_hidden_layers}, "for another network"),
        ({"layer": -1}, "for another network"),
        ({"bias": float("nan")}, "not finite"),
        ({"threshold": float("inf")}, "not finite"),
    ],
)
def test_a_head_that_does_not_fit_is_refused(folder: Path, changes: dict[str, object], reason: str) -> None:
    head(**changes).write(folder)
    with pytest.raises(UnusableCheckpoint, match=reason):
        ReviewHead.read(folder)


def test_a_damaged_head_is_refused(folder: Path) -> None:
    (folder / REVIEW_HEAD).write_bytes(b"not a head")
    with pytest.raises(UnusableCheckpoint, match="cannot be read"):
        ReviewHead.read(folder)
    save_file({"weights": np.zeros(SIZE, np.float32)}, folder / REVIEW_HEAD)
    with pytest.raises(UnusableCheckpoint, match="cannot be read"):
        ReviewHead.read(folder)
