"""``thumbs predict`` with the starter model."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from paths import ROOT, STARTER

from core.settings import Settings
from ml.text.labels import LABELS

LIKED = "This was a good movie. I would watch it again"
HATED = "I cannot believe I have wasted time on this movie, it is the worst movie I have ever seen"

pytestmark = pytest.mark.skipif(
    not STARTER.is_dir(), reason="there is no models/starter; create it with thumbs fine-tune"
)


def predict(*arguments: str | bytes, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli.main", "predict", "--model", str(STARTER), *arguments]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_sentences_in_the_readme(tmp_path: Path) -> None:
    result = predict(LIKED, HATED, folder=tmp_path)
    assert result.returncode == 0, result.stderr
    first, second = result.stdout.splitlines()
    assert first.startswith("Positive (")
    assert first.endswith(f": {LIKED}")
    assert second.startswith("Negative (")


def test_the_starter_is_found_from_any_folder(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name.lower() not in Settings.model_fields}
    environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "-m", "cli.main", "predict", LIKED]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("Positive (")


def test_json_has_the_complete_verdict(tmp_path: Path) -> None:
    result = predict("--json", LIKED, "Schön.", folder=tmp_path)
    verdicts = [json.loads(line) for line in result.stdout.splitlines()]
    assert [verdict["text"] for verdict in verdicts] == [LIKED, "Schön."]
    for verdict in verdicts:
        assert verdict["label"] == LABELS[verdict["logits"][1] > verdict["logits"][0]]
        assert 0.5 <= verdict["confidence"] <= 1
        assert verdict["windows"] >= 1
        assert verdict["reason"] is None


def test_texts_for_a_rule_get_the_answer_of_the_chat(tmp_path: Path) -> None:
    texts = ["", "Das war ein schöner Abend, und wir kommen wieder.", "Да", "2 out of 10", "★★★☆☆", LIKED]
    expected = [
        (None, "no words"),
        (None, "not English: German"),
        (None, "not English: a language in Cyrillic letters"),
        ("Negative", "rating 2 out of 10"),
        (None, "mixed rating ★★★☆☆"),
        ("Positive", None),
    ]
    result = predict("--json", *texts, folder=tmp_path)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(answer["label"], answer["reason"]) for answer in answers] == expected
    assert [answer["confidence"] is None for answer in answers] == [True] * 5 + [False]
    lines = predict(*texts, folder=tmp_path).stdout.splitlines()
    assert lines[0] == "No verdict (no words): "
    assert lines[3] == "Negative (rating 2 out of 10): 2 out of 10"


def test_an_empty_row_of_a_file_gets_no_verdict(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text('id,review\n1,\n2,"A joy to watch, from start to finish."\n', encoding="utf-8")
    result = predict("--csv", "in.csv", "--out", "out.csv", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "Rows: 2 (1 positive, 0 negative, 1 without a verdict)" in result.stderr
    rows = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert rows["label"].tolist() == ["", "Positive"]
    assert rows["reason"].tolist() == ["no words", ""]


def test_a_verdict_is_explained(tmp_path: Path) -> None:
    lines = predict("--why", "The tea was awful.", folder=tmp_path).stdout.splitlines()
    assert lines[0].startswith("Negative (")
    assert any(line.startswith("  down: awful (-") for line in lines[1:])
    verdict = json.loads(predict("--why", "--json", "The tea was awful.", folder=tmp_path).stdout)
    assert verdict["label"] == "Negative"
    assert verdict["why"]["down"][0]["word"] == "awful"


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_invalid_utf8_is_shown_as_replacement_characters(tmp_path: Path, form: tuple[str, ...]) -> None:
    result = predict(*form, "A lovely café.".encode("latin-1"), folder=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "A lovely caf\ufffd." in result.stdout


def test_a_file_gets_the_same_verdicts_as_single_texts(tmp_path: Path) -> None:
    texts = [LIKED, HATED, "Dull from the first scene to the last.", "What a joy, and what a cast!"] * 100
    pd.DataFrame({"id": range(len(texts)), "comment": texts}).to_csv(tmp_path / "in.csv", index=False)
    arguments = ("--csv", "in.csv", "--out", "out.csv", "--column", "comment")
    result = predict(*arguments, "--json", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stderr == "", "a progress bar was drawn without a terminal"
    rows = pd.read_csv(tmp_path / "out.csv")
    alone = {
        text: json.loads(predict("--json", text, folder=tmp_path).stdout)["label"] for text in dict.fromkeys(texts)
    }
    assert rows["comment"].tolist() == texts
    assert rows["label"].tolist() == [alone[text] for text in texts]
    summary = json.loads(result.stdout)
    assert (summary["rows"], summary["positive"]) == (400, int((rows["label"] == "Positive").sum()))
    assert summary["out"] == "out.csv"


def test_a_folder_that_is_not_a_model_is_an_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cli.main", "predict", "--model", str(tmp_path), LIKED]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.startswith(f"The model at {tmp_path} cannot be used")
    assert result.stderr.count("\n") == 1
