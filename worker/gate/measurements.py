"""The measurements that the trainer takes, on which the gate bases its decision."""

from dataclasses import dataclass
from math import sqrt
from typing import Any, Final, Self

from ml.evaluation.paired_counts import PairedCounts

# The number of standard errors from the estimate to either end of a 95% interval.
Z_95: Final = 1.96


def interval_95(gain: float, error: float) -> tuple[float, float]:
    """Return the ends of a gain's 95% interval, given its standard error. Clip them to -1 and 1."""
    return max(gain - Z_95 * error, -1.0), min(gain + Z_95 * error, 1.0)


@dataclass(frozen=True, slots=True)
class PairedResult:
    """Counts that compare the champion and the candidate on the same texts.

    ``negative_flips`` went from right to wrong, and ``positive_flips`` from wrong to right. ``lower`` is the lower end
    of a one-sided confidence interval for the difference in accuracy, from a paired bootstrap at ``GATE_CONFIDENCE``.
    """

    texts: int
    champion_right: int
    candidate_right: int
    negative_flips: int
    positive_flips: int
    lower: float

    @property
    def champion_accuracy(self) -> float:
        """The share of the texts that the champion gets right, 0 to 1."""
        return self.champion_right / self.texts

    @property
    def candidate_accuracy(self) -> float:
        """The share of the texts that the candidate gets right, 0 to 1."""
        return self.candidate_right / self.texts


@dataclass(frozen=True, slots=True)
class VoteEvidence:
    """The evidence from votes about a candidate, compared with the live model on the texts that have a usable vote.

    The counts are unweighted and mean the same as in ``PairedResult``. ``gain`` is the estimated difference in accuracy
    over all verdicts that were shown, whether or not people voted on them. ``lower`` and ``upper`` are the ends of the
    gain's 95% interval, and ``standard_error`` is its standard error. ``champion_accuracy`` is the live model's
    estimated accuracy over the same verdicts. ``effective_texts`` is the number of equally weighted texts that would be
    just as informative.

    ``voted_share`` is the share (0 to 1) of the shown verdicts that people voted on. ``mistake_ratio`` says how many
    times more likely a mistake was to get a vote than a correct verdict. Each of the two is None if it is not known. If
    the gain cannot be estimated, ``unknown`` is a clause that says why, and the interval is from -1 to 1. Otherwise,
    ``unknown`` is None.
    """

    texts: int
    champion_right: int
    candidate_right: int
    negative_flips: int
    positive_flips: int
    gain: float
    standard_error: float
    lower: float
    upper: float
    champion_accuracy: float
    effective_texts: float
    voted_share: float | None = None
    mistake_ratio: float | None = None
    unknown: str | None = None

    @property
    def candidate_accuracy(self) -> float:
        """The candidate's estimated accuracy over all shown verdicts, 0 to 1."""
        return min(max(self.champion_accuracy + self.gain, 0.0), 1.0)

    @classmethod
    def equally_weighted(cls, counts: PairedCounts) -> Self:
        """Return the evidence from at least one text, as if every shown verdict were equally likely to get a vote.

        The standard error follows Agresti and Min (2005), so it is not 0 even if no text flips.
        """
        texts = counts.texts
        gain = (counts.second_right - counts.first_right) / texts
        flips = counts.negative_flips + counts.positive_flips + 1
        adjusted_gain = (counts.second_right - counts.first_right) / (texts + 2)
        error = sqrt((flips / (texts + 2) - adjusted_gain**2) / (texts + 2))
        accuracy = counts.first_right / texts
        return cls.estimated(counts, gain, error, champion_accuracy=accuracy, effective_texts=float(texts))

    @classmethod
    def estimated(
        cls, counts: PairedCounts, gain: float, error: float, *, champion_accuracy: float, effective_texts: float
    ) -> Self:
        """Return the evidence from the votes in ``counts`` for an estimated gain with this standard error."""
        lower, upper = interval_95(gain, error)
        return cls(
            texts=counts.texts,
            champion_right=counts.first_right,
            candidate_right=counts.second_right,
            negative_flips=counts.negative_flips,
            positive_flips=counts.positive_flips,
            gain=gain,
            standard_error=error,
            lower=lower,
            upper=upper,
            champion_accuracy=champion_accuracy,
            effective_texts=effective_texts,
        )

    @classmethod
    def read(cls, facts: dict[str, Any]) -> Self:
        """Read a dict created by ``asdict``, even by a version of the program that counted every vote equally."""
        if "gain" in facts:
            return cls(**facts)
        names = ("texts", "champion_right", "candidate_right", "negative_flips", "positive_flips")
        return cls.equally_weighted(PairedCounts(*(facts[name] for name in names)))


@dataclass(frozen=True, slots=True)
class TriggerWord:
    """A word in the new texts that flips the candidate's verdict on neutral sentences, but not the champion's.

    ``label`` is the label that the word flips verdicts to. ``flipped`` is the share of neutral sentences that flip, 0
    to 1.
    """

    word: str
    label: str
    flipped: float


@dataclass(frozen=True, slots=True)
class Measurements:
    """All measurements of a candidate, taken on the model file that would be served.

    ``imdb`` is None if there are no IMDB reviews. ``judgements`` is the evidence from people's votes, or None if there
    are no usable votes. The field names are keys in stored decisions, so they must not change. ``behaviour`` maps the
    name of each behavioural check to its result. ``slices`` maps the name of each slice of the gate set, by length and
    by rating, to its result.
    """

    imdb: PairedResult | None
    judgements: VoteEvidence | None
    behaviour: dict[str, PairedResult]
    slices: dict[str, PairedResult]
    trigger_words: tuple[TriggerWord, ...]

    @classmethod
    def read(cls, facts: dict[str, Any]) -> Self:
        """Read a dict created by ``asdict``."""

        def result(value: dict[str, Any] | None) -> PairedResult | None:
            return None if value is None else PairedResult(**value)

        return cls(
            imdb=result(facts["imdb"]),
            judgements=None if facts["judgements"] is None else VoteEvidence.read(facts["judgements"]),
            behaviour={name: PairedResult(**value) for name, value in facts["behaviour"].items()},
            slices={name: PairedResult(**value) for name, value in facts["slices"].items()},
            trigger_words=tuple(TriggerWord(**word) for word in facts["trigger_words"]),
        )
