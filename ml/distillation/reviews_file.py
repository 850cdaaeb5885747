"""Reads and writes the reviews for a teacher: JSON lines, which an environment without pandas can read."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from core.errors import MissingFile
from core.files import replaced
from ml.errors import UnusableReviewsFile

# The teacher is trained on the first part, and evaluated on the second.
Part = Literal["train", "dev"]
TRAIN: Final = "train"
DEV: Final = "dev"


@dataclass(frozen=True, slots=True)
class TeacherReview:
    """A review with cleaned characters. ``key`` identifies the text, and ``label`` is an index into LABELS."""

    key: str
    text: str
    label: int
    part: Part


def write_teacher_reviews(path: Path, reviews: Iterable[TeacherReview]) -> int:
    """Write one JSON object per line, replacing ``path`` atomically, and return the number of reviews."""
    lines = [json.dumps(asdict(review)) + "\n" for review in reviews]
    with replaced(path) as unfinished:
        unfinished.write_text("".join(lines), encoding="utf-8")
    return len(lines)


def read_teacher_reviews(path: Path) -> list[TeacherReview]:
    """Read the reviews written by ``thumbs data export``.

    Raise MissingFile if there is no such file, and UnusableReviewsFile if a line is not a review.
    """
    if not path.is_file():
        raise MissingFile(path=path)
    reviews = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            try:
                reviews.append(TeacherReview(**json.loads(line)))
            except (ValueError, TypeError) as error:
                raise UnusableReviewsFile(path=path, line=number) from error
    return reviews
