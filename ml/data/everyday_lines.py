"""Everyday lines and short opinions, which were written for this project to fit review heads."""

from functools import cache
from pathlib import Path
from typing import Final

_LINES: Final = Path(__file__).parent / "lines"


def everyday_lines() -> tuple[str, ...]:
    """Return the lines that are not reviews: small talk, questions, facts, feelings, notices and spam."""
    return _read("everyday")


def short_opinions() -> tuple[str, ...]:
    """Return short reviews of products, meals, films, books and services, as people write them in a chat."""
    return _read("opinions")


@cache
def _read(name: str) -> tuple[str, ...]:
    return tuple((_LINES / f"{name}.txt").read_text(encoding="utf-8").splitlines())
