"""Data set folders: which files are read, and which split each file belongs to."""

from pathlib import Path

import pandas as pd
import pytest

from ml.data.dataset_folder import find_split_files
from ml.data.reviews import read_reviews
from ml.errors import SeveralDataSets, UnknownLabel


def folder_with(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        table = pd.DataFrame({"text": [f"In {name}."], "label": [1]})
        table.to_parquet(path) if path.suffix == ".parquet" else table.to_csv(path, index=False)
    return root


def splits(folder: Path) -> dict[str, str | None]:
    return {file.path.relative_to(folder).as_posix(): file.split for file in find_split_files(folder, "it")}


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.csv", "train"),
        ("my-TRAINING_file1.csv", "train"),
        ("data/train-00000-of-00001.parquet", "train"),
        ("default/train/0000.parquet", "train"),
        ("dev.csv.gz", "validation"),
        ("valid.csv", "validation"),
        ("val/0.csv", "validation"),
        ("validation.parquet", "validation"),
        ("eval.csv", "test"),
        ("testing.csv", "test"),
        ("trainer.csv", None),
        ("IMDB Dataset.csv", None),
    ],
)
def test_a_name_gives_the_split(tmp_path: Path, name: str, split: str | None) -> None:
    assert splits(folder_with(tmp_path, name)) == {name: split}


def test_a_file_name_takes_precedence_over_its_folder(tmp_path: Path) -> None:
    assert splits(folder_with(tmp_path, "train/test.csv")) == {"train/test.csv": "test"}


def test_files_without_a_split_are_left_out_if_others_have_one(tmp_path: Path) -> None:
    folder = folder_with(
        tmp_path,
        "train.csv",
        "test.csv",
        "notes.csv",
        "unsupervised.csv",
        ".ipynb_checkpoints/train-checkpoint.csv",
        "__MACOSX/train.csv",
    )
    assert splits(folder) == {"test.csv": "test", "train.csv": "train"}


def test_parquet_takes_precedence_over_csv(tmp_path: Path) -> None:
    assert splits(folder_with(tmp_path, "train.csv", "train.parquet")) == {"train.parquet": "train"}


def test_files_become_one_table(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "train-0.parquet", "train-1.parquet", "validation-0.parquet")
    assert read_reviews(folder).to_dict("list") == {
        "text": ["In train-0.parquet.", "In train-1.parquet.", "In validation-0.parquet."],
        "label": [1, 1, 1],
        "split": ["train", "train", "validation"],
    }


def test_files_without_splits_are_all_read(tmp_path: Path) -> None:
    found = read_reviews(folder_with(tmp_path, "a.csv", "b.csv"))
    assert found.to_dict("list") == {"text": ["In a.csv.", "In b.csv."], "label": [1, 1]}


def test_several_data_sets_are_refused(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "en/train.csv", "de/train/0.csv")
    with pytest.raises(SeveralDataSets) as caught:
        read_reviews(folder)
    assert (
        str(caught.value)
        == f"{folder} contains several data sets, in de, en. Name one of them, for example {folder}/en."
    )
    assert caught.value.exit_code == 2
    assert read_reviews(folder / "en")["split"].tolist() == ["train"]


def test_a_fault_is_reported_with_its_file(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "train.csv", "test.csv")
    (folder / "test.csv").write_text("text,label\nNobody has rated this one.,mixed\n", encoding="utf-8")
    with pytest.raises(UnknownLabel, match=r"test\.csv, data row 1: 'mixed' is not a label"):
        read_reviews(folder)


def test_a_split_without_labels_is_left_out(tmp_path: Path) -> None:
    for name, labels in {"train": [0, 1], "validation": [1, 0], "test": [-1, -1]}.items():
        pd.DataFrame({"text": [f"{name} {label}" for label in labels], "label": labels}).to_parquet(
            tmp_path / f"{name}.parquet"
        )
    assert read_reviews(tmp_path)["split"].tolist() == ["train", "train", "validation", "validation"]
    (tmp_path / "train.parquet").unlink()
    (tmp_path / "validation.parquet").unlink()
    with pytest.raises(UnknownLabel):
        read_reviews(tmp_path)


def test_a_split_that_misses_some_labels_is_refused(tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text("text,label\nFine.,1\nNobody has rated this one.,-1\n", encoding="utf-8")
    with pytest.raises(UnknownLabel, match=r"test\.csv, data row 2: '-1' is not a label"):
        read_reviews(tmp_path)
