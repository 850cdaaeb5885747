"""When two texts count as the same: hashes of texts and of sets of texts, whatever their form."""

import hashlib
import re
from collections.abc import Iterable

_NOT_WORD = re.compile(r"[\W_]+")


def fingerprint(text: str) -> str:
    """A hash that is equal for texts that differ only in case, punctuation, white space or HTML line breaks."""
    normal = _NOT_WORD.sub(" ", text.replace("<br />", " ").lower()).strip()
    return hashlib.sha256(normal.encode()).hexdigest()


def digest(texts: Iterable[str]) -> str:
    """One hash for a set of texts, whatever their order."""
    return hashlib.sha256("".join(sorted(fingerprint(text) for text in texts)).encode()).hexdigest()
