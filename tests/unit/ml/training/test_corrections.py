"""Corrections from a file: each text once, what cannot be learnt from left out and counted."""

from pathlib import Path

import pandas as pd
import pytest

from core.errors import MissingFile
from ml.errors import TooFewCorrections
from ml.text.fingerprints import digest
from ml.training.corrections import Corrections


def written(folder: Path, *rows: tuple[str, str]) -> Path:
    path = folder / "judged.csv"
    pd.DataFrame(rows, columns=["text", "label"]).to_csv(path, index=False)
    return path


def reviews(*texts: str) -> pd.DataFrame:
    return pd.DataFrame({"text": texts, "label": [0] * len(texts)})


def test_each_text_is_there_once_with_its_label(tmp_path: Path) -> None:
    found = Corrections.read(
        written(tmp_path, ("A gem.", "positive"), ("Dull.", "negative"), ("a  GEM", "1"), ("Dull", "0"))
    )
    assert found.rows.to_dict("list") == {"text": ["A gem.", "Dull."], "label": [1, 0]}
    assert found.rows.index.tolist() == [0, 1]
    assert (found.source, found.contradictory, found.held_out) == ("judged.csv", 0, 0)


def test_what_an_export_defused_is_learnt_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "judged.csv"
    pd.DataFrame([("'- dull", "Negative"), ("'tis fine", "Positive")], columns=["text", "label"]).to_csv(path)
    assert Corrections.read(path).rows["text"].tolist() == ["- dull", "'tis fine"]


def test_texts_judged_both_ways_are_left_out_and_counted_once_each(tmp_path: Path) -> None:
    contradictory = [("A gem.", "positive"), ("a gem!", "negative"), ("A GEM", "negative")]
    others = [("So-so.", "negative"), ("so so", "positive"), ("Dull.", "negative")]
    found = Corrections.read(written(tmp_path, *contradictory, *others))
    assert found.rows["text"].tolist() == ["Dull."]
    assert found.contradictory == 2


def test_texts_that_measure_are_left_out_and_counted(tmp_path: Path) -> None:
    found = Corrections.read(written(tmp_path, ("A gem.", "1"), ("Dull.", "0"), ("Fine.", "1"), ("Poor.", "0")))
    once = found.excluding(reviews("a gem", "Something else."))
    assert once.rows["text"].tolist() == ["Dull.", "Fine.", "Poor."]
    assert once.held_out == 1
    assert once.excluding(reviews("POOR")).held_out == 2
    assert found.held_out == 0


@pytest.mark.parametrize(
    "rows", [[("A gem.", "positive"), ("A gem", "negative")], [("Held out.", "positive")]], ids=["contradictory", "dev"]
)
def test_without_a_text_that_is_left_it_is_told_which_file(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    path = written(tmp_path, *rows)
    with pytest.raises(TooFewCorrections, match=r"judged\.csv has no correction to train on") as caught:
        Corrections.read(path).excluding(reviews("held out"))
    assert caught.value.exit_code == 2


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingFile):
        Corrections.read(tmp_path / "absent.csv")


def test_the_facts_count_and_identify_what_is_learnt(tmp_path: Path) -> None:
    rows = [("A gem.", "1"), ("Dull.", "0"), ("Fine.", "1"), ("fine", "0"), ("Held out.", "0")]
    found = Corrections.read(written(tmp_path, *rows)).excluding(reviews("held out"))
    assert found.manifest_data() == {
        "file": "judged.csv",
        "judgements": 2,
        "digest": digest(["A gem.", "Dull."]),
        "left_out_because_contradictory": 1,
        "left_out_because_held_out": 1,
    }


def test_as_examples_they_say_their_label_without_doubt(tmp_path: Path) -> None:
    examples = Corrections.read(written(tmp_path, ("A gem.", "positive"), ("Dull.", "negative"))).examples()
    assert list(examples.texts) == ["A gem.", "Dull."]
    assert examples.targets.tolist() == [[0.0, 1.0], [1.0, 0.0]]
