"""Locates labelled reviews: a path, or a data set on the Hugging Face hub."""

import re
from pathlib import Path

from ml.data.dataset_folder import TABLE_PATTERNS, UNLABELLED, find_split_files, is_table
from ml.data.hub import download_snapshot, snapshot_name
from ml.data.imdb_archive import is_archive
from ml.errors import UnknownReviews

# owner/name, optionally followed by a folder.
_HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)+")


def find_reviews(name: str | Path) -> Path:
    """Return the file or folder ``name``, or download the data set with that name from the hub.

    ``owner/name`` is a hub name if no such path exists and it does not end in the suffix of a review file.
    ``owner/name/folder`` is one of several data sets in a repository. Any other name is returned unchanged as a path.
    If there is no such path, ``ml.data.reviews.read_reviews`` rejects it. Raise UnknownReviews if the reviews cannot be
    found, and SeveralDataSets if the repository contains several data sets.
    """
    path = Path(name)
    display_name = path.as_posix()
    if path.exists() or is_table(display_name) or is_archive(path) or not _HUB_NAME.fullmatch(display_name):
        return path
    owner, repository, *inside = path.parts
    patterns = ["/".join([*inside, pattern]) for pattern in TABLE_PATTERNS]
    found = download_snapshot(f"{owner}/{repository}", "dataset", patterns, UnknownReviews, [f"*{UNLABELLED}*"])
    folder = found.joinpath(*inside)
    if not find_split_files(folder, display_name):
        raise UnknownReviews(name=display_name, reason="it has no parquet or CSV files")
    return folder


def source_name(path: Path) -> str:
    """Return what a manifest calls the reviews at ``path``: the file's name, or the data set's name and commit."""
    return snapshot_name(path) or path.name
