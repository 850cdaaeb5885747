"""Labels parts of reviews for ``thumbs fine-tune --soft-labels``, using a teacher model in PyTorch.

    .venv-peers/bin/python -m ml.distillation.label --teacher var/teacher --reviews reviews.jsonl --out labels.npz

The program runs in the environment from ``make peers``. The teacher is any folder or hub name that
``AutoModelForSequenceClassification`` can load. The teacher must have two labels, and the second must be the positive
one. ``thumbs data export`` writes the reviews, and only those in the train split are labelled. You can stop the program
with Ctrl-C and continue with the same command. Finished parts are stored next to OUT until everything is done.
"""

import argparse
import bisect
import hashlib
import itertools
import json
import logging
import math
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from ml.distillation.batches import autocast, batches_by_length
from ml.distillation.reviews_file import TRAIN, TeacherReview, read_teacher_reviews
from ml.distillation.soft_labels import SoftLabels
from ml.distillation.spans import Span, crop_spans, find_words, window_spans
from ml.text.characters import NEW_MODELS_FORM

logger = logging.getLogger("label")

# The number of reviews in a part: a few minutes of work on two cores.
_PART_REVIEWS: Final = 500


@dataclass(frozen=True, slots=True)
class LabellingPlan:
    """Which parts of each review are labelled: up to ``windows`` windows of ``window`` tokens, and ``crops`` crops."""

    teacher: str
    window: int
    overlap: int
    windows: int
    crops: int
    seed: int


@dataclass(frozen=True, slots=True)
class Teacher:
    """A teacher and its tokenizer."""

    model: Any
    tokenizer: Any

    @classmethod
    def load(cls, name: str) -> "Teacher":
        """Load a teacher from a folder or by its name on the hub. Raise OSError if transformers cannot load it."""
        device = "cuda" if torch.cuda.is_available() else "cpu"
        model = AutoModelForSequenceClassification.from_pretrained(name, dtype=torch.float32).to(device).eval()
        return cls(model, AutoTokenizer.from_pretrained(name))

    def spans(self, review: TeacherReview, plan: LabellingPlan, rng: np.random.Generator) -> list[Span]:
        """Return the parts of one review to label: windows, drawn at random if there are too many, then crops."""
        words = find_words(review.text)
        offsets = self.tokenizer(review.text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        starts = [word.start for word in words]
        owners = [bisect.bisect_right(starts, start) - 1 for start, _ in offsets]
        tokens = np.bincount(np.array(owners, np.int64), minlength=len(words)).tolist() if words else []
        windows = window_spans(words, tokens, plan.window - 2, plan.overlap)
        chosen = sorted(rng.permutation(len(windows))[: plan.windows].tolist())
        return [*(windows[number] for number in chosen), *crop_spans(words, plan.crops, rng)]

    def logits(self, texts: Sequence[str], window: int) -> npt.NDArray[np.float16]:
        """Return the logits (texts, 2) float16. Each text is cut after ``window`` tokens."""
        encoded = self.tokenizer(list(texts), truncation=True, max_length=window)["input_ids"]
        logits = np.zeros((len(texts), 2), np.float16)
        with torch.inference_mode(), autocast():
            for rows in batches_by_length([len(ids) for ids in encoded], np.random.default_rng(0)):
                batch = self.tokenizer.pad({"input_ids": [encoded[row] for row in rows]}, return_tensors="pt")
                output = self.model(**batch.to(self.model.device)).logits
                logits[rows] = output.float().cpu().numpy()
        return logits


def label(reviews: Path, out: Path, plan: LabellingPlan) -> SoftLabels:
    """Label the reviews and write ``out``, continuing from any parts finished by an earlier, identical call.

    Raise MissingFile or UnusableReviewsFile if the reviews cannot be read, and OSError if transformers cannot load the
    teacher.
    """
    rows = [review for review in read_teacher_reviews(reviews) if review.part == TRAIN]
    teacher = Teacher.load(plan.teacher)
    parts = out.with_name(f".{out.name}.{_digest(rows, plan)}")
    parts.mkdir(parents=True, exist_ok=True)
    firsts = range(0, len(rows), _PART_REVIEWS)
    started, new = time.monotonic(), 0
    for number, first in enumerate(firsts):
        path = parts / f"{number:05d}.npz"
        if path.exists():
            continue
        _label_part(teacher, rows[first : first + _PART_REVIEWS], plan, number).write(path)
        new += 1
        left = (time.monotonic() - started) / new * (len(firsts) - number - 1)
        logger.info(
            "%d of %d reviews, %d min left", min(first + _PART_REVIEWS, len(rows)), len(rows), math.ceil(left / 60)
        )
    labels = join([SoftLabels.read(path) for path in sorted(parts.glob("*.npz"))])
    labels.write(out)
    shutil.rmtree(parts)
    return labels


def _label_part(teacher: Teacher, reviews: Sequence[TeacherReview], plan: LabellingPlan, number: int) -> SoftLabels:
    rng = np.random.default_rng([plan.seed, number])
    spans = [teacher.spans(review, plan, rng) for review in reviews]
    texts = [r.text[span.start : span.end] for r, own in zip(reviews, spans, strict=True) for span in own]
    flat = list(itertools.chain.from_iterable(spans))
    return SoftLabels(
        # A folder's path would say where it is on this machine.
        teacher=Path(plan.teacher).name if Path(plan.teacher).is_dir() else plan.teacher,
        characters=NEW_MODELS_FORM,
        keys=[review.key for review in reviews],
        review=np.repeat(np.arange(len(reviews), dtype=np.int32), [len(own) for own in spans]),
        start=np.array([span.start for span in flat], np.int32),
        end=np.array([span.end for span in flat], np.int32),
        logits=teacher.logits(texts, plan.window),
    )


def join(parts: Sequence[SoftLabels]) -> SoftLabels:
    """Join the labels of several groups of reviews, in order."""
    offsets = np.cumsum([0, *(len(part.keys) for part in parts)])
    return SoftLabels(
        teacher=parts[0].teacher,
        characters=parts[0].characters,
        keys=[key for part in parts for key in part.keys],
        review=np.concatenate([part.review + offset for part, offset in zip(parts, offsets, strict=False)]).astype(
            np.int32
        ),
        start=np.concatenate([part.start for part in parts]),
        end=np.concatenate([part.end for part in parts]),
        logits=np.concatenate([part.logits for part in parts]),
    )


def _digest(reviews: Sequence[TeacherReview], plan: LabellingPlan) -> str:
    content = json.dumps([asdict(plan), [review.key for review in reviews]])
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def main() -> None:
    """Parse the arguments, and label the reviews."""
    parser = argparse.ArgumentParser(prog="python -m ml.distillation.label", description=__doc__.split("\n\n")[0])
    parser.add_argument("--teacher", required=True, help="folder or hub name of the teacher")
    parser.add_argument("--reviews", required=True, type=Path, help="file that `thumbs data export` wrote")
    parser.add_argument("--out", required=True, type=Path, help="file for the soft labels, ending in .npz")
    parser.add_argument("--windows", type=int, default=2, help="windows of 128 tokens from each review, at most")
    parser.add_argument("--crops", type=int, default=2, help="crops from each review, besides its windows")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    plan = LabellingPlan(chosen.teacher, window=128, overlap=32, windows=chosen.windows, crops=chosen.crops, seed=42)
    labels = label(chosen.reviews, chosen.out, plan)
    logger.info("wrote %d labels for %d reviews to %s", len(labels.review), len(labels.keys), chosen.out)


if __name__ == "__main__":
    main()
