"""The reviews that are exported for a teacher."""

from pathlib import Path

import pytest

from core.errors import MissingFile
from ml.distillation.reviews_file import TeacherReview, read_teacher_reviews, write_teacher_reviews
from ml.errors import UnusableReviewsFile

REVIEWS = [
    TeacherReview("0123456789abcdef", "A calm\nand \U0001f600 funny evening.", 1, "train"),
    TeacherReview("fedcba9876543210", "I left early.", 0, "dev"),
]


def test_reviews_can_be_read_back(tmp_path: Path) -> None:
    assert write_teacher_reviews(tmp_path / "reviews.jsonl", REVIEWS) == 2
    assert read_teacher_reviews(tmp_path / "reviews.jsonl") == REVIEWS


def test_a_missing_file_and_a_foreign_line_are_named(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    with pytest.raises(MissingFile):
        read_teacher_reviews(path)
    write_teacher_reviews(path, REVIEWS)
    path.write_text(path.read_text(encoding="utf-8") + '{"text": "no label"}\n', encoding="utf-8")
    with pytest.raises(UnusableReviewsFile, match="line 3"):
        read_teacher_reviews(path)
