"""Reads a file of labelled texts strictly, and reports all its invalid rows at once."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from cli.csv_verdicts import open_binary
from cli.errors import BadCorrections
from ml.data.csv_rows import csv_rows, unescape_formula
from ml.data.reviews import find_column
from ml.text.labels import LABELS, label_index
from ml.text.language import foreign_language
from ml.text.plain_text import Content, classify_content
from storage.feedback.bulk_import import ImportedVote

COLUMNS: Final = ("text", "label", "person")
NEITHER: Final = "neither"
_CHUNK_ROWS: Final = 1_000
_MAX_PROBLEMS: Final = 20

OnProgress = Callable[[int], None]


def read_votes(path: Path, unanimous: bool, on_progress: OnProgress = lambda rows: None) -> list[ImportedVote]:
    """Return the votes in the file, without duplicates.

    A person may not give one text two labels; with ``unanimous``, no two people may. Raises MissingFile,
    UnreadableTable, EmptyTable, MissingColumn, and BadCorrections, which lists the invalid rows.
    """
    votes: list[ImportedVote] = []
    problems: list[str] = []
    first_rows: dict[tuple[str, str], tuple[int, str | None]] = {}
    for number, (text, word, person) in enumerate(_rows(path, on_progress), start=1):
        problem = _problem(text, word, person)
        label = _label(word)
        if problem is None:
            first, other = first_rows.setdefault((text, "" if unanimous else person), (number, label))
            if other != label:
                problem = f"the text has another label in row {first}"
        if problem is None:
            votes.append(ImportedVote(person, text, label))
        else:
            problems.append(f"Row {number}: {problem}.")
    if problems:
        raise BadCorrections(path=path, problems=_format_problems(problems))
    return list(dict.fromkeys(votes))


def _rows(path: Path, on_progress: OnProgress) -> Iterator[tuple[str, str, str]]:
    done = 0
    with open_binary(path) as file:
        for chunk in csv_rows(path, file, _CHUNK_ROWS):
            names = [find_column(path, list(chunk.columns), (column,)) for column in COLUMNS]
            for text, label, person in chunk[names].itertuples(index=False, name=None):
                yield unescape_formula(text), label, person.strip()
            done += len(chunk)
            on_progress(done)


def _label(word: str) -> str | None:
    index = label_index(word)
    return None if index is None else LABELS[index]


def _problem(text: str, word: str, person: str) -> str | None:
    """Return what is wrong with a row, whatever the others say, or None."""
    if classify_content(text) is not Content.WORDS:
        return "the text has no words"
    if foreign := foreign_language(text):
        return f"the text is in {foreign.name}, and the model reads only English"
    if label_index(word) is None and word.strip().lower() != NEITHER:
        return f"{word!r} is not a label; use positive, negative or {NEITHER}"
    return None if person else "the person is missing"


def _format_problems(problems: list[str]) -> str:
    more = len(problems) - _MAX_PROBLEMS
    return "\n".join(["", *problems[:_MAX_PROBLEMS], *([f"{more:,} more rows cannot be used."] if more > 0 else [])])
