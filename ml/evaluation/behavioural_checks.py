"""Behavioural checks in the style of CheckList: short texts, and conditions on a model's verdicts.

``ml/evaluation/behaviour`` contains one TOML file for each check, in the format described in
docs/decisions/0009-behavioural-checks.md. The kinds come from Ribeiro et al. 2020, "Beyond Accuracy: Behavioral Testing
of NLP Models with CheckList".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ml.text.labels import LABELS

_POSITIVE = LABELS[1]
SIGNS = {"up": 1, "down": -1}


@dataclass(frozen=True, slots=True)
class Minimum:
    """A text that must be classified as ``label``."""

    texts: tuple[str]
    label: str

    def passes(self, positive: Mapping[str, float]) -> bool:
        """Return whether the verdict is ``label``. ``positive`` maps texts to probabilities of Positive."""
        return _is_positive(positive[self.texts[0]]) == (self.label == _POSITIVE)


@dataclass(frozen=True, slots=True)
class Invariance:
    """Texts that must all get the same verdict, Positive or Negative."""

    texts: tuple[str, ...]

    def passes(self, positive: Mapping[str, float]) -> bool:
        """Return whether all verdicts agree."""
        return len({_is_positive(positive[text]) for text in self.texts}) == 1


@dataclass(frozen=True, slots=True)
class Direction:
    """A sequence of texts over which the probability of Positive must rise (``goes`` is "up") or fall ("down").

    From one text to the next, the probability can move the other way by up to ``tolerance``.
    """

    texts: tuple[str, ...]
    goes: str
    tolerance: float

    def passes(self, positive: Mapping[str, float]) -> bool:
        """Return whether every step goes in the stated direction, within the tolerance."""
        signed = [SIGNS[self.goes] * positive[text] for text in self.texts]
        return all(after >= before - self.tolerance for before, after in pairwise(signed))


Case = Minimum | Invariance | Direction


@dataclass(frozen=True, slots=True)
class Check:
    """The cases that test one capability. All cases have the same ``kind``: minimum, invariance or direction.

    ``name`` is the file's stem. ``known_hard`` marks a check that models of this kind are not expected to pass.
    """

    name: str
    title: str
    kind: str
    known_hard: bool
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class PassRate:
    """How many of a check's ``cases`` passed, and which ones failed.

    A failure is represented by the failed case's texts in order, joined by `` | ``. This string is the same for every
    model.
    """

    name: str
    title: str
    kind: str
    known_hard: bool
    passed: int
    cases: int
    failures: tuple[str, ...]


def check_texts(checks: Sequence[Check]) -> list[str]:
    """Return every distinct text in ``checks``, in order of first use."""
    return list(dict.fromkeys(text for check in checks for case in check.cases for text in case.texts))


def pass_rates(checks: Sequence[Check], positive: Mapping[str, float]) -> list[PassRate]:
    """Return the pass rate of each check, in order.

    ``positive`` maps every text in ``check_texts(checks)`` to its calibrated probability of Positive, 0 to 1.
    """
    return [_pass_rate(check, positive) for check in checks]


def _pass_rate(check: Check, positive: Mapping[str, float]) -> PassRate:
    failures = tuple(" | ".join(case.texts) for case in check.cases if not case.passes(positive))
    cases = len(check.cases)
    return PassRate(check.name, check.title, check.kind, check.known_hard, cases - len(failures), cases, failures)


def _is_positive(probability: float) -> bool:
    # The classifier breaks a tie in favour of Negative.
    return probability > 0.5
