"""One published version of the model: a Hugging Face folder and a manifest that vouches for it."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Self

from filelock import lock_descriptor
from safetensors import SafetensorError

from core.errors import UnwritableFile
from core.files import fsync
from ml.errors import FolderTaken, UnusableArtifact
from ml.text.tokenization import Reading

MANIFEST = "manifest.json"
_FORMAT = 1
# The hidden folder beside a model in which the next one is written, and where the old one waits in it.
_WORK = ".publishing"
_OLD = "old"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a published folder is, how it came to be and how to read it.

    ``files`` maps names to sha256; ``probe_logits`` are those of ``ml.serving.probes.PROBES`` as served; ``data``,
    ``recipe``, ``libraries`` and ``figures`` say what it was trained on, how, with what, and how good it is.
    """

    version: str
    created: str
    base: str
    window: int
    overlap: int
    temperature: float
    unsure_below: float
    data: dict[str, Any]
    recipe: dict[str, Any]
    libraries: dict[str, str]
    figures: dict[str, Any]
    probe_logits: list[list[float]]
    files: dict[str, str]
    reading: Reading = "whole"
    """How much of a text is read; a manifest that does not say reads all of it."""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read ``manifest.json``; raises UnusableArtifact when it is missing, broken or of another format."""
        try:
            facts = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            found = facts.pop("format")
            if found != _FORMAT:
                raise UnusableArtifact(path=folder, reason=f"its format is {found}, and this program reads {_FORMAT}")
            return cls(**facts)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise UnusableArtifact(path=folder, reason=f"{MANIFEST} cannot be read ({error})") from error

    def write(self, folder: Path) -> None:
        """Write ``manifest.json`` and flush it to disk."""
        with (folder / MANIFEST).open("w", encoding="utf-8") as file:
            json.dump({"format": _FORMAT, **asdict(self)}, file, indent=2)
            file.write("\n")


def verified_manifest(folder: Path) -> Manifest:
    """The manifest of ``folder`` once every file has the hash it lists; raises UnusableArtifact."""
    manifest = Manifest.read(folder)
    for name, expected in manifest.files.items():
        if Path(name).name != name:
            raise UnusableArtifact(path=folder, reason=f"{MANIFEST} lists {name!r}, which is no plain file name")
        try:
            found = file_hash(folder / name)
        except OSError as error:
            raise UnusableArtifact(path=folder, reason=f"{name} cannot be read ({error.strerror})") from error
        if found != expected:
            raise UnusableArtifact(path=folder, reason=f"{name} is not the file that was published")
    return manifest


def manifest_hash(folder: Path) -> str:
    """sha256 of the manifest's file: what the registry holds of a version."""
    return file_hash(folder / MANIFEST)


def require_registered(folder: Path, version: str, manifest_sha256: str) -> None:
    """Raise UnusableArtifact unless the manifest in ``folder`` is the one that the registry holds of ``version``."""
    try:
        found = manifest_hash(folder)
    except OSError as error:
        raise UnusableArtifact(path=folder, reason=f"{MANIFEST} cannot be read ({error.strerror})") from error
    if found != manifest_sha256:
        raise UnusableArtifact(path=folder, reason=f"it is not version {version} as the registry knows it")


def file_hash(path: Path) -> str:
    """sha256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_hashes(folder: Path) -> dict[str, str]:
    """sha256 of every file of ``folder`` but the manifest, by name."""
    return {path.name: file_hash(path) for path in sorted(folder.iterdir()) if path.name != MANIFEST}


def prepare_destination(folder: Path) -> None:
    """Make the folder that ``folder`` will be published in, and clear what killed publications of it left there.

    A kill between the two renames of a publication took the old model away; it comes back. Raises FolderTaken when
    ``folder`` holds something else than a published model, which publishing would delete, and UnwritableFile when there
    can be no such place.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder.resolve().parent):
            _clear(folder.resolve())
    except OSError as error:
        raise UnwritableFile(path=folder, reason=error.strerror) from error
    if folder.exists() and not (folder / MANIFEST).is_file():
        raise FolderTaken(path=folder)


@contextmanager
def publish_artifact(folder: Path) -> Iterator[Path]:
    """A temporary folder that takes the place of ``folder``, flushed to disk, when the block ends well.

    Raises what ``prepare_destination`` does, and UnwritableFile when the disk is full.
    """
    prepare_destination(folder)
    with _report_write_errors(folder), _replace_atomically(folder.resolve()) as new:
        yield new


@contextmanager
def _report_write_errors(folder: Path) -> Iterator[None]:
    """Say in one sentence that ``folder`` cannot be written; weights report a full disk as an error of their own."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        raise UnwritableFile(path=folder, reason=getattr(error, "strerror", None) or str(error)) from error


@contextmanager
def _replace_atomically(folder: Path) -> Iterator[Path]:
    with ExitStack() as held:
        # Locked from its first moment on, so that nobody takes it for what a killed publication left.
        with _locked(folder.parent):
            work = Path(mkdtemp(prefix=f".{folder.name}-", suffix=_WORK, dir=folder.parent))
            held.enter_context(_locked(work))
        held.callback(shutil.rmtree, work, ignore_errors=True)
        new = work / "new"
        new.mkdir()
        new.chmod(0o755)
        yield new
        for path in new.iterdir():
            path.chmod(0o644)
            fsync(path)
        fsync(new)
        with _locked(folder.parent):
            if folder.exists():
                folder.rename(work / _OLD)
            new.rename(folder)
        fsync(folder.parent)


def _clear(folder: Path) -> None:
    """Remove the work folders of publications of ``folder`` that nobody holds any more."""
    name = re.compile(re.escape(f".{folder.name}-") + r"[a-z0-9_]+" + re.escape(_WORK))
    for work in [path for path in folder.parent.iterdir() if name.fullmatch(path.name)]:
        descriptor = os.open(work, os.O_RDONLY)
        try:
            if not lock_descriptor(descriptor, blocking=False):
                continue
            if (work / _OLD).is_dir() and not folder.exists():
                (work / _OLD).rename(folder)
            shutil.rmtree(work)
        finally:
            os.close(descriptor)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of an existing folder, which ends with the process at the latest; wait for it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        lock_descriptor(descriptor)
        yield
    finally:
        os.close(descriptor)


REPLAY_KEY = "replay"


def replays_checks(data: Mapping[str, Any]) -> bool:
    """Whether a manifest's ``data`` is of a round that replayed the texts of the behavioural checks."""
    return REPLAY_KEY in data and data[REPLAY_KEY]["file"] is None
