"""Keras's JAX backend fine-tunes with the same code, and its models are served like any others."""

import json
import os
import subprocess
import sys
from pathlib import Path

from paths import ROOT
from small_model import RECIPE, write_recipe

from ml.serving.engine import Classifier
from ml.training.base_model import BaseModel


def test_it_fine_tunes_and_publishes(tmp_path: Path, small_base: BaseModel, small_reviews: Path) -> None:
    recipe = write_recipe(tmp_path, RECIPE)
    out = tmp_path / "model"
    arguments = ["--data", small_reviews, "--recipe", recipe, "--base", small_base.folder, "--out", out, "--json"]
    command = [sys.executable, "-c", "from cli.main import main; main()", "fine-tune", *map(str, arguments)]
    environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    manifest = json.loads(done.stdout)
    assert "jax" in manifest["libraries"]
    assert "tensorflow" not in manifest["libraries"]
    assert manifest["figures"]["dev"]["accuracy"] > 0.9
    assert Classifier.load(out).version == manifest["version"]
