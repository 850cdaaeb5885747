"""Finding reviews: a path, or the name of a data set on a local hub."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest
from local_hub import COMMIT, HubClient, run_hub

from ml.data.sources import find_reviews, source_name

PROGRAM = """
import sys
from core.errors import BadInput
from ml.data.reviews import read_reviews
from ml.data.sources import find_reviews, source_name
try:
    found = find_reviews(sys.argv[1])
except BadInput as error:
    sys.exit(str(error))
print(found, source_name(found), sep="\\n")
print(read_reviews(found)[["text", "label", "split"]].to_csv(index=False), end="")
"""
ENGLISH, GERMAN = b"text,label\nFine.,1\nPoor.,0\n", b"text,label\nGut.,1\n"


def as_parquet(csv: bytes) -> bytes:
    return pd.read_csv(BytesIO(csv)).to_parquet()


@pytest.fixture
def hub_client(tmp_path: Path) -> Iterator[HubClient]:
    repositories = {
        "datasets/owner/reviews": {
            "README.md": b"A card.",
            "plain_text/train-00000-of-00001.parquet": as_parquet(ENGLISH),
            "plain_text/test-00000-of-00001.parquet": as_parquet(GERMAN),
            "plain_text/unsupervised-00000-of-00001.parquet": b"never requested",
        },
        "datasets/owner/languages": {"de/train.csv": GERMAN, "en/train.csv": ENGLISH},
        "datasets/owner/photos": {"README.md": b"A card.", "train/cat.jpg": b"a cat"},
    }
    with run_hub(PROGRAM, repositories, tmp_path / "hub") as hub_client:
        yield hub_client


def test_a_hub_name_is_downloaded_read_with_its_splits_and_found_again_offline(hub_client: HubClient) -> None:
    first = hub_client.find("owner/reviews")
    assert first.returncode == 0, first.stderr
    folder, name, *rows = first.stdout.splitlines()
    assert {path.name.partition("-")[0] for path in Path(folder).rglob("*.*")} == {"train", "test"}
    assert name == f"owner/reviews@{COMMIT[:12]}"
    assert rows == ["text,label,split", "Gut.,1,test", "Fine.,1,train", "Poor.,0,train"]
    assert hub_client.find("owner/reviews", HF_HUB_OFFLINE="1").stdout == first.stdout


def test_a_folder_selects_one_of_several_data_sets(hub_client: HubClient) -> None:
    expected = (
        "owner/languages contains several data sets, in de, en. Name one of them, for example owner/languages/en."
    )
    assert hub_client.error_of("owner/languages") == expected
    found = hub_client.find("owner/languages/de")
    assert found.stdout.splitlines()[1:] == [f"owner/languages/de@{COMMIT[:12]}", "text,label,split", "Gut.,1,train"]


@pytest.mark.parametrize(
    ("name", "settings", "reason"),
    [
        ("owner/none", {}, "the hub has no such repository"),
        ("owner/gated", {}, "the hub answered 403"),
        ("owner/torn", {}, "the download failed"),
        ("owner/photos", {}, "it has no parquet or CSV files"),
        ("owner/languages/fr", {}, "it has no parquet or CSV files"),
        ("owner/re--views", {}, "it is neither a folder nor a hub name such as owner/name"),
        ("owner/reviews", {"HF_HUB_OFFLINE": "1"}, "it is not downloaded yet and the hub cannot be reached"),
        ("owner/reviews", {"HF_ENDPOINT": "http://127.0.0.1:1"}, "it is not downloaded yet and the hub cannot"),
    ],
)
def test_a_failed_download_is_reported_in_one_sentence_that_says_what_to_do(
    hub_client: HubClient, name: str, settings: dict[str, str], reason: str
) -> None:
    sentence = hub_client.error_of(name, **settings)
    assert sentence.startswith(f"No reviews were found for {name}. It is not a file or folder on this machine, and ")
    assert reason in sentence
    assert sentence.endswith("pass its path with --data or IMDB_PATH.")


@pytest.mark.parametrize(
    "name", ["IMDB Dataset.csv", "data/imdb.csv.gz", "data/imdb.parquet", "a/b.tar.gz", "/a/b", "x"]
)
def test_a_name_that_looks_like_a_path_is_a_path(name: str) -> None:
    assert find_reviews(name) == Path(name)


def test_an_existing_folder_takes_precedence_over_a_hub_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("owner/reviews").mkdir(parents=True)
    assert find_reviews(Path("owner/reviews")) == Path("owner/reviews")


def test_a_file_is_named_without_its_folders() -> None:
    assert source_name(Path("/srv/secret/IMDB Dataset.csv")) == "IMDB Dataset.csv"
    assert source_name(Path("snapshots/reviews.csv")) == "reviews.csv"
