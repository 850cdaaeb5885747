"""The report: figures, mistakes, rows of text and the HTML page."""

import json
import re
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml.evaluation.behavioural_checks import PassRate
from ml.evaluation.comparison import compare
from ml.evaluation.evaluate import ModelOutputs, measure
from ml.evaluation.evaluation_set import EvaluationSet
from ml.evaluation.figure_rows import comparison_rows, conclusion, figure_rows, report_warnings
from ml.evaluation.mistakes import worst_mistakes
from ml.evaluation.report import MistakeList, Report, render_report

TEXTS = ["A <b>bold</b> & <script>alert(1)</script> film.", "Dull.<br />Very dull.", "Fine. " * 80, "Poor."]
CHECKS = (
    PassRate("negation", "Negation", "minimum", False, 3, 4, ("It was <i>not</i> good.",)),
    PassRate("sarcasm", "Sarcasm", "minimum", True, 0, 2, ("Oh, great. | Just great.",)),
)


def table(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"text": TEXTS, "label": np.array([1, 0, 1, 0], np.int8), **columns})


def reviews(**columns: object) -> EvaluationSet:
    return EvaluationSet.from_table(table(**columns), Path("mine.csv"), "test", None)


def outputs(*margins: float, model: str = "mine", float32: tuple[float, ...] | None = None) -> ModelOutputs:
    """Return outputs for ``TEXTS``. A margin is Positive's logit minus Negative's logit."""
    logits = [np.array([[0.0, margin] for margin in row], np.float32) for row in (margins, float32 or ())]
    return ModelOutputs(model, "v1", 2.0, 0.7, False, logits[0], logits[1] if float32 else None, CHECKS)


def test_ratings_may_be_words_numbers_or_absent() -> None:
    assert reviews().ratings is None
    assert reviews(Rating=["", "none", "?", ""]).ratings is None
    np.testing.assert_equal(reviews(rating=["7", "", "10", "1.5"]).ratings, [7, np.nan, 10, 1.5])
    np.testing.assert_equal(reviews(rating=np.array([7, 1, 10, 2], np.int8)).ratings, [7, 1, 10, 2])


def test_overlap_with_the_training_data_is_detected_by_the_file_digest() -> None:
    whole = reviews()
    data = {"file_digest": whole.file_digest}
    assert whole.overlaps_training_data(data)
    assert not whole.overlaps_training_data({"file_digest": "another"})
    assert not whole.overlaps_training_data({})
    with_splits = table(split=["train", "train", "test", "test"])
    splits = [EvaluationSet.from_table(with_splits, Path("mine.csv"), split, None) for split in ("train", "test")]
    assert [split.overlaps_training_data(data) for split in splits] == [True, False]
    for kept_aside, overlaps in ((2, [True, False]), (0, [True, True])):
        with_test = {**data, "test": {"reviews": kept_aside}}
        assert [split.overlaps_training_data(with_test) for split in splits] == overlaps


def test_a_measurement_is_consistent_across_its_figures() -> None:
    found = measure(outputs(2, -1, -3, -4, float32=(2, 1, -3, -4)), reviews(rating=[9, 2, 9, 2]))
    assert found.on_all.served.figures.accuracy == 0.75
    assert [(part.name, part.reviews, part.accuracy) for part in found.by_length] == [
        ("up to 50", 3, 1.0),
        ("51-100", 1, 0.0),
    ]
    assert [(part.name, part.accuracy) for part in found.by_rating] == [("2", 1.0), ("9", 0.5)]
    assert found.without_doubtful is None
    change = found.from_float32
    assert change is not None
    assert (change.first, change.first_accuracy, change.second, change.second_accuracy) == (
        "float32",
        0.5,
        "int8",
        0.75,
    )


def test_doubtful_labels_are_left_out_unless_none_would_remain() -> None:
    doubtful = replace(reviews(), doubtful=np.array([False, False, True, False]))
    found = measure(outputs(2, -1, -3, -4), doubtful).without_doubtful
    assert found is not None
    assert (found.served.figures.reviews, found.served.figures.accuracy) == (3, 1.0)
    assert measure(outputs(2, -1, -3, -4), replace(doubtful, doubtful=np.ones(4, bool))).without_doubtful is None


def test_the_worst_mistakes_come_first() -> None:
    wrong = outputs(-1, 3, -2, -9)
    found = worst_mistakes(wrong, reviews(rating=["9", "2", "", "1"]))
    assert [(mistake.text, mistake.rating) for mistake in found] == [(TEXTS[1], 2.0), (TEXTS[2], None), (TEXTS[0], 9.0)]
    assert (found[0].label, found[0].verdict) == ("Negative", "Positive")
    # At temperature 2, a margin of 3 becomes 1.5.
    assert found[0].confidence == pytest.approx(1 / (1 + np.exp(-1.5)))
    mask = np.array([True, False, False, True])
    assert [mistake.text for mistake in worst_mistakes(wrong, reviews(), mask)] == [TEXTS[0]]


def test_at_most_twenty_mistakes_are_returned() -> None:
    many = EvaluationSet("a.csv", "", None, ["Fine."] * 30, np.ones(30, np.int8), None, None)
    assert len(worst_mistakes(outputs(*[-1.0] * 30), many)) == 20


