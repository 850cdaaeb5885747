"""Gold questions: clear sentences with a known label, written to check how reliable labellers are.

They are mixed in with other people's texts, and labellers can't tell them apart. Models are never trained on the
answers.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from ml.text.labels import LABELS

_FILE: Final = Path(__file__).parent / "gold" / "questions.toml"


@dataclass(frozen=True, slots=True)
class GoldQuestion:
    """A sentence and its undisputed label, one of ``ml.text.labels.LABELS``."""

    text: str
    label: str


@cache
def gold_questions() -> tuple[GoldQuestion, ...]:
    """Return all gold questions. Raise ValueError for an unknown label."""
    found = []
    for group in tomllib.loads(_FILE.read_text(encoding="utf-8"))["questions"]:
        if group["label"] not in LABELS:
            raise ValueError(f"{_FILE} has an unknown label: {group['label']!r}")
        found += [GoldQuestion(text, group["label"]) for text in group["texts"]]
    return tuple(found)
