"""The texts that the language guard is chosen on and measured on, in two halves that share no text."""

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

SHORT = 140
"""Characters that a short review has at most."""
SEED = 20_251_122

_OURS = Path(__file__).parent / "texts"
_SENTENCE_END = re.compile(r"(?<=[.!?])\s|<")


@dataclass(frozen=True, slots=True)
class Texts:
    """One half: English by collection, foreign texts with their language, and foreign texts met among the English."""

    english: dict[str, list[str]]
    foreign: list[tuple[str, str]]
    """(ISO 639-1 code, text), written for this project."""
    stray: list[str]
    """Texts of the public English collections that are in another language; they count as foreign."""

    def everything(self) -> list[str]:
        """Every text of this half."""
        english = [text for texts in self.english.values() for text in texts]
        return english + [text for _, text in self.foreign] + self.stray


def read_halves(rotten_tomatoes: Path, alexa: Path, imdb: Path) -> tuple[Texts, Texts]:
    """Read the development half and the test half; a public text falls to one of them by its fingerprint.

    Public texts that we wrote too, such as "ok", are left out: ours have their half already.

    In development, ``english`` is all there is. In the test it is 1,000 short reviews (500 of each collection) and
    the first sentences of 1,000 official test reviews of IMDB, which development does not touch.
    """
    collections = {"rotten_tomatoes": _distinct_rows(rotten_tomatoes), "alexa": _distinct_rows(alexa)}
    development, rest = _half(collections, "development"), _half(collections, "test")
    short = [text for name in collections for text in _sample([t for t in rest.english[name] if len(t) <= SHORT], 500)]
    seen = {fingerprint(text) for text in development.everything()}
    sentences = [text for text in _first_sentences(imdb) if fingerprint(text) not in seen]
    test = Texts(
        english={
            "short_reviews": short,
            "imdb_first_sentences": _sample(sentences, 1000),
            "tricky": rest.english["tricky"],
        },
        foreign=rest.foreign,
        stray=rest.stray,
    )
    shared = shared_fingerprints(development.everything(), test.everything())
    if shared:
        raise ValueError(f"{len(shared)} texts stand in both halves; the first by its fingerprint is {min(shared)}")
    return development, test


def _half(collections: dict[str, list[str]], name: str) -> Texts:
    parity = ("development", "test").index(name)
    stray = frozenset(_ours("not_english")["digests"])
    public = {key: [text for text in texts if _parity(text) == parity] for key, texts in collections.items()}
    english = {key: [text for text in texts if fingerprint(text) not in stray] for key, texts in public.items()}
    return Texts(
        english={**english, "tricky": _ours("tricky_english")[name]},
        foreign=[(code, text) for code, halves in _ours("foreign_reviews").items() for text in halves[name]],
        stray=[text for texts in public.values() for text in texts if fingerprint(text) in stray],
    )


def _distinct_rows(path: Path) -> list[str]:
    ours = {fingerprint(text) for half in _ours("tricky_english").values() for text in half}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as table:
        texts = {fingerprint(row["text"]): row["text"] for row in csv.DictReader(table) if row["text"].strip()}
    return [text for key, text in texts.items() if key not in ours]


def _first_sentences(path: Path) -> list[str]:
    """First sentence of each official test review, distinct, ordered by fingerprint."""
    table = pd.read_parquet(path, columns=["review", "split"])
    reviews = table.loc[table["split"] == "test", "review"]
    firsts = (_SENTENCE_END.split(review.strip(), maxsplit=1)[0] for review in reviews)
    return [text for _, text in sorted({fingerprint(text): text for text in firsts if text.strip()}.items())]


def _ours(name: str) -> dict[str, Any]:
    return tomllib.loads((_OURS / f"{name}.toml").read_text(encoding="utf-8"))


def _parity(text: str) -> int:
    return int(fingerprint(text)[-1], 16) % 2


def _sample(texts: list[str], count: int) -> list[str]:
    return random.Random(SEED).sample(texts, count)
