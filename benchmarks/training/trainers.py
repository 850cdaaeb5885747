"""Prepares a training job on IMDB reviews, and the commands that run it with our loop and with Trainer."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras

from benchmarks.training.job import TrainingBatch, TrainingJob
from ml.bert.config import BertConfig
from ml.bert.pretrained import read_checkpoint
from ml.data.reviews import read_reviews
from ml.data.splits import TrainDevSplit
from ml.text.tokenization import WindowTokenizer
from ml.training.base_model import find_base_model
from ml.training.batches import WindowBatches
from ml.training.dataset_splits import DatasetSplits
from ml.training.recipe import Recipe
from ml.training.training_set import TrainingExamples

OURS = "ours"
# Trainer's configurations: the precision for products, and the attention implementation. By default, transformers uses
# sdpa, but eager is faster in bfloat16 on some processors.
TRAINERS = {
    f"Trainer, {' '.join(how)}": how for how in (("float32", "sdpa"), ("bfloat16", "sdpa"), ("bfloat16", "eager"))
}
_PEER = Path(__file__).with_name("trainer_peer.py")


def trainer_environment() -> dict[str, str]:
    """Return the environment for a trainer's process: no GPU, no downloads, and only errors in the log."""
    return {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}


def add_peer_option(parser: argparse.ArgumentParser) -> None:
    """Add the ``--peer`` option: the path of an existing Python interpreter with PyTorch and Trainer."""
    parser.add_argument(
        "--peer", type=_interpreter, default=".venv-peers/bin/python", help="Python interpreter with PyTorch"
    )


def _interpreter(path: str) -> Path:
    if not Path(path).exists():
        raise argparse.ArgumentTypeError(f"{path} does not exist; `make peers` creates it")
    return Path(path)


def trainer_command(name: str, peer: Path, job: TrainingJob, out: Path) -> list[str]:
    """Return the command that runs a job with trainer ``name`` and writes to ``out``.

    ``peer`` is the Python interpreter with PyTorch.
    """
    if name == OURS:
        return [sys.executable, "-m", "benchmarks.training.trainer_ours", str(job.folder), str(out)]
    return [str(peer), str(_PEER), str(job.folder), str(out), *TRAINERS[name]]


@dataclass(frozen=True, slots=True)
class ReviewSample:
    """Reviews from the official train split: enough for a given number of steps, and held-out reviews."""

    recipe: Recipe
    split: TrainDevSplit

    @classmethod
    def draw(cls, data: Path, recipe: Recipe, steps: int, dev: int) -> "ReviewSample":
        """Draw enough reviews for ``steps`` steps and at most ``dev`` held-out reviews, using the recipe's seed."""
        split = DatasetSplits.from_reviews(read_reviews(data), data, recipe, None).split
        train = split.train.sample(steps * recipe.batch_size, random_state=recipe.seed)
        return cls(recipe, TrainDevSplit(train, split.dev.sample(min(dev, len(split.dev)), random_state=recipe.seed)))

    def batches(self) -> list[TrainingBatch]:
        """Return the batches for one epoch over the training reviews."""
        train = self.split.train
        examples = TrainingExamples.from_labels(train["text"].tolist(), train["label"].tolist())
        return list(WindowBatches(examples, self._reader(), self.recipe).epoch(0))

    def write_job(self, folder: Path, batches: Sequence[TrainingBatch], stops: Sequence[int]) -> TrainingJob:
        """Write a job with ``batches`` that starts from the base model and a head initialised with the seed."""
        keras.utils.set_random_seed(self.recipe.seed)
        base = find_base_model(self.recipe.base).folder
        config = replace(
            BertConfig.read(base),
            hidden_dropout_prob=self.recipe.hidden_dropout,
            attention_probs_dropout_prob=self.recipe.attention_dropout,
        )
        network = read_checkpoint(base, config)
        return TrainingJob.write(folder, network, config, self._reader(), self.recipe, batches, stops)

    def _reader(self) -> WindowTokenizer:
        base, recipe = find_base_model(self.recipe.base).folder, self.recipe
        return WindowTokenizer.read(base, recipe.window, recipe.overlap, recipe.reading)
