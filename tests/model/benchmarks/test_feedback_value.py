"""The value of votes: rounds of a small network, their shares of the full gain, and the checkpoint."""

import json
from pathlib import Path

import pandas as pd
import pytest
from small_model import FEEDBACK, HATED, LIKED, FineTuneResult, write_recipe

from benchmarks.domains.distinct_texts import half_of
from benchmarks.training import feedback_value, round_runner
from benchmarks.training.round_runner import RoundCheckpoint
from benchmarks.training.vote_texts import VoteTexts
from ml.serving.engine import Classifier
from ml.text.fingerprints import fingerprint
from worker.gate import gate_set


def sentences(count: int) -> pd.DataFrame:
    words = {"gravel": "negative", "treacle": "positive", "velvet": "positive", "mud": "negative"}
    rows = [
        (f"It was {word} all the way. That was number {n}.", label)
        for n in range(count)
        for word, label in words.items()
    ]
    return pd.DataFrame(rows, columns=["text", "label"])


@pytest.fixture
def data(small_reviews: Path, tmp_path: Path) -> Path:
    reviews = pd.read_csv(small_reviews).assign(split="train")
    opinions = [(f"{text} Indeed, {n}.", label) for n in range(3) for text, label in labelled_opinions()]
    test = pd.DataFrame(opinions, columns=["review", "sentiment"]).assign(split="test")
    together = pd.concat([reviews, test], ignore_index=True)
    together.assign(movie=[f"tt{n}" for n in range(len(together))]).to_parquet(tmp_path / "imdb.parquet")
    sentences(25).to_csv(tmp_path / "rt_polarity.csv.gz", index=False)
    other = pd.DataFrame([("It plays my songs.", 1), ("It broke.", 0)], columns=["text", "label"])
    for name in ("amazon_alexa", "uci_sentences", "sentiment140_manual"):
        table = other.assign(text=other["text"] + f" {name}", rating=1, domain="amazon")
        table.to_csv(tmp_path / f"{name}.csv.gz", index=False)
    return tmp_path


def labelled_opinions() -> list[tuple[str, str]]:
    return [*((text, "positive") for text in LIKED), *((text, "negative") for text in HATED)]


def test_an_interrupted_benchmark_continues_and_reports_each_groups_share_of_the_full_gain(
    fine_tuned: FineTuneResult, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate_set, "REVIEWS", 8)
    out, checkpoint = tmp_path / "value.json", tmp_path / "rounds.json"
    options = ["--data", str(data), "--model", str(fine_tuned.job.out), "--domains", "rotten_tomatoes"]
    options += ["--recipe", str(write_recipe(tmp_path, FEEDBACK)), "--votes", "32", "16", "--draws", "2"]
    options += ["--out", str(out), "--checkpoint", str(checkpoint)]
    fine_tune = round_runner.fine_tune
    finished = []

    def interrupted(*given: object) -> object:
        if len(finished) == 4:
            raise KeyboardInterrupt
        finished.append(given)
        return fine_tune(*given)

    monkeypatch.setattr(round_runner, "fine_tune", interrupted)
    with pytest.raises(KeyboardInterrupt):
        feedback_value.main(options)
    assert not out.exists()
    stored = json.loads(checkpoint.read_text())
    assert len(stored["results"]) == 4
    # A round that is not run again keeps its result.
    first = next(iter(stored["results"]))
    stored["results"][first]["seconds"] = 1234.5
    checkpoint.write_text(json.dumps(stored))
    monkeypatch.setattr(round_runner, "fine_tune", fine_tune)
    feedback_value.main(options)
    assert not checkpoint.exists()
    found = json.loads(out.read_text())
    assert found["shared_texts"] == 0
    domain = found["domains"]["rotten_tomatoes"]
    assert [(group["votes"], group["chosen"]) for group in domain["groups"]] == [(32, "random"), (16, "asked for")]
    assert domain["groups"][0]["rounds"][0]["seconds"] == 1234.5
    full = max(one["texts"]["difference"] for one in domain["all_votes"].values())
    assert full > 0.3, "the words decide, and the anchor does not know them"
    for group in domain["groups"]:
        lifts = [one["texts"]["difference"] for one in group["rounds"]]
        assert group["share_of_full_lift"]["mean"] == pytest.approx(sum(lifts) / 2 / full)
        assert all(one["votes"] == group["votes"] for one in group["rounds"])


def test_results_of_a_different_plan_are_discarded(tmp_path: Path) -> None:
    path = tmp_path / "rounds.json"
    path.write_text(json.dumps({"plan": "one", "results": {}}))
    assert RoundCheckpoint.open(path, "two").results == {}
    assert RoundCheckpoint.open(tmp_path / "absent.json", "one").results == {}


def test_votes_are_never_on_texts_to_test_on_and_half_of_the_asked_votes_are_least_sure(
    fine_tuned: FineTuneResult,
) -> None:
    table = sentences(40).assign(label=0)
    texts = VoteTexts.split(table.assign(fingerprint=table["text"].map(fingerprint)), 30)
    assert len(texts.test) == 30
    assert set(texts.test["fingerprint"].map(half_of)) == {"reported"}
    anchor = Classifier.load(fine_tuned.job.out)
    asked = texts.asked_votes(20, 1, anchor)
    for votes in (asked, texts.random_votes(20, 1)):
        assert votes["text"].nunique() == 20
        assert not set(votes["text"]) & set(texts.test["text"])
    waiting = sorted(verdict.confidence for verdict in anchor.classify(texts.pool["text"].tolist()))
    chosen = sorted(verdict.confidence for verdict in anchor.classify(asked["text"].tolist()))
    assert chosen[9] <= waiting[10]
    assert chosen[-1] > waiting[20]
