"""Where published models lie: one folder for each, in a folder that bot and workers share or at any fsspec address.

The store does not vouch for what it holds: the registry's row does, with the manifest's hash. It comes after the files,
so that files without a row are nobody's model.
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

from core.files import fsync
from storage.errors import NotInTheStore, StoreUnusable

# The hidden folder beside a model in which it is written or fetched.
_PART: Final = ".part"


class ArtifactStore:
    """One store, by its address. Every method raises StoreUnusable when the store does not do as asked."""

    def __init__(self, files: Any, root: str, address: str) -> None:  # noqa: ANN401 - fsspec ships no types
        self._files = files
        self._root = root
        self._address = address

    @classmethod
    def open(cls, address: str) -> Self:
        """Find the store at a folder's path or an fsspec address; a folder is made when the first model comes."""
        with _usable(address):
            files, root = url_to_fs(address)
        return cls(files, root.rstrip("/"), address)

    def put(self, folder: Path, name: str) -> str:
        """Keep a copy of ``folder`` as ``name``, whole or not at all; its location.

        The same name has the same contents, so a model that is there already stays as it is.
        """
        with _usable(self._address):
            if isinstance(self._files, LocalFileSystem):
                _put_in_folder(folder, Path(self._root) / name)
            else:
                # Such a store cannot rename; nobody reads the files before the registry's row names them.
                self._files.put(f"{folder}/", f"{self._root}/{name}/", recursive=True)
        return name

    def fetch(self, location: str, into: Path) -> Path:
        """The folder of a model: where it lies, on this machine, or else a copy in ``into``. Raises NotInTheStore."""
        if _is_folder(location):
            return self._existing(Path(location), location)
        if isinstance(self._files, LocalFileSystem):
            return self._existing(Path(self._root) / location, location)
        with _usable(self._address):
            if not self._files.isdir(f"{self._root}/{location}"):
                raise NotInTheStore(location=location, address=self._address)
            into.mkdir(parents=True, exist_ok=True)
            with _part(into / location) as part:
                self._files.get(f"{self._root}/{location}/", f"{part}/", recursive=True)
        return into / location

    def remove(self, location: str) -> None:
        """Remove a model's files; one that is not there, or that never was in the store, such as the starter, stays."""
        if _is_folder(location):
            return
        with _usable(self._address):
            if self._files.exists(f"{self._root}/{location}"):
                self._files.rm(f"{self._root}/{location}", recursive=True)

    def names(self) -> list[str]:
        """Everything that lies in the store, also what a killed publication left."""
        with _usable(self._address):
            if not self._files.isdir(self._root):
                return []
            return sorted(Path(path).name for path in self._files.ls(self._root, detail=False))

    def _existing(self, folder: Path, location: str) -> Path:
        if not folder.is_dir():
            raise NotInTheStore(location=location, address=self._address)
        return folder


def _is_folder(location: str) -> bool:
    """Whether a location is a folder's path, which has a separator, and not a name in the store."""
    return "/" in location or os.sep in location


@contextmanager
def _usable(address: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, ImportError) as error:
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
    """A folder beside ``target`` that takes its place when the block ends well."""
    part = Path(mkdtemp(prefix=f".{target.name}-", suffix=_PART, dir=target.parent))
    try:
        part.chmod(0o755)
        yield part
        if target.is_dir():
            shutil.rmtree(target)
        part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
