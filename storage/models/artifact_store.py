"""The artifact store, with one folder per published model, in a shared folder or at any fsspec address.

The store does not verify its contents. Callers verify them with the manifest's hash from the registry. A model's row in
the registry is inserted after its files are stored, so files without a row are not a published model.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final, Self

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from core.errors import ThumbsError
from core.files import fsync
from storage.errors import ModelFolderUnusable, NotInTheStore, StoreUnusable

# Suffix of the hidden temporary folder, beside the final folder, for writing or fetching a model.
_PART: Final = ".part"


class ArtifactStore:
    """A store, identified by its address. Every method raises StoreUnusable if the store cannot be used."""

    def __init__(self, files: Any, root: str, address: str) -> None:  # noqa: ANN401 - fsspec ships no types
        self._files = files
        self._root = root
        self._address = address

    @classmethod
    def open(cls, address: str) -> Self:
        """Open the store at a folder's path or an fsspec address. If the folder is missing, ``put`` creates it."""
        with _usable(address):
            if "://" in address:
                files, root = url_to_fs(address)
            else:
                # A path may contain characters that have a special meaning in fsspec addresses.
                files, root = LocalFileSystem(), str(Path(address).expanduser().absolute())
        return cls(files, root.rstrip("/"), address)

    def put(self, folder: Path, name: str) -> str:
        """Copy ``folder`` into the store as ``name``, and return its location.

        In a shared folder, the copy is atomic, and an existing model is left unchanged, because the same name always
        has the same contents.
        """
        with _usable(self._address):
            if isinstance(self._files, LocalFileSystem):
                _put_in_folder(folder, Path(self._root) / name)
            else:
                # A remote store cannot rename a folder atomically, but the files are not read until they are
                # registered.
                self._files.put(f"{folder}/", f"{self._root}/{name}/", recursive=True)
        return name

    def fetch(self, location: str, into: Path) -> Path:
        """Return a model's local folder, or a copy of a remote model in ``into``.

        Raise NotInTheStore if the store does not contain the model, and ModelFolderUnusable if a folder outside the
        store is missing, empty or unreadable.
        """
        if is_folder(location):
            return _existing_folder(Path(location))
        if isinstance(self._files, LocalFileSystem):
            folder = Path(self._root) / location
            if not folder.is_dir():
                raise NotInTheStore(location=location, address=self._address)
            return folder
        with _usable(self._address):
            if not self._files.isdir(f"{self._root}/{location}"):
                raise NotInTheStore(location=location, address=self._address)
            into.mkdir(parents=True, exist_ok=True)
            with _part(into / location) as part:
                self._files.get(f"{self._root}/{location}/", f"{part}/", recursive=True)
        return into / location

    def remove(self, location: str) -> None:
        """Remove a model's files. A folder outside the store, such as the starter's, is left unchanged."""
        if is_folder(location):
            return
        with _usable(self._address):
            if self._files.exists(f"{self._root}/{location}"):
                self._files.rm(f"{self._root}/{location}", recursive=True)

    def names(self) -> list[str]:
        """Return the names of all folders in the store, including leftovers from interrupted publications."""
        with _usable(self._address):
            if not self._files.isdir(self._root):
                return []
            return sorted(Path(path).name for path in self._files.ls(self._root, detail=False))


def is_folder(location: str) -> bool:
    """Return whether a location is a folder's path (which contains a separator) rather than a name in the store."""
    return "/" in location or os.sep in location


def _existing_folder(folder: Path) -> Path:
    """Return the folder, or raise ModelFolderUnusable. An empty folder may be the mount point of a missing disk."""
    try:
        if folder.is_dir() and any(folder.iterdir()):
            return folder
    except OSError as error:
        raise ModelFolderUnusable(folder=folder, reason=error.strerror) from error
    raise ModelFolderUnusable(folder=folder, reason="it is missing or empty")


@contextmanager
def _usable(address: str) -> Iterator[None]:
    """Convert any error from the store's driver to StoreUnusable."""
    try:
        yield
    except ThumbsError:
        raise
    # Each driver has its own errors, and not all of them are OSErrors.
    except Exception as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
        raise StoreUnusable(address=address, reason=" ".join(reason.split())) from error


def _put_in_folder(folder: Path, target: Path) -> None:
    if target.is_dir():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with _part(target) as part:
        for source in folder.iterdir():
            shutil.copyfile(source, part / source.name)
            fsync(part / source.name)
        fsync(part)
    fsync(target.parent)


@contextmanager
def _part(target: Path) -> Iterator[Path]:
    """Yield a temporary folder beside ``target``, and rename it to ``target`` if the block succeeds."""
    part = Path(mkdtemp(prefix=f".{target.name}-", suffix=_PART, dir=target.parent))
    try:
        part.chmod(0o755)
        yield part
        if target.is_dir():
            shutil.rmtree(target)
        part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
