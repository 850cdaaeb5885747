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
    """Read every check in ``folder``, ordered by file name. Raise UnusableCheck if a file is not a valid check."""
    paths = sorted(folder.glob("*.toml"))
    if not paths:
        raise UnusableCheck(path=folder, reason="the folder has no TOML file")
    return [_read_check(path) for path in paths]


def _read_check(path: Path) -> Check:
    try:
        return _parse_check(path.stem, tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise UnusableCheck(path=path, reason=error) from error


def _parse_check(name: str, content: Mapping[str, Any]) -> Check:
    kind = content.get("kind")
    read_cases = _CASE_READERS.get(str(kind))
    if read_cases is None:
        raise ValueError(f"kind is {kind!r}, not one of {', '.join(_CASE_READERS)}")
    extra = {"tolerance": float} if read_cases is _read_directions else {}
    content = {"known_hard": False, "words": {}, **content}
    _require(
        content, "the file", {"title": str, "kind": str, "known_hard": bool, "words": dict, "cases": list, **extra}
    )
    words = content["words"]
    for key, values in words.items():
        _require_texts(values, f"words.{key}", at_least=1)
    cases = tuple(_parse_cases(content, read_cases))
    if unused := words.keys() - {name for row in content["cases"] for name in _placeholders(row["texts"])}:
        raise ValueError(f"no text uses these words: {', '.join(sorted(unused))}")
    if not cases or len(set(cases)) < len(cases):
        raise ValueError("the same case occurs twice" if cases else "there are no cases")
    return Check(name, content["title"], str(kind), content["known_hard"], cases)


def _parse_cases(
    content: Mapping[str, Any], read_cases: Callable[[Any, Mapping[str, Any]], Iterator[Case]]
) -> Iterator[Case]:
    for number, row in enumerate(content["cases"], start=1):
        try:
            yield from read_cases(row, content)
        except ValueError as error:
            raise ValueError(f"entry {number} of cases: {error}") from error


def _read_minimums(row: Any, content: Mapping[str, Any]) -> Iterator[Case]:
    _require(row, "the case", {"label": str, "texts": list})
    _require_texts(row["texts"], "texts", at_least=1)
    if row["label"] not in LABELS:
        raise ValueError(f"{row['label']!r} is not a label; use {' or '.join(LABELS)}")
    for template in row["texts"]:
        for (text,) in _expand([template], content["words"]):
            yield Minimum((text,), row["label"])


def _read_invariances(row: Any, content: Mapping[str, Any]) -> Iterator[Case]:
    swap = row.get("swap") if isinstance(row, dict) else None
    _require(row, "the case", {"texts": list} | ({} if swap is None else {"swap": str}))
    _require_texts(row["texts"], "texts", at_least=2 if swap is None else 1)
    yield from map(Invariance, _expand(row["texts"], content["words"], swap))


def _read_directions(row: Any, content: Mapping[str, Any]) -> Iterator[Case]:
    _require(row, "the case", {"goes": str, "texts": list})
    _require_texts(row["texts"], "texts", at_least=2)
    if row["goes"] not in SIGNS:
        raise ValueError(f"goes is {row['goes']!r}, not {' or '.join(SIGNS)}")
    if not 0 <= content["tolerance"] < 1:
        raise ValueError(f"the tolerance is {content['tolerance']}, which must be at least 0 and less than 1")
    for texts in _expand(row["texts"], content["words"]):
        yield Direction(texts, row["goes"], content["tolerance"])


_CASE_READERS = {"minimum": _read_minimums, "invariance": _read_invariances, "direction": _read_directions}


def _expand(
    templates: Sequence[str], words: Mapping[str, Sequence[str]], swap: str | None = None
) -> Iterator[tuple[str, ...]]:
    """Yield one tuple of texts for each combination of words for the placeholders in ``templates``.

    The ``swap`` placeholder varies within a tuple instead: each tuple contains one text for each of its words.
    """
    names = _placeholders(templates)
    if unknown := (names | ({swap} if swap else set())) - (words.keys() & names):
        raise ValueError(f"these names must occur both in a text and in words: {', '.join(sorted(map(repr, unknown)))}")
    free = sorted(names - {swap})
    swapped = [{swap: word} for word in words[swap]] if swap else [{}]
    for chosen in product(*(words[name] for name in free)):
        fixed = dict(zip(free, chosen, strict=True))
        texts = tuple(template.format(**fixed, **other) for template in templates for other in swapped)
        if len(set(texts)) < len(texts):
            raise ValueError(f"a text occurs twice in the case that begins with {texts[0]!r}")
        yield texts


def _placeholders(templates: Sequence[str]) -> set[str]:
    """Return the names in braces in ``templates``."""
    return {name for text in templates for _, name, _, _ in Formatter().parse(text) if name is not None}


def _require(table: Any, where: str, kinds: Mapping[str, type]) -> None:
    """Raise ValueError unless ``table`` has exactly the keys in ``kinds``, with values of those types."""
    if not isinstance(table, dict):
        raise ValueError(f"{where} is not a table")
    if missing := kinds.keys() - table.keys():
        raise ValueError(f"{where} is missing {', '.join(sorted(missing))}")
    if unknown := table.keys() - kinds.keys():
        raise ValueError(f"{where} has {', '.join(sorted(unknown))}, which is not a known key")
    for key, kind in kinds.items():
        if type(table[key]) is not kind:
            raise ValueError(f"{key} must be of type {kind.__name__}")


def _require_texts(values: Any, where: str, *, at_least: int) -> None:
    """Raise ValueError unless ``values`` is a list of at least ``at_least`` strings."""
    if not isinstance(values, list) or len(values) < at_least or not all(isinstance(value, str) for value in values):
        raise ValueError(f"{where} is not a list of {at_least} or more strings")
