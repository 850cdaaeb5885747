"""SIGKILL at random moments in `thumbs fine-tune`: published folders are complete, and --resume works."""

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from small_model import RECIPE, FineTuneResult, write_recipe

from cli import fine_tune as fine_tune_command
from core.settings import Settings
from ml.bert.pretrained import WEIGHTS
from ml.errors import NothingToResume
from ml.serving.artifact import Manifest, verified_manifest
from ml.training.base_model import BaseModel
from ml.training.fine_tune import fine_tune
from ml.training.loop import TrainingCallbacks, TrainingProgress

ENVIRONMENT = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}


class KilledCommand:
    """A command that is killed and run again. If its output folder exists, the folder is always complete."""

    def __init__(self, folder: Path, base: Path, reviews: Path) -> None:
        self.folder = folder
        self.out = folder / "models" / "mine"
        self.checkpoint = self.out.parent / ".mine-training" / "training.safetensors"
        recipe = write_recipe(folder, RECIPE)
        self._options = {"data": reviews, "base": str(base), "recipe": str(recipe), "out": self.out}

    def start_and_kill(self, moment: str, delay: float) -> None:
        """Run the command, with --resume if there is a checkpoint, and kill it ``delay`` seconds after ``moment``."""
        command = [sys.executable, "-m", "cli.main", "fine-tune"]
        command += [f"--{name}={value}" for name, value in self._options.items()]
        command += ["--resume"] if self.checkpoint.exists() else []
        reached = self._is_reached(moment)
        with (self.folder / "errors").open("w+", encoding="utf-8") as errors:
            with subprocess.Popen(command, cwd=self.folder, env=ENVIRONMENT, stderr=errors) as process:
                while process.poll() is None and not reached():
                    self._wait(process, 0.005)
                self._wait(process, delay)
                process.kill()
            errors.seek(0)
            output = errors.read()
        self._assert_complete()
        assert process.returncode in (0, -signal.SIGKILL), output

    def finish(self, resume: bool) -> Manifest:
        """Run the same command to completion."""
        fine_tune_command.fine_tune(**self._options, resume=resume)
        return verified_manifest(self.out)

    def _wait(self, process: "subprocess.Popen[bytes]", seconds: float) -> None:
        self._assert_complete()
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)

    def _assert_complete(self) -> None:
        if self.out.exists():
            verified_manifest(self.out)

    def _is_reached(self, name: str) -> Callable[[], bool]:
        before = self._checkpoint_time()
        return {
            "start": self.out.parent.exists,
            "checkpoint": lambda: self._checkpoint_time() != before,
            "publishing": lambda: any(self.out.parent.glob(".mine-*.publishing")),
        }[name]

    def _checkpoint_time(self) -> int:
        return self.checkpoint.stat().st_mtime_ns if self.checkpoint.exists() else 0


def assert_equals_uninterrupted(out: Path, manifest: Manifest, uninterrupted: FineTuneResult) -> None:
    assert manifest.recipe == uninterrupted.manifest.recipe
    assert manifest.recipe["steps"] == len(uninterrupted.progress)
    assert manifest.data == uninterrupted.manifest.data
    accuracy = uninterrupted.manifest.figures["dev"]["accuracy"]
    assert manifest.figures["dev"]["accuracy"] == pytest.approx(accuracy, abs=0.04)
    expected = load_file(uninterrupted.job.out / WEIGHTS)
    for name, values in load_file(out / WEIGHTS).items():
        # Weights are published in float16, where a difference in float32's last place may become a difference in
        # float16's last place.
        np.testing.assert_allclose(values, expected[name], rtol=2**-10, atol=1e-5, err_msg=name)
    assert list(out.parent.iterdir()) == [out], "the killed runs left files"


@pytest.fixture
def command(small_base: BaseModel, small_reviews: Path, tmp_path: Path) -> KilledCommand:
    return KilledCommand(tmp_path, small_base.folder, small_reviews)


@pytest.mark.parametrize(("seed", "moments"), [(1, ["start", "checkpoint"]), (2, ["publishing"])])
def test_a_killed_fine_tune_gives_the_same_model(
    fine_tuned: FineTuneResult, command: KilledCommand, seed: int, moments: list[str]
) -> None:
    rng = random.Random(seed)
    for moment in moments:
        command.start_and_kill(moment, delay=rng.uniform(0, 0.5))
        if moment == "start" and not command.checkpoint.exists():
            with pytest.raises(NothingToResume, match="Run the command without --resume"):
                command.finish(resume=True)
    resume = command.checkpoint.exists()
    assert resume or command.out.exists()
    assert_equals_uninterrupted(command.out, command.finish(resume), fine_tuned)


def test_a_checkpoint_left_after_publishing_leads_to_the_same_model(fine_tuned: FineTuneResult, tmp_path: Path) -> None:
    job = replace(fine_tuned.job, out=tmp_path / "mine", recipe=replace(RECIPE, epochs=4))
    checkpoints, kept = job.checkpoint.folder, tmp_path / "kept"

    def keep(progress: TrainingProgress) -> None:
        if progress.step == progress.steps:
            shutil.copytree(checkpoints, kept)

    published = fine_tune(job, TrainingCallbacks(keep, lambda: False))
    assert not checkpoints.exists()
    kept.rename(checkpoints)
    seen: list[TrainingProgress] = []
    again = fine_tune(job, TrainingCallbacks(seen.append, lambda: False), resume=True)
    assert 0 < len(seen) < published.recipe["steps"] == again.recipe["steps"]
    assert again.files == published.files
    assert list(tmp_path.iterdir()) == [job.out]
