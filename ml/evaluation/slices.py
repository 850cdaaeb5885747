"""Accuracy on slices of the texts: by length and by rating."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ml.evaluation.intervals import Interval, wilson_interval
from ml.text.characters import LINE_BREAK

# Chat messages are a few dozen words long. IMDB's median is 173 words, and its ninth decile is 451.
_WORD_BOUNDS = (50, 100, 200, 400, 800)

# Bool (texts,): whether the model's verdict is correct.
Correctness = npt.NDArray[np.bool_]
# A name, and a mask (texts,) of the texts in the group.
Group = tuple[str, npt.NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Slice:
    """A slice of the texts: its size, the accuracy on it, and the accuracy's 95% interval (Wilson)."""

    name: str
    reviews: int
    accuracy: float
    interval: Interval


def by_length(texts: Sequence[str], right: Correctness) -> tuple[Slice, ...]:
    """Return slices by number of words, shortest first.

    Length is measured in words rather than token windows, because the compared models' windows may differ.
    """
    return _slices(length_groups(texts), right)


def by_rating(ratings: npt.NDArray[np.float64] | None, right: Correctness) -> tuple[Slice, ...]:
    """Return slices by rating, lowest first.

    Texts without a rating (NaN) are skipped. If ``ratings`` is None, there are no slices.
    """
    return _slices(rating_groups(ratings), right)


def length_groups(texts: Sequence[str]) -> Iterator[Group]:
    """Yield groups by number of words, shortest first. Some groups can be empty."""
    words = [len(LINE_BREAK.sub(" ", text).split()) for text in texts]
    buckets = np.digitize(words, _WORD_BOUNDS, right=True)
    names = [
        f"up to {_WORD_BOUNDS[0]}",
        *(f"{low + 1}-{high}" for low, high in pairwise(_WORD_BOUNDS)),
        f"over {_WORD_BOUNDS[-1]}",
    ]
    yield from ((name, buckets == bucket) for bucket, name in enumerate(names))


def rating_groups(ratings: npt.NDArray[np.float64] | None) -> Iterator[Group]:
    """Yield groups by rating, lowest first."""
    if ratings is not None:
        values = np.unique(ratings[~np.isnan(ratings)])
        yield from ((f"{value:g}", ratings == value) for value in values)


def _slices(groups: Iterable[Group], right: Correctness) -> tuple[Slice, ...]:
    """Return a slice for each group that has texts."""
    found = []
    for name, chosen in groups:
        reviews, hits = int(chosen.sum()), int(right[chosen].sum())
        if reviews:
            found.append(Slice(name, reviews, hits / reviews, wilson_interval(hits, reviews)))
    return tuple(found)
