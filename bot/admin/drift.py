"""How the texts that people send differ from the training data: figures, bounds and one sentence. Free of Telegram."""

import html
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from bot.texts import Texts, fill
from core.input_profile import InputProfile
from storage import input_profiles
from storage.db.database import UnitOfWork

WEEK: Final = timedelta(days=7)
# Number of weeks that the picture shows.
SHOWN_WEEKS: Final = 12
# Number of weeks that texts are compared with if the model doesn't record what its training data looks like.
FIRST_WEEKS: Final = 4
# Minimum number of texts on each side of a comparison. With fewer, chance alone often exceeds the bounds.
LEAST_TEXTS: Final = 100
# The difference up to which a share counts as unchanged, and the factor for the mean number of words.
MAX_POSITIVE: Final = 0.15
MAX_CONFIDENCE: Final = 0.05
MAX_UNKNOWN: Final = 0.05
MAX_LENGTH_FACTOR: Final = 1.5


class Moved(StrEnum):
    """A figure that differs by more than its bound."""

    POSITIVE = "positive"
    CONFIDENCE = "confidence"
    WORDS = "words"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Drift:
    """Profiles of the last weeks, oldest first, and the profile to compare the last one with.

    A week without counted texts is None. ``from_training`` says whether the reference is the model's training data;
    if not, it is the first four weeks, or None while these are not over. ``version`` is the live model.
    """

    ends: tuple[datetime, ...]
    weeks: tuple[InputProfile | None, ...]
    reference: InputProfile | None
    from_training: bool
    version: str

    @property
    def comparable(self) -> bool:
        """Whether the last week and the reference have enough texts."""
        sides = (self.weeks[-1], self.reference)
        return all(side is not None and side.texts >= LEAST_TEXTS for side in sides)

    def moved(self, ago: int = 0) -> frozenset[Moved]:
        """Return the figures that differed from the reference in the week ``ago`` weeks before the last one."""
        week = self.weeks[-1 - ago]
        if week is None or self.reference is None or min(week.texts, self.reference.texts) < LEAST_TEXTS:
            return frozenset()
        return moved_between(self.reference, week)


def moved_between(before: InputProfile, now: InputProfile) -> frozenset[Moved]:
    """Return the figures that differ by more than their bounds."""
    shorter, longer = sorted((before.words, now.words))
    beyond = {
        Moved.POSITIVE: abs(now.positive - before.positive) > MAX_POSITIVE,
        Moved.CONFIDENCE: abs(now.confidence - before.confidence) > MAX_CONFIDENCE,
        Moved.WORDS: longer > MAX_LENGTH_FACTOR * shorter,
        Moved.UNKNOWN: abs(now.unknown - before.unknown) > MAX_UNKNOWN,
    }
    return frozenset(figure for figure, exceeded in beyond.items() if exceeded)


def read_drift(unit: UnitOfWork, version: str, training: InputProfile | None, until: datetime) -> Drift:
    """Return the drift in the weeks that end at ``until``.

    ``training`` is what the training data looks like to the live model ``version``, if its manifest records it.
    """
    ends = tuple(until - ago * WEEK for ago in range(SHOWN_WEEKS - 1, -1, -1))
    weeks = tuple(input_profiles.profile_between(unit, end - WEEK, end) for end in ends)
    reference = training or _first_weeks(unit, until)
    return Drift(ends, weeks, reference, training is not None, version)


def _first_weeks(unit: UnitOfWork, until: datetime) -> InputProfile | None:
    """Return the profile of the first four weeks with counts, or None until these and another week are over."""
    start = input_profiles.first_counted(unit)
    if start is None or start + (FIRST_WEEKS + 1) * WEEK > until:
        return None
    return input_profiles.profile_between(unit, start, start + FIRST_WEEKS * WEEK)


def sentence(texts: Texts, drift: Drift) -> str:
    """Say in one sentence how the last week's texts differ from the reference, as HTML."""
    now, before = drift.weeks[-1], drift.reference
    if before is None:
        return fill(texts.drift_no_reference, version=drift.version)
    if now is None or not drift.comparable:
        return fill(texts.drift_too_few, texts=0 if now is None else now.texts, least=LEAST_TEXTS)
    reference = texts.drift_training if drift.from_training else fill(texts.drift_first_weeks, version=drift.version)
    moved = drift.moved()
    if not moved:
        return fill(texts.drift_same, texts=now.texts, reference=reference)
    templates = {
        Moved.POSITIVE: (texts.drift_positive, _percent(now.positive), _percent(before.positive)),
        Moved.CONFIDENCE: (texts.drift_confidence, _percent(now.confidence), _percent(before.confidence)),
        Moved.WORDS: (texts.drift_words, f"{now.words:,.0f}", f"{before.words:,.0f}"),
        Moved.UNKNOWN: (texts.drift_unknown, _percent(now.unknown), _percent(before.unknown)),
    }
    changes = [
        fill(template, now=value, before=earlier)
        for figure, (template, value, earlier) in templates.items()
        if figure in moved
    ]
    return fill(texts.drift_moved, texts=now.texts, reference=reference, changes="; ".join(changes))


def plain_sentence(texts: Texts, drift: Drift) -> str:
    """Return ``sentence`` as plain text, for a terminal."""
    return html.unescape(sentence(texts, drift))


def figures(drift: Drift) -> dict[str, Any]:
    """Return the drift as values that JSON can hold, with the bounds."""
    return {
        "version": drift.version,
        "reference": None if drift.reference is None else asdict(drift.reference),
        "from_training": drift.from_training,
        "weeks": [
            {"end": end.date().isoformat(), "profile": None if week is None else asdict(week)}
            for end, week in zip(drift.ends, drift.weeks, strict=True)
        ],
        "bounds": {
            Moved.POSITIVE: MAX_POSITIVE,
            Moved.CONFIDENCE: MAX_CONFIDENCE,
            Moved.WORDS: MAX_LENGTH_FACTOR,
            Moved.UNKNOWN: MAX_UNKNOWN,
        },
        "moved": sorted(drift.moved()),
    }


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"
