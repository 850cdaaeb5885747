"""Reads the official ``aclImdb`` data (Maas et al. 2011): the unpacked folder, or the downloaded tar file."""

import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pandas as pd

from ml.errors import NotTheImdbData, UnreadableTable

_REVIEW = re.compile(r"(train|test)/(pos|neg)/(\d+)_(\d+)\.txt$")
_URLS = re.compile(r"(train|test)/urls_(pos|neg)\.txt$")
_MOVIE = re.compile(r"/title/(tt\d+)")
_TAR: Final = (".tar.gz", ".tgz", ".tar")


def is_archive(path: Path) -> bool:
    """Return whether to read ``path`` as the official data, because it is a folder or a tar file."""
    return path.is_dir() or path.name.endswith(_TAR)


def read_archive(path: Path) -> pd.DataFrame:
    """Return a table: review, sentiment (pos, neg), split (train, test), id, rating (1 to 10), movie (IMDb's id).

    A review without a line in ``urls_*.txt`` is treated as if it were about a separate movie. Raise NotTheImdbData if
    there are no reviews, and OSError or tarfile.TarError if the data cannot be read.
    """
    rows: list[tuple[str, str, str, int, int]] = []
    movies: dict[tuple[str, str], list[str]] = {}
    for name, content in _read_files(path):
        if found := _REVIEW.search(name):
            split, sentiment, number, rating = found.groups()
            rows.append((content, sentiment, split, int(number), int(rating)))
        elif found := _URLS.search(name):
            split, sentiment = found.groups()
            movies[split, sentiment] = [_movie_id(line) for line in content.splitlines()]
    if not rows:
        raise NotTheImdbData(path=path)
    table = pd.DataFrame(rows, columns=["review", "sentiment", "split", "id", "rating"])
    keys = zip(table["split"], table["sentiment"], table["id"], strict=True)
    table["movie"] = [_movie_of_review(movies, split, sentiment, number) for split, sentiment, number in keys]
    return table.sort_values(["split", "sentiment", "id"], ignore_index=True)


def _read_files(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the name, with forward slashes, and the text of every data file."""
    if path.is_dir():
        for file in path.rglob("*.txt"):
            if _is_data_file(name := file.as_posix()):
                yield name, _decoded(path, name, file.read_bytes())
        return
    with tarfile.open(path) as archive:
        for member in archive:
            content = archive.extractfile(member) if _is_data_file(member.name) else None
            if content is not None:
                yield member.name, _decoded(path, member.name, content.read())


def _decoded(path: Path, name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableTable(path=path, format="the aclImdb data", reason=f"{name} is not UTF-8") from error


def _is_data_file(name: str) -> bool:
    return bool(_REVIEW.search(name) or _URLS.search(name))


def _movie_id(url: str) -> str:
    found = _MOVIE.search(url)
    return found[1] if found else url


def _movie_of_review(movies: dict[tuple[str, str], list[str]], split: str, sentiment: str, number: int) -> str:
    """Return a review's movie, from line ``number`` (0-based) of the URLs for its split and sentiment."""
    movie_ids = movies.get((split, sentiment), [])
    return movie_ids[number] if number < len(movie_ids) else f"{split}/{sentiment}/{number}"
