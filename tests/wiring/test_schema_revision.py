"""Constants that two rooms hold because neither may import the other."""

from migrations import runner
from ml.text.labels import LABELS
from storage.db.tables import SCHEMA_REVISION
from storage.feedback.votes import OPPOSITE


def test_storage_asks_for_the_newest_migration() -> None:
    assert runner.head() == SCHEMA_REVISION


def test_storage_knows_the_labels_that_models_give() -> None:
    negative, positive = LABELS
    assert {negative: positive, positive: negative} == OPPOSITE
