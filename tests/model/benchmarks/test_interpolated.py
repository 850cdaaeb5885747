"""Interpolated models, with weights between those of two models, are published so that candidates can be compared."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from small_model import FineTuneResult, RandomBert

from benchmarks.domains.interpolated import Interpolation, publish_interpolated
from ml.bert.config import BertConfig
from ml.bert.pretrained import WEIGHTS
from ml.serving.engine import Classifier
from ml.training.base_model import BaseModel

QUERY = "bert.encoder.layer.0.attention.self.query.weight"
HEAD = "classifier.weight"


def test_the_encoder_moves_towards_its_base_and_the_head_stays(
    fine_tuned: FineTuneResult, small_base: BaseModel, tmp_path: Path
) -> None:
    model = fine_tuned.job.out
    move = Interpolation(model, small_base.folder, small_base.name, 0.25)
    manifest = publish_interpolated(move, fine_tuned.job.training_set.dev, tmp_path / "nearer")
    before, base, after = (load_file(folder / WEIGHTS) for folder in (model, small_base.folder, tmp_path / "nearer"))
    expected = 0.75 * before[QUERY].astype(np.float32) + 0.25 * base[QUERY].astype(np.float32)
    assert after[QUERY] == pytest.approx(expected, abs=1e-3)
    assert (after[HEAD] == before[HEAD]).all()
    assert manifest.version != fine_tuned.manifest.version
    assert manifest.recipe["interpolated"] == {
        "model": fine_tuned.manifest.version, "towards": small_base.name, "share": 0.25,
    }  # fmt: skip
    assert Classifier.load(tmp_path / "nearer").manifest == manifest


def test_the_head_moves_too_if_the_other_model_has_one(
    fine_tuned: FineTuneResult, random_bert: RandomBert, tmp_path: Path
) -> None:
    model = fine_tuned.job.out
    other = random_bert(tmp_path / "other", BertConfig.read(model), seed=1)
    move = Interpolation(model, other, "other", 0.5)
    publish_interpolated(move, fine_tuned.job.training_set.dev, tmp_path / "mean")
    first, second, mean = (load_file(folder / WEIGHTS)[HEAD] for folder in (model, other, tmp_path / "mean"))
    assert mean == pytest.approx((first.astype(np.float32) + second.astype(np.float32)) / 2, abs=1e-3)
