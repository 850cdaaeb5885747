"""A file of judged texts, read strictly: everything that is wrong with it is told at once, row by row."""

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


def read_votes(path: Path, one_word: bool, on_progress: OnProgress = lambda rows: None) -> list[ImportedVote]:
    """What the rows say; with ``one_word``, everybody has to say the same of a text, else each person once.

    Raises MissingFile, UnreadableTable, EmptyTable, MissingColumn, and BadCorrections, which names the bad rows.
    """
    said: list[ImportedVote] = []
    problems: list[str] = []
    first_rows: dict[tuple[str, str], tuple[int, str | None]] = {}
    for number, (text, word, person) in enumerate(_rows(path, on_progress), start=1):
        problem = _problem(text, word, person)
        label = _label(word)
        if problem is None:
            first, other = first_rows.setdefault((text, "" if one_word else person), (number, label))
            if other != label:
                problem = f"it calls the text of row {first} something else"
        if problem is None:
            said.append(ImportedVote(person, text, label))
        else:
            problems.append(f"Row {number}: {problem}.")
    if problems:
        raise BadCorrections(path=path, problems=_format_problems(problems))
    return list(dict.fromkeys(said))


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
    """What is wrong with a row by itself, as the rest of a sentence."""
    if classify_content(text) is not Content.WORDS:
        return "its text has no words"
    if foreign := foreign_language(text):
        return f"its text is in {foreign.name}, and the model reads English"
    if label_index(word) is None and word.strip().lower() != NEITHER:
        return f"{word!r} is no label; use positive, negative or {NEITHER}"
    return None if person else "it names no person"


def _format_problems(problems: list[str]) -> str:
    more = len(problems) - _MAX_PROBLEMS
    return "\n".join(["", *problems[:_MAX_PROBLEMS], *([f"There are {more} more."] if more > 0 else [])])
