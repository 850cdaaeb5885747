"""Reads a file of labelled texts and reports all invalid rows at once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cli.csv_verdicts import open_binary
from cli.errors import BadCorrections
from ml.data.csv_format import EXPORT_COLUMNS, REASON_COLUMN
from ml.data.reviews import find_column, text_column, word_column
from ml.data.table_reader import table_rows
from ml.text.crisis import asks_for_help
from ml.text.fingerprints import fingerprint
from ml.text.labels import LABELS, label_index
from ml.text.language import foreign_language
from ml.text.plain_text import Content, classify_content
from storage.db.states import Reason
from storage.feedback.bulk_import import ImportedVote
from storage.feedback.file_people import AUTHOR_PREFIX, is_exported_name, name_key

COLUMNS: Final = ("text", "label", "person")
NEITHER: Final = "neither"
_CHUNK_ROWS: Final = 1_000
_MAX_PROBLEMS: Final = 20

OnProgress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class _FileRow:
    """A row of the file.

    ``exported`` is true if the row comes from an export. ``agreed`` is true if the label is the result of an agreement.
    ``reason`` is read only from exports, because in other files a column of that name could mean anything.
    """

    text: str
    word: str
    person: str
    exported: bool
    agreed: bool
    reason: str


def read_votes(path: Path, unanimous: bool, on_progress: OnProgress = lambda rows: None) -> list[ImportedVote]:
    """Return the votes in the file without duplicates. Each person's name is spelled as in their first row.

    A person can't give a text two different labels. If ``unanimous`` is true, all people must give a text the same
    label. Texts are compared by ``fingerprint``. Texts from an export are compared exactly, because an export may list
    several spellings of a text, each with its own votes. Raise MissingFile, UnreadableTable, EmptyTable, MissingColumn,
    or BadCorrections, which lists the invalid rows.
    """
    votes: list[ImportedVote] = []
    problems: list[str] = []
    first_rows: dict[tuple[str, str], tuple[int, str | None]] = {}
    names: dict[str, str] = {}
    for number, row in enumerate(_rows(path, on_progress), start=1):
        problem = _problem(row, unanimous)
        label = _label(row.word)
        person = names.setdefault(name_key(row.person), row.person)
        if problem is None:
            text = row.text if row.exported else fingerprint(row.text)
            first, other = first_rows.setdefault((text, "" if unanimous else person), (number, label))
            if other != label:
                problem = f"the text has a different label in row {first}"
        if problem is None:
            votes.append(ImportedVote(person, row.text, label, Reason(row.reason) if row.reason else None))
        else:
            problems.append(f"Row {number}: {problem}.")
    if problems:
        raise BadCorrections(path=path, problems=_format_problems(problems))
    return list(dict.fromkeys(votes))


def _rows(path: Path, on_progress: OnProgress) -> Iterator[_FileRow]:
    done = 0
    with open_binary(path) as file:
        for chunk in table_rows(path, file, _CHUNK_ROWS):
            names = [find_column(path, list(chunk.columns), (column,)) for column in COLUMNS]
            exported = set(EXPORT_COLUMNS) <= set(chunk.columns)
            columns = (text_column(path, chunk, names[0]), *(word_column(chunk[name]) for name in names[1:]))
            explained = exported and REASON_COLUMN in chunk.columns
            reasons = word_column(chunk[REASON_COLUMN]) if explained else [""] * len(chunk)
            for text, word, name, reason in zip(*columns, reasons, strict=True):
                person = name.strip()
                own = person.removeprefix(AUTHOR_PREFIX)
                agreed = own != person and is_exported_name(own)
                yield _FileRow(text, word, own if agreed else person, exported, agreed, reason)
            done += len(chunk)
            on_progress(done)


def _label(word: str) -> str | None:
    index = label_index(word)
    return None if index is None else LABELS[index]


def _problem(row: _FileRow, unanimous: bool) -> str | None:
    """Return what is wrong with a row, regardless of other rows, or None if it is valid."""
    if classify_content(row.text) is not Content.WORDS:
        return "the text has no words"
    if foreign := foreign_language(row.text):
        return f"the text is in {foreign.name}, and the model reads only English"
    if asks_for_help(row.text):
        return "the text is a cry for help, which no model is trained on"
    if label_index(row.word) is None and row.word.strip().lower() != NEITHER:
        return f"{row.word!r} is not a label; use positive, negative or {NEITHER}"
    if row.reason and row.reason not in list(Reason):
        return f"{row.reason!r} is not a reason; use {', '.join(Reason)} or nothing"
    return _person_problem(row, unanimous)


def _person_problem(row: _FileRow, unanimous: bool) -> str | None:
    if not row.person:
        return "the person is missing"
    if row.exported and row.person.isdecimal():
        return "an export from an earlier version does not say who voted; export the votes again"
    if row.agreed and not unanimous:
        return "the label is the agreed label, not this person's vote; export without --usable or use --as-admin"
    return None


def _format_problems(problems: list[str]) -> str:
    more = len(problems) - _MAX_PROBLEMS
    return "\n".join(["", *problems[:_MAX_PROBLEMS], *([f"{more:,} more rows cannot be used."] if more > 0 else [])])
