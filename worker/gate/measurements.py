"""The measurements that the trainer takes and the gate bases its decision on."""

from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class PairedResult:
    """Counts that compare the champion and the candidate on the same texts.

    ``negative_flips`` went from right to wrong, ``positive_flips`` from wrong to right. ``lower`` is the lower end of a
    one-sided confidence interval for the difference in accuracy, from a paired bootstrap at ``GATE_CONFIDENCE``.
    """

    texts: int
    champion_right: int
    candidate_right: int
    negative_flips: int
    positive_flips: int
    lower: float


@dataclass(frozen=True, slots=True)
class TriggerWord:
    """A word in the new texts that flips neutral sentences for the candidate but not for the champion.

    ``label`` is the label that the word flips them to; ``flipped`` is the share of neutral sentences that flip, 0 to 1.
    """

    word: str
    label: str
    flipped: float


@dataclass(frozen=True, slots=True)
class Measurements:
    """All measurements of a candidate, taken on the file that would be served.

    ``imdb`` is None without IMDB reviews. ``judgements`` is the result on held-out corrections, or None if there are
    none. The field names are keys in stored decisions, so they must not change. ``behaviour`` maps the name of each
    behavioural check to its result, and ``slices`` does the same for each slice of the gate set, by length and by
    rating.
    """

    imdb: PairedResult | None
    judgements: PairedResult | None
    behaviour: dict[str, PairedResult]
    slices: dict[str, PairedResult]
    trigger_words: tuple[TriggerWord, ...]

    @classmethod
    def read(cls, facts: dict[str, Any]) -> Self:
        """Read a dict that ``asdict`` created."""

        def result(value: dict[str, Any] | None) -> PairedResult | None:
            return None if value is None else PairedResult(**value)

        return cls(
            imdb=result(facts["imdb"]),
            judgements=result(facts["judgements"]),
            behaviour={name: PairedResult(**value) for name, value in facts["behaviour"].items()},
            slices={name: PairedResult(**value) for name, value in facts["slices"].items()},
            trigger_words=tuple(TriggerWord(**word) for word in facts["trigger_words"]),
        )
