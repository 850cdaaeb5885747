"""``thumbs predict`` explains how to pass a text that begins with a dash, and prints explanations."""

import pytest
from typer.testing import CliRunner
from weighted_engine import weighted_classifier

from cli.explanations import explanation_json, explanation_lines
from cli.main import app
from ml.explanation.explain import Explanation, explain


@pytest.mark.parametrize("text", ["-5 stars, truly awful", "--- awful", "--the best--", "-awful"])
def test_a_text_that_begins_with_a_dash_is_refused_with_a_hint(text: str) -> None:
    result = CliRunner().invoke(app, ["predict", text])
    assert result.exit_code == 2
    assert "Put -- before a text that begins with a dash" in " ".join(result.stderr.split())


def explained(text: str, window: int = 128) -> Explanation:
    classifier, _ = weighted_classifier(window=window)
    return explain(text, classifier.engine.tokenizer, classifier.classify)


def test_the_rows_of_a_table_are_not_explained() -> None:
    result = CliRunner().invoke(app, ["predict", "--why", "--csv", "in.csv", "--out", "out.csv"])
    assert result.exit_code == 2
    assert "--why explains texts that are passed as arguments" in " ".join(result.stderr.replace("│", " ").split())


def test_an_explanation_is_printed_with_effects_in_logits() -> None:
    text = "Slow, so slow, but charming."
    explanation = explained(text)
    assert list(explanation_lines(text, explanation)) == ["  up: charming (+1.50)", "  down: Slow (-4.00)"]
    assert explanation_json(explanation) == {
        "up": [{"word": "charming", "effect": 1.5, "places": [[19, 27]]}],
        "down": [{"word": "Slow", "effect": -4.0, "places": [[0, 4], [9, 13]]}],
        "passage": [0, len(text)],
    }


def test_the_passage_that_decided_is_printed_on_one_line() -> None:
    text = f"{'It went on. ' * 12}\nIt was\nboring. {'It went on. ' * 12}"
    *_, passage = explanation_lines(text, explained(text, window=32))
    assert passage.startswith("  decided by: ")
    assert "It was boring." in passage
    assert list(explanation_lines("A film.", explained("A film."))) == ["  no single word stands out"]
