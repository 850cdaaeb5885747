"""Where labelled reviews come from: a path, or a data set on the Hugging Face hub."""

import re
from pathlib import Path

from ml.data.dataset_folder import TABLE_PATTERNS, UNLABELLED, find_split_files, is_table
from ml.data.hub import download_snapshot, snapshot_name
from ml.data.imdb_archive import is_archive
from ml.errors import UnknownReviews

# owner/name, and maybe a folder inside.
_HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)+")


def find_reviews(name: str | Path) -> Path:
    """The file or folder ``name``, or the downloaded data set of the hub that is called so.

    ``owner/name`` is a hub name where there is no such path and it does not end as a file of reviews does;
    ``owner/name/folder`` is one of several data sets in a repository. Raises UnknownReviews, or SeveralDataSets. A
    path that is neither is given back for ``ml.data.reviews.read_reviews`` to refuse.
    """
    path = Path(name)
    called = path.as_posix()
    if path.exists() or is_table(called) or is_archive(path) or not _HUB_NAME.fullmatch(called):
        return path
    owner, repository, *inside = path.parts
    wanted = ["/".join([*inside, pattern]) for pattern in TABLE_PATTERNS]
    found = download_snapshot(f"{owner}/{repository}", "dataset", wanted, UnknownReviews, [f"*{UNLABELLED}*"])
    folder = found.joinpath(*inside)
    if not find_split_files(folder, called):
        raise UnknownReviews(name=called, reason="it has no parquet or CSV files")
    return folder


def source_name(path: Path) -> str:
    """What a manifest calls the reviews at ``path``: the file's name, or the data set's with its commit."""
    return snapshot_name(path) or path.name
