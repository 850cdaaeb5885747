"""Every error of the tree is a sentence whose facts can be filled in."""

import inspect
import string

import pytest

from config import errors
from config.errors import ThumbsError

CLASSES = [found for _, found in inspect.getmembers(errors, inspect.isclass) if issubclass(found, ThumbsError)]


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_an_error_is_a_sentence_with_named_facts(error: type[ThumbsError]) -> None:
    sentence = error.__dict__.get("__doc__")
    assert sentence, "the docstring is what a person reads"
    names = [name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None]
    assert all(name.isidentifier() for name in names), names
    assert sentence[0].isupper() or sentence.startswith("{")
    assert sentence == " ".join(sentence.split()), "one line, without stray spaces"
    filled = str(error(**dict.fromkeys(names, "fact")))
    assert filled.count("fact") == len(names)
    assert "{" not in filled


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_an_error_has_a_status_that_a_shell_understands(error: type[ThumbsError]) -> None:
    assert error.exit_code in (1, 2, 130)  # 130: stopped by Ctrl-C
    assert (error.exit_code == 2) == issubclass(error, errors.BadInput)
