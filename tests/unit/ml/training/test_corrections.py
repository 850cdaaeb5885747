"""Corrections from a file: each text is used once, and contradictory or held-out texts are left out and counted."""

from pathlib import Path

import pandas as pd
import pytest

from core.errors import MissingFile
from ml.errors import TooFewCorrections
from ml.text.fingerprints import digest
from ml.training.corrections import Corrections


def write_corrections(folder: Path, *rows: tuple[str, str]) -> Path:
    path = folder / "corrections.csv"
    pd.DataFrame(rows, columns=["text", "label"]).to_csv(path, index=False)
    return path


def reviews(*texts: str) -> pd.DataFrame:
    return pd.DataFrame({"text": texts, "label": [0] * len(texts)})


def test_each_text_is_kept_once_with_its_label(tmp_path: Path) -> None:
    found = Corrections.read(
        write_corrections(tmp_path, ("A gem.", "positive"), ("Dull.", "negative"), ("a  GEM", "1"), ("Dull", "0"))
    )
    assert found.rows.to_dict("list") == {"text": ["A gem.", "Dull."], "label": [1, 0]}
    assert found.rows.index.tolist() == [0, 1]
    assert (found.source, found.contradictory, found.held_out) == ("corrections.csv", 0, 0)


def test_formula_escapes_of_an_export_are_undone(tmp_path: Path) -> None:
    rows = pd.DataFrame([("'- dull", "Negative"), ("'tis fine", "Positive")], columns=["text", "label"])
    rows.assign(person="1-0", state="usable").to_csv(tmp_path / "export.csv", index=False)
    assert Corrections.read(tmp_path / "export.csv").rows["text"].tolist() == ["- dull", "'tis fine"]
    rows.to_csv(tmp_path / "mine.csv", index=False)
    assert Corrections.read(tmp_path / "mine.csv").rows["text"].tolist() == ["'- dull", "'tis fine"]


def test_texts_with_both_labels_are_left_out_and_counted_once_each(tmp_path: Path) -> None:
    contradictory = [("A gem.", "positive"), ("a gem!", "negative"), ("A GEM", "negative")]
    others = [("So-so.", "negative"), ("so so", "positive"), ("Dull.", "negative")]
    found = Corrections.read(write_corrections(tmp_path, *contradictory, *others))
    assert found.rows["text"].tolist() == ["Dull."]
    assert found.contradictory == 2


def test_held_out_texts_are_left_out_and_counted(tmp_path: Path) -> None:
    found = Corrections.read(
        write_corrections(tmp_path, ("A gem.", "1"), ("Dull.", "0"), ("Fine.", "1"), ("Poor.", "0"))
    )
    remaining = found.excluding(reviews("a gem", "Something else."))
    assert remaining.rows["text"].tolist() == ["Dull.", "Fine.", "Poor."]
    assert remaining.held_out == 1
    assert remaining.excluding(reviews("POOR")).held_out == 2
    assert found.held_out == 0


@pytest.mark.parametrize(
    "rows", [[("A gem.", "positive"), ("A gem", "negative")], [("Held out.", "positive")]], ids=["contradictory", "dev"]
)
def test_no_remaining_text_is_an_error_that_names_the_file(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    path = write_corrections(tmp_path, *rows)
    with pytest.raises(TooFewCorrections, match=r"corrections\.csv has no corrections to train on") as caught:
        Corrections.read(path).excluding(reviews("held out"))
    assert caught.value.exit_code == 2


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(MissingFile):
        Corrections.read(tmp_path / "absent.csv")


def test_the_manifest_data_counts_and_identifies_the_corrections(tmp_path: Path) -> None:
    rows = [("A gem.", "1"), ("Dull.", "0"), ("Fine.", "1"), ("fine", "0"), ("Held out.", "0")]
    found = Corrections.read(write_corrections(tmp_path, *rows)).excluding(reviews("held out"))
    assert found.manifest_data() == {
        "file": "corrections.csv",
        "judgements": 2,
        "digest": digest(["A gem.", "Dull."]),
        "left_out_because_contradictory": 1,
        "left_out_because_held_out": 1,
    }


def test_examples_have_hard_targets(tmp_path: Path) -> None:
    examples = Corrections.read(write_corrections(tmp_path, ("A gem.", "positive"), ("Dull.", "negative"))).examples()
    assert list(examples.texts) == ["A gem.", "Dull."]
    assert examples.targets.tolist() == [[0.0, 1.0], [1.0, 0.0]]
