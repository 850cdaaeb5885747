"""Reads the texts for choosing and evaluating the language guard's threshold, in two disjoint halves."""

import csv
import gzip
import random
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ml.text.fingerprints import fingerprint, shared_fingerprints

SHORT_LENGTH = 140
"""Maximum number of characters in a short review."""
SEED = 20_251_122

_OWN_TEXTS = Path(__file__).parent / "texts"
_SENTENCE_END = re.compile(r"(?<=[.!?])\s|<")


@dataclass(frozen=True, slots=True)
class GuardTexts:
    """One half of the texts."""

    english: dict[str, list[str]]
    """English texts by collection."""
    foreign: list[tuple[str, str]]
    """(ISO 639-1 code, text), written for this project."""
    stray: list[str]
    """Texts in the public English collections that are not in English."""

    def all_texts(self) -> list[str]:
        """Return all texts in this half."""
        english = [text for texts in self.english.values() for text in texts]
        return english + [text for _, text in self.foreign] + self.stray


def read_halves(rotten_tomatoes: Path, alexa: Path, imdb: Path) -> tuple[GuardTexts, GuardTexts]:
    """Return the development half and the test half. A public text's fingerprint decides its half.

    Skip public texts that are also among the project's own texts, such as "ok", because those texts are already
    assigned to a half.

    The development half contains all English texts that are assigned to it. The test half contains only a sample: 1,000
    short reviews (500 from each collection) and the first sentences of 1,000 official IMDB test reviews. The
    development half contains no test reviews. Raise ValueError if a text is in both halves.
    """
    collections = {"rotten_tomatoes": _distinct_rows(rotten_tomatoes), "alexa": _distinct_rows(alexa)}
    development, rest = _read_half(collections, "development"), _read_half(collections, "test")
    short = [
        text for name in collections for text in _sample([t for t in rest.english[name] if len(t) <= SHORT_LENGTH], 500)
    ]
    seen = {fingerprint(text) for text in development.all_texts()}
    sentences = [text for text in _first_sentences(imdb) if fingerprint(text) not in seen]
    test = GuardTexts(
        english={
            "short_reviews": short,
            "imdb_first_sentences": _sample(sentences, 1000),
            "tricky": rest.english["tricky"],
        },
        foreign=rest.foreign,
        stray=rest.stray,
    )
    shared = shared_fingerprints(development.all_texts(), test.all_texts())
    if shared:
        raise ValueError(f"{len(shared)} texts are in both halves; the first of their fingerprints is {min(shared)}")
    return development, test


def _read_half(collections: dict[str, list[str]], name: str) -> GuardTexts:
    parity = ("development", "test").index(name)
    stray = frozenset(_read_own_texts("not_english")["digests"])
    public = {key: [text for text in texts if _parity(text) == parity] for key, texts in collections.items()}
    english = {key: [text for text in texts if fingerprint(text) not in stray] for key, texts in public.items()}
    return GuardTexts(
        english={**english, "tricky": _read_own_texts("tricky_english")[name]},
        foreign=[(code, text) for code, halves in _read_own_texts("foreign_reviews").items() for text in halves[name]],
        stray=[text for texts in public.values() for text in texts if fingerprint(text) in stray],
    )


def _distinct_rows(path: Path) -> list[str]:
    ours = {fingerprint(text) for half in _read_own_texts("tricky_english").values() for text in half}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as table:
        texts = {fingerprint(row["text"]): row["text"] for row in csv.DictReader(table) if row["text"].strip()}
    return [text for key, text in texts.items() if key not in ours]


def _first_sentences(path: Path) -> list[str]:
    """Return the distinct first sentences of the official test reviews, ordered by fingerprint."""
    table = pd.read_parquet(path, columns=["review", "split"])
    reviews = table.loc[table["split"] == "test", "review"]
    firsts = (_SENTENCE_END.split(review.strip(), maxsplit=1)[0] for review in reviews)
    return [text for _, text in sorted({fingerprint(text): text for text in firsts if text.strip()}.items())]


def _read_own_texts(name: str) -> dict[str, Any]:
    return tomllib.loads((_OWN_TEXTS / f"{name}.toml").read_text(encoding="utf-8"))


def _parity(text: str) -> int:
    return int(fingerprint(text)[-1], 16) % 2


def _sample(texts: list[str], count: int) -> list[str]:
    return random.Random(SEED).sample(texts, count)
