"""Constants that are repeated because two rooms may not import each other are equal."""

from migrations import runner
from ml.text.labels import LABELS
from storage.db.tables import SCHEMA_REVISION
from storage.feedback.votes import OPPOSITE


def test_storage_expects_the_newest_migration() -> None:
    assert runner.head() == SCHEMA_REVISION


def test_storage_knows_the_labels_of_the_models() -> None:
    negative, positive = LABELS
    assert {negative: positive, positive: negative} == OPPOSITE
