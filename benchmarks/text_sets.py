"""Texts as members of sets: the same in any case, white space and Unicode form."""

import hashlib
import unicodedata
from collections.abc import Iterable


def text_digest(text: str) -> str:
    """SHA-256 in hex of ``text`` as a reader sees it: case, white space and Unicode form do not count."""
    normalised = " ".join(unicodedata.normalize("NFC", text).casefold().split())
    return hashlib.sha256(normalised.encode()).hexdigest()


def text_set_digest(texts: Iterable[str]) -> str:
    """SHA-256 in hex of a set of texts; order and repetition do not count."""
    return hashlib.sha256("\n".join(sorted(set(map(text_digest, texts)))).encode()).hexdigest()


def shared_digests(first: Iterable[str], second: Iterable[str]) -> set[str]:
    """Digests of the texts that stand in both sets."""
    return set(map(text_digest, first)) & set(map(text_digest, second))


def assert_disjoint(first: Iterable[str], second: Iterable[str]) -> None:
    """Raise ValueError when a text stands in both sets, by its digest."""
    shared = shared_digests(first, second)
    if shared:
        raise ValueError(f"{len(shared)} texts stand in both sets; the first by digest is {min(shared)}")
