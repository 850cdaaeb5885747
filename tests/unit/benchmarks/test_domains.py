"""The evaluation on other domains: its sets and their halves, figures, candidates, and the plain run's predictions."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from paths import ROOT

from benchmarks.common.provenance import Provenance
from benchmarks.common.text_sets import TextSet
from benchmarks.domains.distinct_texts import DistinctTexts, LeftOut, half_of, require_disjoint
from benchmarks.domains.evaluation import Evaluation, model_figures, plain_answers
from benchmarks.domains.plain_predictions import PlainPredictions, short_key
from benchmarks.domains.quotations import quoted_texts
from benchmarks.domains.results import (
    MAXIMUM_CANDIDATES,
    Candidate,
    add_candidate,
    read_content,
    set_reported,
    write_content,
)
from benchmarks.domains.set_figures import Answers, balanced_accuracy, paired_difference, set_figures
from benchmarks.figures.domains import domains
from ml.text.fingerprints import fingerprint
from ml.training.recipe import Recipe

RECIPE = replace(Recipe.load("default"), dev=0.2)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Write IMDB reviews and the four domains' files, with repeated, neutral and quoted texts."""
    kinds = (("train", 40), ("test", 8))
    reviews = [
        (f"The {split} film number {number} was long. A quiet joy to watch!", label, split)
        for split, count in kinds
        for number in range(count)
        for label in [("negative", "positive")[number % 2]]
    ]
    reviews += [(reviews[0][0], "negative", "test"), (reviews[-1][0].upper(), "positive", "test")]
    pd.DataFrame(reviews, columns=["review", "sentiment", "split"]).to_parquet(tmp_path / "imdb.parquet")
    alexa = [("It plays my songs.", 1, 5), ("it plays my songs", 1, 5), ("It stopped after a week.", 0, 1)]
    uci = [
        ("A quiet joy to watch", 1, "imdb"),
        ("The plot has holes.", 0, "imdb"),
        ("A quiet joy", 1, "yelp"),
        ("It plays my songs!", 1, "amazon"),
    ]
    tweets = [("off to the gym", -1), ("this phone is great", 1), ("my train is late again", 0)]
    sentences = [("was long", 0), ("a film with a heart", 1), ("flat jokes", 0)]
    for name, rows, columns in (
        ("amazon_alexa", alexa, ["text", "label", "rating"]),
        ("uci_sentences", uci, ["text", "label", "domain"]),
        ("sentiment140_manual", tweets, ["text", "label"]),
        ("rt_polarity", sentences, ["text", "label"]),
    ):
        pd.DataFrame(rows, columns=columns).to_csv(tmp_path / f"{name}.csv.gz", index=False)
    return tmp_path


def test_each_text_is_in_one_set_and_the_texts_left_out_are_counted(data: Path) -> None:
    found = DistinctTexts.read(data, RECIPE)
    texts = {name: table["text"].tolist() for name, table in found.domains.items()}
    assert texts == {
        "alexa": ["It plays my songs.", "It stopped after a week."],
        "uci": ["The plot has holes.", "A quiet joy"],
        "sentiment140": ["this phone is great", "my train is late again"],
        "rotten_tomatoes": ["a film with a heart", "flat jokes"],
    }
    assert len(found.test) == 8
    assert found.left_out == {
        "imdb_test": LeftOut(repeated=1, in_train=1),
        "alexa": LeftOut(repeated=1),
        "uci": LeftOut(in_other_set=1, quoted_from_train=1),
        "sentiment140": LeftOut(neutral=1),
        "rotten_tomatoes": LeftOut(quoted_from_train=1),
    }


def test_the_halves_are_a_partition_that_depends_only_on_the_words(data: Path) -> None:
    found = DistinctTexts.read(data, RECIPE)
    halves = [found.half("development"), found.half("reported")]
    for name, table in found.domains.items():
        both = pd.concat([half[name] for half in halves])
        assert sorted(both["text"]) == sorted(table["text"])
    assert half_of(fingerprint("Great, really!")) == half_of(fingerprint("great really"))
    named = [half_of(fingerprint(f"text number {number}")) for number in range(1000)]
    assert 450 < named.count("development") < 550


