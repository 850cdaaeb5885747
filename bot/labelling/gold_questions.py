"""Gold questions that ship with the program. Their texts have undisputed labels, which show how careful labellers are.

Their sources are ``bot/labelling/gold`` and the behavioural checks that models of this kind pass. ``/label`` mixes gold
questions in with other people's texts, and labellers can't tell them apart. Models are never trained on the answers.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from ml.evaluation.behavioural_checks import Minimum
from ml.evaluation.check_files import read_checks
from ml.text.labels import LABELS

_FILE: Final = Path(__file__).parent / "gold" / "questions.toml"
# The check whose sentences read like short reviews, and the minimum number of characters in such a sentence.
_CHECK: Final = "vocabulary"
_MIN_LENGTH: Final = 60


@dataclass(frozen=True, slots=True)
class GoldQuestion:
    """A text and its undisputed label, one of ``ml.text.labels.LABELS``.

    ``prediction_id`` refers to a user's text that an admin decided on, and is None for a text from the program.
    """

    text: str
    label: str
    prediction_id: int | None = None


@cache
def gold_questions() -> tuple[GoldQuestion, ...]:
    """Return all gold questions that ship with the program. Raise ValueError for an unknown label."""
    found = []
    for group in tomllib.loads(_FILE.read_text(encoding="utf-8"))["questions"]:
        if group["label"] not in LABELS:
            raise ValueError(f"{_FILE} has an unknown label: {group['label']!r}")
        found += [GoldQuestion(text, group["label"]) for text in group["texts"]]
    groups = [[one for one in _from_checks() if one.label == label] for label in LABELS]
    # As many of each label, so that a labeller gains nothing by always tapping the same button.
    return (*found, *(one for group in groups for one in group[: min(map(len, groups))]))


def _from_checks() -> Iterator[GoldQuestion]:
    """Yield the sentences that are long enough, but only one of each group that ends in the same three words."""
    endings = set()
    for check in read_checks():
        for case in check.cases if check.name == _CHECK else ():
            text = case.texts[0]
            ending = tuple(text.split()[-3:])
            if isinstance(case, Minimum) and len(text) >= _MIN_LENGTH and ending not in endings:
                endings.add(ending)
                yield GoldQuestion(text, case.label)