def report_of(*models: ModelOutputs, **columns: object) -> Report:
    found = tuple(measure(model, reviews(**columns)) for model in models)
    change = None
    if len(models) == 2:
        names = (found[0].name, found[1].name)
        change = compare(names, models[0].logits, models[1].logits, reviews().labels)
    return Report(reviews(**columns).summary(), found, change)


def test_figure_rows_leave_a_missing_value_empty() -> None:
    report = report_of(outputs(2, -1, -3, -4, float32=(2, 1, -3, -4)), outputs(2, 1, 3, -4, model="other"))
    rows = {row.name: row.values for row in figure_rows(report.models)}
    assert rows["Accuracy"] == ("75.00% of 4", "75.00% of 4")
    assert rows["Accuracy in float32"] == ("50.00%", "")
    assert rows["Behavioural checks passed"] == ("3 of 4 cases", "3 of 4 cases")
    assert rows["Known hard checks passed"] == ("0 of 2 cases", "0 of 2 cases")
    assert "Accuracy without doubtful labels" not in rows
    assert report.comparison is not None
    assert {row.name: row.values for row in comparison_rows(report.comparison)}["Same verdict"] == ("50.00% of 4",)
    assert conclusion(report.comparison) == "other (v1) and mine (v1) are equally accurate."


@pytest.mark.parametrize(
    ("lost", "won", "ending"),
    [
        (0, 10, "new is more accurate than old."),
        (10, 0, "new is less accurate than old."),
        (1, 2, "new is more accurate than old, but the difference could be chance."),
    ],
)
def test_the_conclusion_says_when_a_difference_could_be_chance(lost: int, won: int, ending: str) -> None:
    first = np.array([[0, 1.0]] * lost + [[0, -1.0]] * won, np.float32)
    found = compare(("old", "new"), first, -first, np.ones(lost + won, np.int8))
    assert conclusion(found) == ending


def test_a_model_evaluated_on_its_training_data_gets_a_warning() -> None:
    trained = measure(replace(outputs(1, -1, 1, -1), trained_on_them=True), reviews())
    (sentence,) = report_warnings([trained, measure(outputs(1, -1, 1, -1), reviews())])
    assert sentence.startswith("mine (v1) was fine-tuned on reviews from this file")


def test_a_model_trained_on_the_checks_gets_a_warning() -> None:
    trained = measure(replace(outputs(1, -1, 1, -1), trained_on_checks=True), reviews())
    (sentence,) = report_warnings([trained, measure(outputs(1, -1, 1, -1), reviews())])
    assert sentence.startswith("mine (v1) was trained on the texts of the behavioural checks")


def test_undefined_figures_are_none_and_never_nan() -> None:
    one = EvaluationSet("a.csv", "", None, ["Poor."], np.array([0], np.int8), None, None)
    found = Report(one.summary(), (measure(outputs(-1.0), one),), None)
    exported = json.loads(json.dumps(asdict(found), allow_nan=False))
    assert [exported["models"][0]["on_all"][name] for name in ("auc", "f1", "interval")] == [None, None, None]
    rows = {row.name: row.values for row in figure_rows(found.models)}
    assert rows["Area under the ROC curve"] == ("undefined for one label",)
    assert rows["F1 of Positive"] == ("undefined without Positive",)
    assert "undefined for one review" in render_report(found, [])


def mistake_lists(model: ModelOutputs, **columns: object) -> list[MistakeList]:
    return [MistakeList("Worst mistakes", "Most confident first.", worst_mistakes(model, reviews(**columns)))]


def test_the_page_has_every_chart_and_escapes_texts() -> None:
    wrong = outputs(-1, 3, -2, -9)
    html = render_report(report_of(wrong, rating=[9, 2, 9, 2]), mistake_lists(wrong, rating=[9, 2, 9, 2]))
    titles = re.findall(r"<figcaption><strong>(.*?)</strong>", html)
    assert titles == [
        "Confusion matrix",
        "Reliability before temperature scaling",
        "Reliability after temperature scaling",
        "Accuracy by length",
        "Accuracy by rating",
    ]
    assert html.count("<svg") == len(titles)
    assert "A &lt;b&gt;bold&lt;/b&gt; &amp; &lt;script&gt;alert(1)&lt;/script&gt; film." in html
    assert "It was &lt;i&gt;not&lt;/i&gt; good." in html
    assert "Dull.\nVery dull." in html
    assert "<script" not in html


def test_without_ratings_the_page_says_so() -> None:
    html = render_report(report_of(outputs(1, -1, 1, -1)), mistake_lists(outputs(1, -1, 1, -1)))
    assert "The file has no ratings" in html
    assert html.count("<svg") == 4
    assert "<p>None.</p>" in html, "the model makes no mistakes"


def test_the_page_of_two_models_says_what_changed() -> None:
    html = render_report(report_of(outputs(2, -1, -3, -4), outputs(2, -1, -3, -4)), [])
    assert "What changed" in html
    assert html.count("<svg") == 7, "three for each model, and one by length for both"
    ids = re.findall(r'\bid="([^"]*)"', html)
    assert len(ids) == len(set(ids)), "ids are unique within the page"


def test_the_page_is_self_contained_and_deterministic() -> None:
    report = report_of(outputs(2, -1, -3, -4))
    html = render_report(report, [])
    assert html == render_report(report, [])
    assert set(re.findall(r'(?:src|href)="([^"#]*)', html)) <= {""}
    assert set(re.findall(r"https?://[^\"' <]+", html)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert re.findall(r"#00000\d", html) == [], "every placeholder colour became a CSS variable"