def test_imdb_is_the_held_out_part_for_choices_and_the_official_test_part_for_the_report(data: Path) -> None:
    found = DistinctTexts.read(data, RECIPE)
    assert found.half("development")["imdb"] is found.dev
    assert found.half("reported")["imdb"] is found.test
    assert set(found.dev["text"]) < set(found.official_train["text"])


def test_the_digests_cover_every_set_and_half(data: Path, tmp_path: Path) -> None:
    sets = DistinctTexts.read(data, RECIPE).text_sets()
    assert list(sets)[:4] == ["imdb_official_train", "imdb_train", "imdb_dev", "imdb_test"]
    assert len(sets) == 12
    halves = sets["alexa_development"].reviews, sets["alexa_reported"].reviews
    assert sum(halves) == 2
    assert sets == DistinctTexts.read(data, RECIPE).text_sets()
    with (data / "imdb.parquet").open("rb") as file:
        table = pd.read_parquet(file)
    table.assign(review=table["review"] + " Again.").to_parquet(data / "imdb.parquet")
    changed = DistinctTexts.read(data, RECIPE).text_sets()
    assert {name for name in sets if sets[name] != changed[name]} == {
        "imdb_official_train", "imdb_train", "imdb_dev", "imdb_test",
    }  # fmt: skip


def test_a_text_in_two_sets_is_refused() -> None:
    tables = {name: pd.DataFrame({"fingerprint": prints}) for name, prints in (("a", ["x", "x"]), ("b", ["y", "x"]))}
    with pytest.raises(ValueError, match="a and b share a text"):
        require_disjoint(tables)
    require_disjoint({"a": tables["a"], "c": pd.DataFrame({"fingerprint": ["z"]})})


def test_a_quotation_is_found_by_whole_words() -> None:
    source = "I said: it was a<br />slow, SLOW film and I left early."
    found = quoted_texts(
        ["It was a slow slow film!", "slow film", "low film", "film and I left late", "...", "early"], [source]
    )
    assert found == {"It was a slow slow film!", "slow film", "early"}


def test_balanced_accuracy_weighs_both_labels_the_same() -> None:
    labels = np.array([1, 1, 1, 1, 0], np.int8)
    assert balanced_accuracy(np.array([True, True, True, False, False]), labels) == 0.375
    with pytest.raises(ValueError, match="no text has the label Negative"):
        balanced_accuracy(np.array([True]), labels[:1])


def test_the_figures_of_a_set() -> None:
    positive = np.array([0.9, 0.6, 0.2, 0.7], np.float32)
    answers = Answers(np.stack([1 - positive, positive], axis=1), np.array([1, 0, 0, 1], np.int8), 0.65)
    found = set_figures(answers)
    assert (found.texts, found.accuracy, found.balanced_accuracy, found.called_positive) == (4, 0.75, 0.75, 0.75)
    assert (found.unsure, found.sure_accuracy) == (0.25, 1.0)
    # All four confidences are in different bins, so each gap is |right - confidence|.
    assert found.calibration_error == pytest.approx((0.1 + 0.6 + 0.2 + 0.3) / 4)
    assert set_figures(replace(answers, unsure_below=0.95)).sure_accuracy is None


def test_the_paired_interval_contains_the_difference_and_narrows_with_more_texts() -> None:
    labels = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1], np.int8)
    first = np.array([1, 0, 1, 1, 1, 1, 1, 1, 0, 1], bool)
    second = np.array([1, 1, 1, 1, 1, 1, 0, 1, 1, 1], bool)
    few = paired_difference(first, second, labels)
    many = paired_difference(np.tile(first, 100), np.tile(second, 100), np.tile(labels, 100))
    assert few.difference == many.difference == pytest.approx(0.1)
    assert few.interval[0] < many.interval[0] < 0.1 < many.interval[1] < few.interval[1]
    assert paired_difference(first, first, labels).interval == (0, 0)


def test_the_bootstrap_draws_texts_separately_for_each_label() -> None:
    # Four of 100 positive texts change, and none of 1,000 negative ones. The interval has half the width of the
    # interval for a share of 4 in 100.
    labels = np.array([1] * 100 + [0] * 1000, np.int8)
    first = np.ones(1100, bool)
    second = np.array([False] * 4 + [True] * 1096)
    found = paired_difference(first, second, labels)
    assert found.difference == pytest.approx(-0.02)
    assert found.interval == pytest.approx((-0.04, -0.005), abs=0.006)


