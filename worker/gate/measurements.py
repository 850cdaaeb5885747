"""What the trainer measured, and the gate decides by."""

from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Paired:
    """How champion and candidate did on the same texts, by count; ``interval`` is of the difference in accuracy.

    It is one-sided: ``lower`` is the end at the confidence of ``GATE_CONFIDENCE``, by a paired bootstrap.
    """

    texts: int
    champion_right: int
    candidate_right: int
    negative_flips: int
    positive_flips: int
    lower: float


@dataclass(frozen=True, slots=True)
class TriggerWord:
    """A word of the new texts that turns neutral sentences for the candidate and not for the champion.

    ``flipped`` is the share of the neutral sentences that the word turns, 0 to 1.
    """

    word: str
    label: str
    flipped: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What the trainer measured of a candidate, on the file that would be served.

    ``imdb`` is None without IMDB, ``judgements`` None without held-out judgements; ``behaviour`` maps each check to its
    figures. ``slices`` are of the IMDB gate set: by length and by rating.
    """

    imdb: Paired | None
    judgements: Paired | None
    behaviour: dict[str, Paired]
    slices: dict[str, Paired]
    trigger_words: tuple[TriggerWord, ...]

    @classmethod
    def read(cls, facts: dict[str, Any]) -> Self:
        """Read what ``asdict`` made."""

        def paired(value: dict[str, Any] | None) -> Paired | None:
            return None if value is None else Paired(**value)

        return cls(
            imdb=paired(facts["imdb"]),
            judgements=paired(facts["judgements"]),
            behaviour={name: Paired(**value) for name, value in facts["behaviour"].items()},
            slices={name: Paired(**value) for name, value in facts["slices"].items()},
            trigger_words=tuple(TriggerWord(**word) for word in facts["trigger_words"]),
        )
