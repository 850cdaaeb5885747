"""Settings for a bot that starts with the starter."""

from pathlib import Path

import pytest
from paths import STARTER

from core.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path / "var", model=STARTER)
