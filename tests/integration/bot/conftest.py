"""Fixtures for the bot's dialogs on real databases."""

from pathlib import Path

import pytest

from storage.privacy.deletions import FILE_NAME, DeletionList


@pytest.fixture
def deletions(tmp_path: Path) -> DeletionList:
    """An empty list of deletions."""
    return DeletionList(tmp_path / FILE_NAME)