def test_predictions_are_stored_without_texts(tmp_path: Path) -> None:
    prints = [fingerprint(text) for text in ("A joy.", "A bore.")]
    PlainPredictions({short_key(prints[0]): 2.5, short_key(prints[1]): -3.125}).write(tmp_path / "plain")
    found = PlainPredictions.read(tmp_path / "plain")
    assert found.logits(prints[::-1]).tolist() == [[0, -3.125], [0, 2.5]]
    with pytest.raises(ValueError, match="no prediction"):
        found.logits([fingerprint("Something else.")])


def test_the_plain_run_is_compared_on_the_domains() -> None:
    table = pd.DataFrame({"text": ["A joy.", "A bore."], "label": [1, 0]})
    table["fingerprint"] = table["text"].map(fingerprint)
    plain = PlainPredictions({short_key(each): 1.0 for each in table["fingerprint"]})
    sets = {"imdb": table, "alexa": table}
    assert list(plain_answers(plain, sets)) == ["alexa"]


def test_the_calibration_error_of_the_domains_together_leaves_out_imdb() -> None:
    right, wrong = (
        Answers(np.array([[0.1, 0.9], [0.9, 0.1]], np.float32), np.array(labels, np.int8), 0.7)
        for labels in ([1, 0], [0, 1])
    )
    found = model_figures({"imdb": wrong, "alexa": right, "uci": wrong})
    assert found.domains_together.texts == 4
    assert found.domains_together.calibration_error == pytest.approx(0.4)
    assert found.mean_balanced_accuracy == 0.5


def test_at_most_twenty_candidates_are_compared(tmp_path: Path) -> None:
    path, sets = tmp_path / "domains.json", {"alexa_development": TextSet(2, "digest")}
    content = read_content(path, sets, {})
    for number in range(MAXIMUM_CANDIDATES):
        add_candidate(content, _candidate(f"number {number}"))
    write_content(path, content)
    content = read_content(path, sets, {})
    with pytest.raises(ValueError, match="there are 20 candidates already"):
        add_candidate(content, _candidate("one too many"))
    add_candidate(content, _candidate("number 3"))
    assert len(content["candidates"]) == MAXIMUM_CANDIDATES


def test_a_candidates_name_cannot_be_given_to_another_model(tmp_path: Path) -> None:
    content = read_content(tmp_path / "domains.json", {}, {})
    add_candidate(content, _candidate("lower rate"))
    with pytest.raises(ValueError, match="another model is called 'lower rate'"):
        add_candidate(content, _candidate("lower rate", version="20261130-ffffffff"))


def test_figures_on_other_texts_are_not_mixed(tmp_path: Path) -> None:
    path = tmp_path / "domains.json"
    write_content(path, read_content(path, {"alexa_development": TextSet(2, "digest")}, {}))
    with pytest.raises(ValueError, match="measured on other texts"):
        read_content(path, {"alexa_development": TextSet(3, "another")}, {})


def test_the_page_shows_the_final_figures_once_they_exist() -> None:
    content: dict[str, Any] = json.loads((ROOT / "benchmarks" / "results" / "domains.json").read_text(encoding="utf-8"))
    content["reported"] = []
    assert "has not been evaluated yet" in domains(content)
    set_reported(content, [_candidate("final").evaluation])
    page = domains(content)
    assert "| 20261129-00000000 | Alexa reviews | **50.0%** |" in page
    assert "| 20261129-00000000 | The four domains together |" in page


def _candidate(name: str, version: str = "20261129-00000000") -> Candidate:
    answers = Answers(np.array([[0.1, 0.9], [0.2, 0.8]], np.float32), np.array([1, 0], np.int8), 0.7)
    sets = dict.fromkeys(("imdb", "alexa", "uci", "sentiment140", "rotten_tomatoes"), answers)
    where = Provenance("0" * 40, False, "CPU", 2, 8.0, "3.11", "Linux", {}, "2026-11-29T00:00:00+00:00")
    return Candidate(name, "as before", Evaluation(version, 1.0, 0.7, 128, model_figures(sets), {}, 1, 2, where))
