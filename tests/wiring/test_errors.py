"""Every error has a message with named values, and the tree in core.errors is complete."""

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
def test_an_error_message_is_one_line_with_named_facts(error: type[ThumbsError]) -> None:
    assert "message" in error.__dict__, "an error inherits its message"
    names = [name for _, name, _, _ in string.Formatter().parse(error.message) if name is not None]
    assert all(name.isidentifier() for name in names), names
    assert error.message[0].isupper() or error.message.startswith("{")
    assert error.message == " ".join(error.message.split()), "one line, without stray spaces"
    filled = str(error(**dict.fromkeys(names, "<fact>")))
    assert filled.count("<fact>") == len(names)
    assert "{" not in filled


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_an_error_has_a_valid_exit_status(error: type[ThumbsError]) -> None:
    assert error.exit_code in (1, 2, 130)  # 130: interrupted by Ctrl-C
    assert (error.exit_code == 2) == issubclass(error, BadInput)


def test_the_drawn_tree_matches_the_classes() -> None:
    drawn = (errors.__doc__ or "").partition("::\n\n")[2].rstrip("\n")
    assert drawn == "\n".join(f"    {line}" for line in draw(ThumbsError, 0))


def test_a_message_does_not_depend_on_docstrings() -> None:
    program = "from core.errors import MissingFile; print(MissingFile(path='reviews.csv'))"
    command = [sys.executable, "-OO", "-c", program]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "There is no file or folder at reviews.csv. Check the path."


def draw(error: type[ThumbsError], depth: int) -> Iterator[str]:
    """Yield a line for the class and each subclass: first those in core, then room by room, in order of definition."""
    room = error.__module__.partition(".")[0]
    yield "    " * depth + error.__name__ + ("" if room == "core" else f"  ({room})")
    children = [found for found in CLASSES if error in found.__bases__]

    def place(found: type[ThumbsError]) -> tuple[bool, str, int]:
        module = found.__module__
        return module != "core.errors", module, inspect.getsourcelines(found)[1]

    for child in sorted(children, key=place):
        yield from draw(child, depth + 1)
