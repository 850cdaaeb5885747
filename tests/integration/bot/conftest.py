"""Fixtures for the bot's dialogs on real databases."""

from pathlib import Path

import pytest

from storage.privacy.deletions import FILE_NAME, DeletionList


@pytest.fixture
def deletions(tmp_path: Path) -> DeletionList:
    """A new list of deletions, without entries."""
    return DeletionList(tmp_path / FILE_NAME)
