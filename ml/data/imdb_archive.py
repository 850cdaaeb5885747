"""The official ``aclImdb`` data (Maas et al. 2011): the unpacked folder, or the tar file as it is downloaded."""

import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pandas as pd

from ml.errors import NotTheImdbData

_REVIEW = re.compile(r"(train|test)/(pos|neg)/(\d+)_(\d+)\.txt$")
_URLS = re.compile(r"(train|test)/urls_(pos|neg)\.txt$")
_MOVIE = re.compile(r"/title/(tt\d+)")
_TAR: Final = (".tar.gz", ".tgz", ".tar")


def is_archive(path: Path) -> bool:
    """Whether ``path`` is read as the official data: any folder, and any tar file."""
    return path.is_dir() or path.name.endswith(_TAR)


def read_archive(path: Path) -> pd.DataFrame:
    """Columns review, sentiment (pos, neg), split (train, test), id, rating (1 to 10) and movie (IMDb's title id).

    A review without a line in ``urls_*.txt`` has a movie of its own. Raises NotTheImdbData when there is no
    review, OSError or tarfile.TarError when it cannot be read.
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
    """Every wanted file's name, with forward slashes, and its text."""
    if path.is_dir():
        for file in path.rglob("*.txt"):
            if _is_data_file(name := file.as_posix()):
                yield name, file.read_text(encoding="utf-8")
        return
    with tarfile.open(path) as archive:
        for member in archive:
            content = archive.extractfile(member) if _is_data_file(member.name) else None
            if content is not None:
                yield member.name, content.read().decode("utf-8")


def _is_data_file(name: str) -> bool:
    return bool(_REVIEW.search(name) or _URLS.search(name))


def _movie_id(address: str) -> str:
    found = _MOVIE.search(address)
    return found[1] if found else address


def _movie_of_review(movies: dict[tuple[str, str], list[str]], split: str, sentiment: str, number: int) -> str:
    """Line ``number`` of a part's addresses, from 0, is the movie of the review with that id."""
    known = movies.get((split, sentiment), [])
    return known[number] if number < len(known) else f"{split}/{sentiment}/{number}"
