"""Reads behavioural checks from their TOML files."""

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from string import Formatter
from typing import Any, Final

from ml.errors import UnusableCheck
from ml.evaluation.behavioural_checks import SIGNS, Case, Check, Direction, Invariance, Minimum
from ml.text.labels import LABELS

FOLDER: Final = Path(__file__).with_name("behaviour")


def read_checks(folder: Path = FOLDER) -> list[Check]:
    """Every check of ``folder``, ordered by file name; raises UnusableCheck."""
    paths = sorted(folder.glob("*.toml"))
    if not paths:
        raise UnusableCheck(path=folder, reason="the folder holds no TOML file")
    return [_read_check(path) for path in paths]


def _read_check(path: Path) -> Check:
    try:
        return _parse_check(path.stem, tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise UnusableCheck(path=path, reason=error) from error


def _parse_check(name: str, facts: Mapping[str, Any]) -> Check:
    kind = facts.get("kind")
    builder = _CASE_READERS.get(str(kind))
    if builder is None:
        raise ValueError(f"its kind is {kind!r}, not one of {', '.join(_CASE_READERS)}")
    extra = {"tolerance": float} if builder is _read_directions else {}
    facts = {"known_hard": False, "words": {}, **facts}
    _require(facts, "the file", {"title": str, "kind": str, "known_hard": bool, "words": dict, "cases": list, **extra})
    words = facts["words"]
    for key, values in words.items():
        _require_texts(values, f"words.{key}", least=1)
    cases = tuple(_parse_cases(facts, builder))
    if unused := words.keys() - {name for row in facts["cases"] for name in _placeholders(row["texts"])}:
        raise ValueError(f"no text uses the words {', '.join(sorted(unused))}")
    if not cases or len(set(cases)) < len(cases):
        raise ValueError("it gives the same case twice" if cases else "it has no cases")
    return Check(name, facts["title"], str(kind), facts["known_hard"], cases)


def _parse_cases(
    facts: Mapping[str, Any], builder: Callable[[Any, Mapping[str, Any]], Iterator[Case]]
) -> Iterator[Case]:
    for number, row in enumerate(facts["cases"], start=1):
        try:
            yield from builder(row, facts)
        except ValueError as error:
            raise ValueError(f"entry {number} of cases: {error}") from error


def _read_minimums(row: Any, facts: Mapping[str, Any]) -> Iterator[Case]:
    _require(row, "it", {"label": str, "texts": list})
    _require_texts(row["texts"], "texts", least=1)
    if row["label"] not in LABELS:
        raise ValueError(f"{row['label']!r} is not a label; use {' or '.join(LABELS)}")
    for template in row["texts"]:
        for (text,) in _expand([template], facts["words"]):
            yield Minimum((text,), row["label"])


def _read_invariances(row: Any, facts: Mapping[str, Any]) -> Iterator[Case]:
    swap = row.get("swap") if isinstance(row, dict) else None
    _require(row, "it", {"texts": list} | ({} if swap is None else {"swap": str}))
    _require_texts(row["texts"], "texts", least=2 if swap is None else 1)
    yield from map(Invariance, _expand(row["texts"], facts["words"], swap))


def _read_directions(row: Any, facts: Mapping[str, Any]) -> Iterator[Case]:
    _require(row, "it", {"goes": str, "texts": list})
    _require_texts(row["texts"], "texts", least=2)
    if row["goes"] not in SIGNS:
        raise ValueError(f"goes is {row['goes']!r}, not {' or '.join(SIGNS)}")
    if not 0 <= facts["tolerance"] < 1:
        raise ValueError(f"the tolerance is {facts['tolerance']}, not a difference of two probabilities")
    for texts in _expand(row["texts"], facts["words"]):
        yield Direction(texts, row["goes"], facts["tolerance"])


_CASE_READERS = {"minimum": _read_minimums, "invariance": _read_invariances, "direction": _read_directions}


def _expand(
    templates: Sequence[str], words: Mapping[str, Sequence[str]], swap: str | None = None
) -> Iterator[tuple[str, ...]]:
    """One tuple of texts for each combination of the words that ``templates`` name.

    The words ``swap`` do not make tuples of their own: each tuple has a text for every one of them.
    """
    names = _placeholders(templates)
    if unknown := (names | ({swap} if swap else set())) - (words.keys() & names):
        raise ValueError(f"a text and its words do not agree on {', '.join(sorted(map(repr, unknown)))}")
    free = sorted(names - {swap})
    swapped = [{swap: word} for word in words[swap]] if swap else [{}]
    for chosen in product(*(words[name] for name in free)):
        fixed = dict(zip(free, chosen, strict=True))
        texts = tuple(template.format(**fixed, **other) for template in templates for other in swapped)
        if len(set(texts)) < len(texts):
            raise ValueError(f"{texts[0]!r} or another text stands twice in one case")
        yield texts


def _placeholders(templates: Sequence[str]) -> set[str]:
    """The names in braces of ``templates``."""
    return {name for text in templates for _, name, _, _ in Formatter().parse(text) if name is not None}


def _require(table: Any, where: str, kinds: Mapping[str, type]) -> None:
    """Raise ValueError unless ``table`` has exactly the keys of ``kinds``, with values of those types."""
    if not isinstance(table, dict):
        raise ValueError(f"{where} is no table")
    if missing := kinds.keys() - table.keys():
        raise ValueError(f"{where} lacks {', '.join(sorted(missing))}")
    if unknown := table.keys() - kinds.keys():
        raise ValueError(f"{where} has {', '.join(sorted(unknown))}, which nothing reads")
    for key, kind in kinds.items():
        if type(table[key]) is not kind:
            raise ValueError(f"{key} is not of type {kind.__name__}")


def _require_texts(values: Any, where: str, *, least: int) -> None:
    """Raise ValueError unless ``values`` is a list of at least ``least`` strings."""
    if not isinstance(values, list) or len(values) < least or not all(isinstance(value, str) for value in values):
        raise ValueError(f"{where} is no list of {least} or more strings")
