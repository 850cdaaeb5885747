"""Every error of the tree has a message whose facts can be filled in, and the tree is drawn as it is."""

import importlib
import inspect
import string
import subprocess
import sys
from collections.abc import Iterator

import pytest
from paths import ROOT

from core import errors
from core.errors import BadInput, ThumbsError

ROOMS = sorted(path.parent.name for path in ROOT.glob("*/errors.py"))
CLASSES = [
    found
    for room in ROOMS
    for _, found in inspect.getmembers(importlib.import_module(f"{room}.errors"), inspect.isclass)
    if issubclass(found, ThumbsError) and found.__module__ == f"{room}.errors"
]


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_an_error_is_a_sentence_with_named_facts(error: type[ThumbsError]) -> None:
    assert "message" in error.__dict__, "each error has a message of its own"
    names = [name for _, name, _, _ in string.Formatter().parse(error.message) if name is not None]
    assert all(name.isidentifier() for name in names), names
    assert error.message[0].isupper() or error.message.startswith("{")
    assert error.message == " ".join(error.message.split()), "one line, without stray spaces"
    filled = str(error(**dict.fromkeys(names, "<fact>")))
    assert filled.count("<fact>") == len(names)
    assert "{" not in filled


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_an_error_has_a_status_that_a_shell_understands(error: type[ThumbsError]) -> None:
    assert error.exit_code in (1, 2, 130)  # 130: stopped by Ctrl-C
    assert (error.exit_code == 2) == issubclass(error, BadInput)


def test_the_tree_is_drawn_as_it_is() -> None:
    drawn = (errors.__doc__ or "").partition("::\n\n")[2].rstrip("\n")
    assert drawn == "\n".join(f"    {line}" for line in branch(ThumbsError, 0))


def test_a_message_survives_without_docstrings() -> None:
    program = "from core.errors import MissingFile; print(MissingFile(path='reviews.csv'))"
    command = [sys.executable, "-OO", "-c", program]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "There is no file or folder at reviews.csv. Check the path."


def branch(error: type[ThumbsError], depth: int) -> Iterator[str]:
    """One line for the class and one for each below it: those of core first, then room by room as they are defined."""
    room = error.__module__.partition(".")[0]
    yield "    " * depth + error.__name__ + ("" if room == "core" else f"  ({room})")
    children = [found for found in CLASSES if error in found.__bases__]

    def place(found: type[ThumbsError]) -> tuple[bool, str, int]:
        module = found.__module__
        return module != "core.errors", module, inspect.getsourcelines(found)[1]

    for child in sorted(children, key=place):
        yield from branch(child, depth + 1)
