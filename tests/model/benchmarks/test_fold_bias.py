"""Fold models and a candidate, all fine-tuned from a small network, read the same unseen sentences."""

import json
from pathlib import Path

import pandas as pd
from small_model import FEEDBACK, FineTuneResult, write_recipe

from benchmarks.gate import fold_bias


def test_fold_models_and_the_candidate_read_the_same_sentences(
    fine_tuned: FineTuneResult, small_reviews: Path, tmp_path: Path
) -> None:
    pd.read_csv(small_reviews).to_parquet(tmp_path / "imdb.parquet")
    words = {"gravel": "negative", "treacle": "positive", "velvet": "positive", "mud": "negative"}
    rows = [
        (f"It was {word} all the way. That was number {n}.", label) for n in range(15) for word, label in words.items()
    ]
    pd.DataFrame(rows, columns=["text", "label"]).to_csv(tmp_path / "sentences.csv", index=False)
    options = ["--data", str(tmp_path), "--sentences", "sentences.csv", "--model", str(fine_tuned.job.out)]
    options += ["--recipe", str(write_recipe(tmp_path, FEEDBACK)), "--votes", "32", "--unseen", "20", "--draws", "2"]
    fold_bias.main([*options, "--out", str(tmp_path / "bias.json")])
    found = json.loads((tmp_path / "bias.json").read_text())
    assert found["unseen"]["reviews"] == 20
    assert [draw["votes"] for draw in found["draws"]] == [32, 32]
    for draw in found["draws"]:
        assert draw["folds"] > 0.8 > draw["anchor"], "the words decide, and the anchor does not know them"
    differences = [draw["folds"] - draw["candidate"] for draw in found["draws"]]
    assert abs(found["bias"]["mean"] - sum(differences) / 2) < 1e-9
