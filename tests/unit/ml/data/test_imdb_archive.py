"""The official data, as a folder and as a tar file."""

import tarfile
from pathlib import Path

import pandas as pd
import pytest

from ml.data.reviews import read_reviews
from ml.data.splits import official_split
from ml.errors import NotTheImdbData, UnreadableTable

REVIEWS = {
    "train/pos/0_9.txt": "A joy, every minute of it.",
    "train/pos/1_10.txt": "Better than the book, and the book was great.",
    "train/neg/0_2.txt": "I fell asleep, twice.",
    "train/unsup/0_0.txt": "Nobody has rated this one.",
    "test/neg/0_1.txt": "A bore.",
    "test/pos/0_8.txt": "Caf\u00e9 scenes worth the ticket.",
    "train/urls_pos.txt": "http://example.org/title/tt0000001/usercomments\nhttp://example.org/title/tt0000002/usercomments",
    "train/urls_neg.txt": "http://example.org/title/tt0000001/usercomments",
    "README": "Not a review.",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in REVIEWS.items():
        path = tmp_path / "aclImdb" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "aclImdb"


@pytest.fixture
def tar_file(folder: Path, tmp_path: Path) -> Path:
    path = tmp_path / "aclImdb_v1.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, "aclImdb")
    return path


def test_the_folder_gives_texts_labels_splits_and_movies(folder: Path) -> None:
    reviews = read_reviews(folder)
    assert len(reviews) == 5
    train = official_split(reviews, "train")
    assert list(train["label"]) == [0, 1, 1]
    assert list(train["rating"]) == [2, 9, 10]
    assert list(train["movie"]) == ["tt0000001", "tt0000001", "tt0000002"]
    assert "Caf\u00e9" in official_split(reviews, "test")["text"].str.cat()


def test_a_review_without_a_url_counts_as_a_separate_movie(folder: Path) -> None:
    test = official_split(read_reviews(folder), "test")
    assert test["movie"].nunique() == 2


def test_the_tar_file_gives_the_same_as_the_folder(folder: Path, tar_file: Path) -> None:
    pd.testing.assert_frame_equal(read_reviews(tar_file), read_reviews(folder))


def test_other_folders_and_tar_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "notes.txt").write_text("Not a review.", encoding="utf-8")
    with tarfile.open(tmp_path / "photos.tar", "w") as archive:
        archive.add(tmp_path / "photos", "photos")
    for path in (tmp_path / "photos", tmp_path / "photos.tar"):
        with pytest.raises(NotTheImdbData) as caught:
            read_reviews(path)
        assert str(caught.value).startswith(f"{path} has no reviews in train/pos, train/neg, test/pos or test/neg")
        assert caught.value.exit_code == 2


def test_a_broken_tar_file_is_refused(tar_file: Path) -> None:
    tar_file.write_bytes(tar_file.read_bytes()[:200])
    with pytest.raises(UnreadableTable, match="cannot be read as the aclImdb data"):
        read_reviews(tar_file)


def test_a_review_in_another_encoding_is_named(folder: Path) -> None:
    (folder / "test/neg/0_1.txt").write_bytes(b"A caf\xe9 bore.")
    with pytest.raises(UnreadableTable, match=r"test/neg/0_1\.txt is not UTF-8"):
        read_reviews(folder)
