"""The five corrections of the demo's lesson change the starter's verdict on at least one similar review."""

from pathlib import Path

import pandas as pd
import pytest
from paths import STARTER

from cli import fine_tune as fine_tune_command
from cli.demo.lesson import ASKED, CORRECTED
from ml.serving.engine import Classifier


def labels(folder: Path, texts: tuple[str, ...]) -> list[str]:
    return [verdict.label for verdict in Classifier.load(folder).classify(list(texts))]


def test_a_round_on_the_lesson_changes_a_verdict_on_a_similar_review(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IMDB_PATH", raising=False)
    assert labels(STARTER, CORRECTED + ASKED) == ["Negative"] * 10, "the lesson needs reviews that the starter misreads"
    corrections, out = tmp_path / "corrections.csv", tmp_path / "round"
    pd.DataFrame({"text": CORRECTED, "label": "Positive"}).to_csv(corrections, index=False)
    fine_tune_command.fine_tune(out=out, base=str(STARTER), corrections=corrections, recipe="feedback")
    assert labels(out, CORRECTED) == ["Positive"] * 5
    assert "Positive" in labels(out, ASKED)
