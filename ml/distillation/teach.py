"""Fine-tunes a teacher on reviews, with PyTorch.

    .venv-peers/bin/python -m ml.distillation.teach --base FOLDER --reviews reviews.jsonl --out var/teacher

The program runs in the environment from ``make peers``. ``--base`` is a folder or a hub name that
``AutoModelForSequenceClassification`` can load, and ``thumbs data export`` writes the reviews. Each epoch uses one
random window from every review. Some windows are cropped, so that the teacher also learns to label a sentence. You can
stop the program with Ctrl-C and continue from the last checkpoint in OUT with the same command.
"""

import argparse
import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from core.files import replaced
from ml.distillation.batches import autocast, batches_by_length
from ml.distillation.reviews_file import DEV, TRAIN, TeacherReview, read_teacher_reviews

logger = logging.getLogger("teach")

_CHECKPOINT: Final = "checkpoint.pt"
_CHECKPOINT_STEPS: Final = 250
_LOG_STEPS: Final = 20
_SHORTEST_CROP: Final = 6
# A lower layer is more general than a higher one and gets a lower learning rate (Howard and Ruder 2018).
_LAYER_DECAY: Final = 0.9
_HEAD_RATE: Final = 1e-4
_WARMUP: Final = 0.08
_WEIGHT_DECAY: Final = 0.01

Windows = list[list[int]]


@dataclass(frozen=True, slots=True)
class TeacherRecipe:
    """How a teacher is fine-tuned. Lengths are in tokens, and ``crops`` is the share of windows that are cropped."""

    epochs: int
    learning_rate: float
    window: int
    overlap: int
    crops: float
    frozen_layers: int
    seed: int


class TeacherWindows:
    """The windows into which a teacher's tokenizer splits reviews."""

    def __init__(self, tokenizer: Any, reviews: Sequence[TeacherReview], recipe: TeacherRecipe) -> None:
        self._cls, self._sep, self._pad = tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.pad_token_id
        self._recipe = recipe
        encoded = tokenizer([review.text for review in reviews], add_special_tokens=False)["input_ids"]
        self.choices = [self._split(ids) for ids in encoded]
        self.labels = np.array([review.label for review in reviews], np.int64)

    def _split(self, ids: Sequence[int]) -> Windows:
        room = self._recipe.window - 2
        last = max(len(ids) - room, 0)
        starts = (*range(0, last, room - self._recipe.overlap), last)
        return [[self._cls, *ids[start : start + room], self._sep] for start in starts]

    def epoch(self, number: int) -> Iterator[tuple[list[int], Windows]]:
        """Yield the batches of epoch ``number``: the reviews' indices, and one window from each."""
        rng = np.random.default_rng([self._recipe.seed, number])
        windows = [self._crop(choice[rng.integers(len(choice))], rng) for choice in self.choices]
        batches = batches_by_length([len(window) for window in windows], rng)
        for rows in batches:
            yield rows, [windows[row] for row in rows]

    def _crop(self, window: list[int], rng: np.random.Generator) -> list[int]:
        if rng.random() >= self._recipe.crops or len(window) - 2 <= _SHORTEST_CROP:
            return window
        inner = len(window) - 2
        length = round(_SHORTEST_CROP * (inner / _SHORTEST_CROP) ** rng.random())
        start = 1 + int(rng.integers(inner - length + 1))
        return [window[0], *window[start : start + length], window[-1]]

    def pad(self, windows: Windows) -> dict[str, torch.Tensor]:
        """Return ``input_ids`` and ``attention_mask``, both (windows, tokens) int64."""
        length = max(map(len, windows))
        input_ids = torch.full((len(windows), length), self._pad)
        attention_mask = torch.zeros((len(windows), length), dtype=torch.long)
        for row, window in enumerate(windows):
            input_ids[row, : len(window)] = torch.tensor(window)
            attention_mask[row, : len(window)] = 1
        return {"input_ids": input_ids, "attention_mask": attention_mask}


def parameter_groups(model: Any, recipe: TeacherRecipe) -> list[dict[str, Any]]:
    """Freeze the embeddings and the lowest layers, and return the other parameters with their peak learning rates."""
    layers = model.config.num_hidden_layers
    groups = []
    for name, parameter in model.named_parameters():
        layer = _layer_number(name, layers)
        parameter.requires_grad = layer >= recipe.frozen_layers
        if not parameter.requires_grad:
            continue
        rate = recipe.learning_rate * _LAYER_DECAY ** (layers - 1 - min(layer, layers - 1))
        if "classifier" in name:
            rate = _HEAD_RATE
        decay = _WEIGHT_DECAY if parameter.ndim > 1 else 0.0
        groups.append({"params": [parameter], "peak": rate, "weight_decay": decay})
    return groups


def _layer_number(name: str, layers: int) -> int:
    """Return a parameter's encoder layer: -1 for the embeddings, ``layers`` for anything above the encoder."""
    if ".embeddings." in name:
        return -1
    _, found, rest = name.partition(".layer.")
    return int(rest.partition(".")[0]) if found else layers


def schedule(done: float) -> float:
    """Return the learning rate as a share of its peak: linear warm-up, then linear decay.

    ``done`` (0 to 1) is the share of steps already done.
    """
    return min(done / _WARMUP, 1.0) if done < _WARMUP else (1 - done) / (1 - _WARMUP)


