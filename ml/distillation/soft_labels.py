"""The soft label file: a teacher's logits for parts of reviews, without any text.

The file is a NumPy ``.npz`` archive without pickled objects. A review is identified by a hash of its text, so that the
same labels can be used with any copy of the reviews.
"""

import hashlib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, get_args

import numpy as np
import numpy.typing as npt

from core.errors import MissingFile
from core.files import replaced
from ml.errors import UnusableSoftLabels
from ml.text.characters import CharacterForm
from ml.text.fingerprints import fingerprint

# 64 bits: two of a million reviews share a key with a probability of one in thirty million.
_KEY_DIGITS: Final = 16
_ARRAYS: Final = ("keys", "review", "start", "end", "logits")


def review_key(text: str) -> str:
    """Return the key of a review: the first 64 bits of its fingerprint, in hex."""
    return fingerprint(text)[:_KEY_DIGITS]


@dataclass(frozen=True, slots=True)
class SoftLabels:
    """Labels for spans of reviews: span i is ``start[i]:end[i]`` in the cleaned characters of a review.

    ``keys`` (reviews,) are the reviews' keys, and ``review`` (spans,) int32 are indices into them. ``start`` and
    ``end`` are (spans,) int32, and ``logits`` is (spans, labels) float16. ``teacher`` names the teacher, and
    ``characters`` says how the texts' characters were cleaned.
    """

    teacher: str
    characters: CharacterForm
    keys: Sequence[str]
    review: npt.NDArray[np.int32]
    start: npt.NDArray[np.int32]
    end: npt.NDArray[np.int32]
    logits: npt.NDArray[np.float16]

    def write(self, path: Path) -> None:
        """Write the file, replacing ``path`` atomically."""
        with replaced(path) as unfinished, unfinished.open("wb") as file:
            np.savez_compressed(
                file,
                allow_pickle=False,
                teacher=np.array(self.teacher),
                characters=np.array(self.characters),
                keys=np.array(self.keys, f"U{_KEY_DIGITS}"),
                review=self.review,
                start=self.start,
                end=self.end,
                logits=self.logits,
            )

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file.

        Raise MissingFile if there is no such file, and UnusableSoftLabels if it does not contain soft labels.
        """
        if not path.is_file():
            raise MissingFile(path=path)
        try:
            with np.load(path, allow_pickle=False) as content:
                arrays = {name: content[name] for name in (*_ARRAYS, "teacher", "characters")}
        # NumPy raises these for a file in another format, a truncated archive and a missing array.
        except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
            raise UnusableSoftLabels(path=path, reason="it is not a file that the labelling program wrote") from error
        if reason := _describe_fault(arrays):
            raise UnusableSoftLabels(path=path, reason=reason)
        return cls(
            teacher=str(arrays["teacher"]),
            characters=_form(str(arrays["characters"])),
            keys=tuple(map(str, arrays["keys"])),
            review=arrays["review"].astype(np.int32),
            start=arrays["start"].astype(np.int32),
            end=arrays["end"].astype(np.int32),
            logits=arrays["logits"].astype(np.float16),
        )

    @property
    def digest(self) -> str:
        """The SHA-256 of all labels, in hex."""
        content = hashlib.sha256("".join(self.keys).encode())
        for array in (self.review, self.start, self.end, self.logits):
            content.update(np.ascontiguousarray(array).tobytes())
        return content.hexdigest()


def _describe_fault(arrays: dict[str, npt.NDArray[Any]]) -> str:
    """Return what is wrong with a file's arrays, or ""."""
    spans = len(arrays["review"]) if arrays["review"].ndim == 1 else -1
    if any(arrays[name].shape != (spans,) for name in ("start", "end")) or arrays["logits"].shape != (spans, 2):
        return "its arrays do not have the same length"
    if not np.isfinite(arrays["logits"]).all():
        return "some logits are not finite"
    if spans and not 0 <= arrays["review"].min() <= arrays["review"].max() < len(arrays["keys"]):
        return "some spans belong to no review"
    if (arrays["start"] < 0).any() or (arrays["end"] <= arrays["start"]).any():
        return "some spans are empty"
    if str(arrays["characters"]) not in get_args(CharacterForm):
        return "it was made by another version of Thumbs"
    return ""


def _form(name: str) -> CharacterForm:
    """Return ``name`` as a character form. ``_describe_fault`` has already checked it."""
    form: CharacterForm = "entities_nfkc" if name == "entities_nfkc" else "as_written"
    return form
