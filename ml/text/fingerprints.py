"""When two texts count as the same: hashes of texts and of sets of texts, whatever their form."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_LINE_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_NOT_WORD = re.compile(r"[\W_]+")


# A text is asked for several times while reviews are split, compared and counted; IMDB has 50,000.
@lru_cache(maxsize=1 << 16)
def fingerprint(text: str) -> str:
    """SHA-256 in hex, equal for texts that differ only in case, punctuation, white space, HTML line breaks or NFC.

    Texts without a letter or digit, such as emoji, are told apart by what they are.
    """
    words = _NOT_WORD.sub(" ", _LINE_BREAK.sub(" ", unicodedata.normalize("NFC", text)).lower()).strip()
    return hashlib.sha256((words or text.strip()).encode()).hexdigest()


def shared_fingerprints(first: Iterable[str], second: Iterable[str]) -> set[str]:
    """Fingerprints of the texts that stand in both sets."""
    return set(map(fingerprint, first)) & set(map(fingerprint, second))


def digest(texts: Iterable[str]) -> str:
    """SHA-256 in hex of a collection of texts: their order does not count, how often each stands there does."""
    return hashlib.sha256("".join(sorted(map(fingerprint, texts))).encode()).hexdigest()
