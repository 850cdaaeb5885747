"""Errors keep their messages when they are sent to another process."""

import pickle
from pathlib import Path

from core.errors import MissingFile


def test_an_error_is_the_same_after_pickling() -> None:
    raised = MissingFile(path=Path("reviews.csv"))
    arrived = pickle.loads(pickle.dumps(raised))
    assert type(arrived) is MissingFile
    assert str(arrived) == str(raised) == "There is no file or folder at reviews.csv. Check the path."
