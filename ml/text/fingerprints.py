"""Fingerprints for deciding whether two texts are the same, and digests of sets of texts."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_NOT_WORD = re.compile(r"[\W_]+")


# The cache helps because splitting, comparing and counting reviews fingerprint each of IMDB's 50,000 texts several
# times.
@lru_cache(maxsize=1 << 16)
def fingerprint(text: str) -> str:
    """Return a SHA-256 hash, in hex, that ignores case, punctuation, white space, ``<br>`` and Unicode composition.

    For texts without letters or digits, such as emoji, the stripped text itself is hashed.
    """
    return hashlib.sha256((normalized_words(text) or text.strip()).encode()).hexdigest()


def normalized_words(text: str) -> str:
    """Return the lower-case words of ``text`` in NFC, separated by spaces, without punctuation or ``<br>``."""
    return _NOT_WORD.sub(" ", _LINE_BREAK.sub(" ", unicodedata.normalize("NFC", text)).lower()).strip()


def shared_fingerprints(first: Iterable[str], second: Iterable[str]) -> set[str]:
    """Return the fingerprints of texts that occur in both collections."""
    return set(map(fingerprint, first)) & set(map(fingerprint, second))


def digest(texts: Iterable[str]) -> str:
    """Return the SHA-256, in hex, of a multiset of texts: repetitions matter but the order does not."""
    return combined_digest(map(fingerprint, texts))


def combined_digest(fingerprints: Iterable[str]) -> str:
    """Return the digest of the texts with these fingerprints."""
    return hashlib.sha256("".join(sorted(fingerprints)).encode()).hexdigest()
