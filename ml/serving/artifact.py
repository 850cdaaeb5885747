"""Published models: a Hugging Face folder with a manifest, published atomically and verified by hash."""

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
from core.input_profile import InputProfile
from ml.errors import FolderTaken, UnusableArtifact
from ml.text.characters import CharacterForm
from ml.text.tokenization import Reading

MANIFEST = "manifest.json"
_FORMAT = 1
# Suffix of the hidden folder beside a model, where the next model is written, and the old model's name in that folder.
_WORK = ".publishing"
_OLD = "old"
# The key in ``Manifest.data`` that describes the texts that a feedback round replayed.
REPLAY_KEY = "replay"
# The key in ``Manifest.figures`` for what held-out reviews look like to the model.
INPUTS = "inputs"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a published folder contains, how it was made and how to run it.

    ``files`` maps file names to SHA-256 hashes in hex. ``probe_logits`` (probes, labels) are the logits of
    ``ml.serving.probes.PROBES`` as served. ``data``, ``recipe``, ``libraries`` and ``figures`` record the training
    data, the settings, the library versions and the model's quality.
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
    """How much of a text is read. Manifests without this field mean "whole"."""
    characters: CharacterForm = "as_written"
    """How the characters in a text are read. Manifests without this field mean "as_written"."""

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read ``manifest.json``. Raise UnusableArtifact if it is missing, corrupt or in a different format."""
        try:
            content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            found = content.pop("format")
            if found != _FORMAT:
                raise UnusableArtifact(path=folder, reason=f"its format is {found}, but this program reads {_FORMAT}")
            manifest = cls(**content)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise UnusableArtifact(path=folder, reason=f"{MANIFEST} cannot be read ({error})") from error
        if not (isinstance(manifest.version, str) and manifest.version and manifest.version.isprintable()):
            raise UnusableArtifact(path=folder, reason=f"{MANIFEST} does not name a version")
        return manifest

    @property
    def inputs(self) -> InputProfile | None:
        """What the training data looks like to the model, by its held-out reviews, or None if nobody recorded it."""
        found = self.figures.get(INPUTS)
        return None if found is None else InputProfile(**found)

    def write(self, folder: Path) -> None:
        """Write ``manifest.json`` and flush it to disk."""
        with (folder / MANIFEST).open("w", encoding="utf-8") as file:
            json.dump({"format": _FORMAT, **asdict(self)}, file, indent=2)
            file.write("\n")


def verified_manifest(folder: Path) -> Manifest:
    """Read the manifest of ``folder``, and check the hash of every file listed in it.

    Raise UnusableArtifact if the manifest cannot be used or a file does not match its hash.
    """
    manifest = Manifest.read(folder)
    for name, expected in manifest.files.items():
        if Path(name).name != name:
            raise UnusableArtifact(path=folder, reason=f"{MANIFEST} lists {name!r}, which is not a plain file name")
        try:
            found = file_hash(folder / name)
        except OSError as error:
            raise UnusableArtifact(path=folder, reason=f"{name} cannot be read ({error.strerror})") from error
        if found != expected:
            raise UnusableArtifact(path=folder, reason=f"{name} is not the file that was published")
    return manifest


def manifest_hash(folder: Path) -> str:
    """Return the SHA-256 of the manifest file, which the registry stores for each version."""
    return file_hash(folder / MANIFEST)


def require_registered(folder: Path, version: str, manifest_sha256: str) -> None:
    """Raise UnusableArtifact unless the manifest in ``folder`` has the hash registered for ``version``."""
    try:
        found = manifest_hash(folder)
    except OSError as error:
        raise UnusableArtifact(path=folder, reason=f"{MANIFEST} cannot be read ({error.strerror})") from error
    if found != manifest_sha256:
        raise UnusableArtifact(path=folder, reason=f"it is not the version {version} in the registry")


def holds_model(folder: Path, manifest_sha256: str) -> bool:
    """Return whether the manifest in ``folder`` can be read and has this hash."""
    try:
        return manifest_hash(folder) == manifest_sha256
    except OSError:
        return False


def is_replaced(folder: Path, manifest_sha256: str) -> bool:
    """Return whether ``folder`` contains a different model.

    Return False if the folder is missing or cannot be read, because its disk could be mounted again later.
    """
    try:
        return manifest_hash(folder) != manifest_sha256
    except OSError:
        return False


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file in ``folder`` except the manifest, by name."""
    return {path.name: file_hash(path) for path in sorted(folder.iterdir()) if path.name != MANIFEST}


def prepare_destination(folder: Path) -> None:
    """Create the parent of ``folder``, and remove leftovers from interrupted publications.

    If a publication was killed between its two renames, restore the old model. Raise FolderTaken if ``folder`` contains
    something other than a published model, because publishing would delete it. Raise UnwritableFile if the parent
    cannot be created.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder.resolve().parent):
            _remove_leftovers(folder.resolve())
    except OSError as error:
        raise UnwritableFile(path=folder, reason=error.strerror) from error
    if folder.exists() and not (folder / MANIFEST).is_file():
        raise FolderTaken(path=folder)


@contextmanager
def publish_artifact(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder that is flushed to disk and replaces ``folder`` if the block succeeds.

    Raise any error that ``prepare_destination`` raises, and UnwritableFile if the folder cannot be written, for example
    because the disk is full.
    """
    prepare_destination(folder)
    with _report_write_errors(folder), _replace_atomically(folder.resolve()) as new:
        yield new


@contextmanager
def _report_write_errors(folder: Path) -> Iterator[None]:
    """Raise UnwritableFile for write errors. Safetensors reports a full disk with its own exception type."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        raise UnwritableFile(path=folder, reason=getattr(error, "strerror", None) or str(error)) from error


@contextmanager
def _replace_atomically(folder: Path) -> Iterator[Path]:
    with ExitStack() as stack:
        # Lock the folder from the start, so that no other process mistakes it for the leftovers of a killed
        # publication.
        with _locked(folder.parent):
            work = Path(mkdtemp(prefix=f".{folder.name}-", suffix=_WORK, dir=folder.parent))
            stack.enter_context(_locked(work))
        stack.callback(shutil.rmtree, work, ignore_errors=True)
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


def _remove_leftovers(folder: Path) -> None:
    """Remove the work folders left by publications of ``folder``, except locked folders."""
    pattern = re.compile(re.escape(f".{folder.name}-") + r"[a-z0-9_]+" + re.escape(_WORK))
    for work in [path for path in folder.parent.iterdir() if pattern.fullmatch(path.name)]:
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
    """Wait for the lock on an existing folder, and hold it during the block.

    The lock is also released if the process dies.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        lock_descriptor(descriptor)
        yield
    finally:
        os.close(descriptor)


def replays_checks(data: Mapping[str, Any]) -> bool:
    """Return whether a manifest's ``data`` describes a round that replayed texts from the behavioural checks."""
    return REPLAY_KEY in data and data[REPLAY_KEY]["file"] is None
