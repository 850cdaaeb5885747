"""Reads texts that consist only of a rating, such as "8/10", "two stars" or "★★☆☆☆"."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from ml.text.labels import LABELS

# Ratings from 50% to less than 70% are mixed: 5/10, 6/10, 3 stars. IMDB draws the lines in the same way.
_MIXED_FROM: Final = 0.5
_POSITIVE_FROM: Final = 0.7
_STARS: Final = 5
_MANY_STARS: Final = 10
_WORDS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBERS: Final = {word: float(value) for value, word in enumerate(_WORDS)} | {"no": 0.0, "half": 0.5, "hundred": 100.0}
_VALUE: Final = rf"(?P<{{name}}>[-\u2212]?\d{{{{1,3}}}}(?:[.,]\d{{{{1,2}}}})?|{'|'.join(_WORDS)}{{more}})"
_HALF: Final = r"(?P<{name}>\s*(?:\u00bd|1/2|(?:and\s+)?a\s+half))?"
_MORE_STARS: Final = r"|no|half\s+a"
_SCALE: Final = r"(?P<{name}>5|10|100|five|ten|(?:a\s+)?hundred)"
_FULL, _EMPTY = "\u2605\u2b50\u2730", "\u2606\u2729"
_RATING: Final = re.compile(
    rf"""
    (?<![\w/.,])
    (?:
        {_VALUE.format(name="of_value", more="")} {_HALF.format(name="of_half")}
        (?:[\s-]*stars?)? \s* (?: / | out[\s-]+of ) \s*
        {_SCALE.format(name="scale")} (?:[\s-]*(?:stars?|points?))?
      | {_VALUE.format(name="star_value", more=_MORE_STARS)} {_HALF.format(name="star_half")} [\s-]* stars?
      | (?P<full>[{_FULL}][{_FULL}\ufe0f\s]*)? (?P<empty>[{_EMPTY}][{_EMPTY}\ufe0f\s]*)? (?<=[{_FULL}{_EMPTY}\ufe0f\s])
    )
    (?![\w/]|[.,]\d)
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Words that say nothing about the rated thing, so that the rating is all there is to read. Words such as "not", "wish"
# or "see" are missing on purpose: "not 10/10" and "see you on 9/10" aren't ratings.
_FILLERS: Final = frozenset(
    """
    a about also an and around at be because but can could deserves easily easy fair film final for from full gave get
    gets give given gives giving go going got have i i'd i'll i'm id if in is it it's its just least let's like maybe me
    mine most movie must my of on only out overall personally points probably rate rated rating review say score scored
    season series show single so solid some star stars strong sum summary than that that's the their there this
    to total up us verdict was we we'd were will with would book game album song episode product place restaurant food
    phone app play service
    """.split()  # noqa: SIM905 - a list would have one word on each line
)


@dataclass(frozen=True, slots=True)
class Rating:
    """A rating as it was written, and its label. The label is None if the rating is mixed."""

    written: str
    label: str | None


def only_rating(text: str) -> Rating | None:
    """Return the rating if ``text`` is a single rating and nothing else, or None otherwise."""
    halves = text.replace("\u00bd", " 1/2")
    plain = unicodedata.normalize("NFKC", halves).replace("\u2019", "'").strip()
    found = [match for match in _RATING.finditer(plain) if match[0].strip()]
    if len(found) != 1:
        return None
    start, end = found[0].span()
    rest = re.findall(r"[^\W_]+(?:'[^\W_]+)?", f"{plain[:start]} {plain[end:]}".lower())
    share = _share(found[0])
    if share is None or not all(word in _FILLERS for word in rest):
        return None
    return Rating(" ".join(found[0][0].split()), _label(share))


def _share(found: "re.Match[str]") -> float | None:
    """Return the rating as a share of its scale, or None if there are too many stars.

    The share can be outside 0 to 1, because people also write 11/10 and -1/10.
    """
    if found["of_value"] is not None:
        return (_number(found["of_value"]) + (0.5 if found["of_half"] else 0)) / _number(found["scale"])
    if found["star_value"] is not None:
        stars = _number(found["star_value"]) + (0.5 if found["star_half"] else 0)
        scale = _star_scale(stars)
    else:
        stars = sum(character in _FULL for character in found[0])
        empty = sum(character in _EMPTY for character in found[0])
        scale = stars + empty if empty else _star_scale(stars)
    return stars / scale if stars <= _MANY_STARS else None


def _star_scale(stars: float) -> int:
    return _STARS if stars <= _STARS else _MANY_STARS


def _number(written: str) -> float:
    word = written.lower().split()[0 if written[:1] in "hH" else -1]
    return _NUMBERS[word] if word in _NUMBERS else float(word.replace(",", ".").replace("\u2212", "-"))


def _label(share: float) -> str | None:
    if share < _MIXED_FROM:
        return LABELS[0]
    return LABELS[1] if share >= _POSITIVE_FROM else None
