"""An error says its sentence wherever it arrives."""

import pickle
from pathlib import Path

from core.errors import MissingFile


def test_an_error_of_another_process_arrives_as_it_was_raised() -> None:
    raised = MissingFile(path=Path("reviews.csv"))
    arrived = pickle.loads(pickle.dumps(raised))
    assert type(arrived) is MissingFile
    assert str(arrived) == str(raised) == "There is no file or folder at reviews.csv; check the path."