def teach(base: str, reviews: Path, out: Path, recipe: TeacherRecipe) -> None:
    """Fine-tune the teacher, save it to ``out``, and log its progress and its accuracy on the dev reviews.

    Raise MissingFile or UnusableReviewsFile if the reviews cannot be read, and OSError if transformers cannot load the
    base.
    """
    torch.manual_seed(recipe.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    rows = read_teacher_reviews(reviews)
    tokenizer = AutoTokenizer.from_pretrained(base)
    train = TeacherWindows(tokenizer, [row for row in rows if row.part == TRAIN], recipe)
    model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=2, dtype=torch.float32).to(device)
    optimizer = torch.optim.AdamW(parameter_groups(model, recipe), lr=0.0)
    plan = [batch for number in range(recipe.epochs) for batch in train.epoch(number)]
    out.mkdir(parents=True, exist_ok=True)
    first = _load_checkpoint(out / _CHECKPOINT, model, optimizer)
    model.train()
    started, losses = time.monotonic(), []
    for step in range(first, len(plan)):
        losses.append(_train_step(model, optimizer, train, plan[step], schedule((step + 1) / len(plan))))
        done = step + 1
        if done % _LOG_STEPS == 0:
            left = (time.monotonic() - started) / (done - first) * (len(plan) - done)
            loss = float(np.mean(losses[-100:]))
            logger.info("step %d of %d, loss %.3f, %d min left", done, len(plan), loss, math.ceil(left / 60))
        if done % _CHECKPOINT_STEPS == 0:
            _save_checkpoint(out / _CHECKPOINT, model, optimizer, done)
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)
    dev = TeacherWindows(tokenizer, [row for row in rows if row.part == DEV], recipe)
    logger.info("accuracy on %d dev reviews: %.4f", len(dev.labels), dev_accuracy(model, dev))
    (out / _CHECKPOINT).unlink(missing_ok=True)


def _train_step(
    model: Any, optimizer: torch.optim.Optimizer, train: TeacherWindows, batch: tuple[list[int], Windows], share: float
) -> float:
    """Train on one batch, at ``share`` of the peak learning rates, and return its loss."""
    rows, windows = batch
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * share
    inputs = {name: tensor.to(model.device) for name, tensor in train.pad(windows).items()}
    with autocast():
        logits = model(**inputs).logits
    targets = torch.from_numpy(train.labels[rows]).to(model.device)
    loss = torch.nn.functional.cross_entropy(logits.float(), targets)
    loss.backward()
    torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return float(loss.item())


def dev_accuracy(model: Any, dev: TeacherWindows) -> float:
    """Return the share of reviews that the model gets right, based on the mean logits of each review's windows."""
    owners = np.repeat(np.arange(len(dev.choices)), [len(choice) for choice in dev.choices])
    logits = window_logits(model, dev, [window for choice in dev.choices for window in choice])
    sums = np.zeros((len(dev.choices), 2))
    np.add.at(sums, owners, logits)
    return float((sums.argmax(axis=1) == dev.labels).mean())


def window_logits(model: Any, padder: TeacherWindows, windows: Windows) -> npt.NDArray[np.float32]:
    """Return the logits (windows, 2) float32, computed in batches of similar length."""
    logits = np.zeros((len(windows), 2), np.float32)
    model.eval()
    with torch.inference_mode(), autocast():
        for rows in batches_by_length([len(window) for window in windows], np.random.default_rng(0)):
            inputs = {name: tensor.to(model.device) for name, tensor in padder.pad([windows[r] for r in rows]).items()}
            logits[rows] = model(**inputs).logits.float().cpu().numpy()
    return logits


def _save_checkpoint(path: Path, model: Any, optimizer: torch.optim.Optimizer, step: int) -> None:
    with replaced(path) as unfinished:
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step}, unfinished)


def _load_checkpoint(path: Path, model: Any, optimizer: torch.optim.Optimizer) -> int:
    """Restore the model and the optimiser, and return the number of steps done, or 0 if there is no checkpoint."""
    if not path.exists():
        return 0
    # ``weights_only`` refuses pickled objects other than tensors and plain values.
    content = torch.load(path, map_location=model.device, weights_only=True)
    model.load_state_dict(content["model"])
    optimizer.load_state_dict(content["optimizer"])
    return int(content["step"])


def main() -> None:
    """Parse the arguments, and fine-tune the teacher."""
    parser = argparse.ArgumentParser(prog="python -m ml.distillation.teach", description=__doc__.split("\n\n")[0])
    parser.add_argument("--base", required=True, help="folder or hub name of the encoder")
    parser.add_argument("--reviews", required=True, type=Path, help="file that `thumbs data export` wrote")
    parser.add_argument("--out", required=True, type=Path, help="folder for the teacher")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--learning-rate", type=float, default=3e-5)
    parser.add_argument("--frozen-layers", type=int, default=2, help="lowest layers that keep their weights")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    recipe = TeacherRecipe(
        epochs=chosen.epochs,
        learning_rate=chosen.learning_rate,
        window=128,
        overlap=32,
        crops=0.3,
        frozen_layers=chosen.frozen_layers,
        seed=42,
    )
    teach(chosen.base, chosen.reviews, chosen.out, recipe)


if __name__ == "__main__":
    main()
