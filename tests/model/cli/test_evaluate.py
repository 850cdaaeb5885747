"""``thumbs evaluate`` on published models with random weights: what it prints, writes and rejects."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from cli.main import app
from core.errors import UnwritableFile
from ml.bert.config import BertConfig
from ml.errors import EmptyTable, NoDoubtfulLabels
from ml.serving.artifact import Manifest, file_hashes, publish_artifact
from ml.serving.engine import Classifier, Engine
from ml.serving.probes import PROBES

RandomBert = Callable[..., Path]
CONFIG = BertConfig(
    hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, max_position_embeddings=128
)
TEXTS = [f"{opinion} Number {number}." for number in range(20) for opinion in ("A joy.", "A <b>bore</b> & worse.")]


def publish(folder: Path, random_bert: RandomBert, seed: int) -> Path:
    with publish_artifact(folder) as work:
        random_bert(work, CONFIG, seed)
        logits, _ = Engine.load(work, 32, 8).logits(PROBES)
        Manifest(
            version=f"v{seed}",
            created=datetime.now(UTC).isoformat(),
            base="random",
            window=32,
            overlap=8,
            temperature=1.5,
            unsure_below=0.7,
            data={},
            recipe={},
            libraries={},
            figures={},
            probe_logits=logits.tolist(),
            files=file_hashes(work),
        ).write(work)
    return folder


@pytest.fixture(scope="module")
def models(random_bert: RandomBert, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("models")
    return publish(folder / "old", random_bert, 1), publish(folder / "new", random_bert, 2)


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.csv"
    labels = ["positive", "negative"] * 20
    numbers = [number // 2 for number in range(40)]
    rows = {"review": TEXTS, "sentiment": labels, "rating": [9, 2] * 20, "id": numbers, "split": "test"}
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def evaluate(*arguments: str | Path) -> tuple[int, str, str]:
    """Return the exit status, standard output and standard error. Raise the command's ThumbsError, if any."""
    result = CliRunner().invoke(app, ["evaluate", *map(str, arguments)], catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def evaluate_json(*arguments: str | Path) -> dict[str, Any]:
    status, output, _ = evaluate(*arguments, "--json")
    assert status == 0
    facts: dict[str, Any] = json.loads(output)
    return facts


def test_the_figures_match_the_verdicts(models: tuple[Path, Path], reviews: Path) -> None:
    facts = evaluate_json("--data", reviews, "--model", models[0])
    assert facts["data"] == {**facts["data"], "file": "reviews.csv", "part": "test", "reviews": 40, "positive": 20}
    (model,) = facts["models"]
    verdicts = Classifier.load(models[0]).classify(TEXTS)
    right = [(verdict.label == "Positive") == (row % 2 == 0) for row, verdict in enumerate(verdicts)]
    assert (model["model"], model["version"]) == ("old", "v1")
    assert model["on_all"]["served"]["figures"]["accuracy"] == pytest.approx(sum(right) / 40)
    assert model["on_all"]["served"]["temperature"] == 1.5
    assert [part["name"] for part in model["by_rating"]] == ["2", "9"]
    assert sum(check["cases"] for check in model["checks"]) > 100
    assert (model["without_doubtful"], model["from_float32"], facts["comparison"]) == (None, None, None)


def test_float32_and_doubtful_labels_are_evaluated_on_request(
    models: tuple[Path, Path], reviews: Path, tmp_path: Path
) -> None:
    votes = tmp_path / "votes.csv"
    votes.write_text("file,votes_given\ntest/pos/3_9,0\ntest/neg/3_2,2\ntest/neg/4_2,5\n", encoding="utf-8")
    arguments = ("--data", reviews, "--model", models[0], "--float32", "--doubtful", votes)
    (model,) = evaluate_json(*arguments)["models"]
    assert model["without_doubtful"]["served"]["figures"]["reviews"] == 38
    # These are weights that int8 does not round.
    assert model["from_float32"]["agreement"] > 0.9
    assert model["from_float32"]["second_accuracy"] == model["on_all"]["served"]["figures"]["accuracy"]


def test_two_models_are_compared(models: tuple[Path, Path], reviews: Path, tmp_path: Path) -> None:
    page = tmp_path / "changes.html"
    facts = evaluate_json("--data", reviews, "--compare", *models, "--report", page)
    change = facts["comparison"]
    accuracies = [model["on_all"]["served"]["figures"]["accuracy"] for model in facts["models"]]
    assert [change["first_accuracy"], change["second_accuracy"]] == accuracies
    assert (change["positive_flips"] - change["negative_flips"]) / 40 == pytest.approx(accuracies[1] - accuracies[0])
    html = page.read_text(encoding="utf-8")
    assert "old (v1) and new (v2)" in html
    assert html.count("<svg") == 8
    assert "A <b>bore" not in html


def test_the_text_output_has_the_model_and_its_figures(models: tuple[Path, Path], reviews: Path) -> None:
    status, output, _ = evaluate("--data", reviews, "--model", models[0])
    lines = output.splitlines()
    assert status == 0
    assert lines[0] == "40 reviews of reviews.csv, part test"
    assert lines[1].strip() == "old (v1)"
    assert any(line.startswith("Expected calibration error") and "uncalibrated" in line for line in lines)


def test_reviews_with_one_label_have_no_area_under_the_curve(models: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "liked.csv"
    path.write_text("review,sentiment\nA joy.,positive\nA delight.,positive\n", encoding="utf-8")
    (model,) = evaluate_json("--data", path, "--model", models[0], "--report", tmp_path / "liked.html")["models"]
    assert model["on_all"]["auc"] is None
    assert model["by_rating"] == []
    assert "The file has no ratings" in (tmp_path / "liked.html").read_text(encoding="utf-8")


def test_a_file_without_reviews_is_an_error(models: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "none.csv"
    path.write_text("review,sentiment\n", encoding="utf-8")
    with pytest.raises(EmptyTable):
        evaluate("--data", path, "--model", models[0])


def test_doubtful_labels_of_other_reviews_are_an_error(
    models: tuple[Path, Path], reviews: Path, tmp_path: Path
) -> None:
    votes = tmp_path / "votes.csv"
    votes.write_text("file,votes_given\ntest/pos/99_9,0\n", encoding="utf-8")
    with pytest.raises(NoDoubtfulLabels, match=r"such as test/pos/0_9 in .*reviews\.csv"):
        evaluate("--data", reviews, "--model", models[0], "--doubtful", votes)


def test_an_unwritable_report_is_an_error_before_the_evaluation(
    models: tuple[Path, Path], reviews: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ml.evaluation.evaluate.logits_in_chunks", lambda *_: pytest.fail("the model was evaluated"))
    for path in (tmp_path, tmp_path / "absent" / "report.html"):
        with pytest.raises(UnwritableFile):
            evaluate("--data", reviews, "--model", models[0], "--report", path)


def test_ctrl_c_keeps_the_old_report(
    models: tuple[Path, Path], reviews: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ml.evaluation.evaluate.logits_in_chunks", interrupt)
    (tmp_path / "report.html").write_text("the old report", encoding="utf-8")
    status, _, _ = evaluate("--data", reviews, "--model", models[0], "--report", tmp_path / "report.html")
    assert status == 130
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == "the old report"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "reviews.csv"]
