from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import BadSetting
from core.settings import Settings, read_settings


@pytest.fixture
def no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a home folder without .env and an environment without settings."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("THUMBS_HOME", str(tmp_path))


@pytest.fixture
def error_for(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    """Return a function that returns the error for a setting with an invalid value."""

    def error_for(name: str, value: str) -> str:
        monkeypatch.setenv(name, value)
        with pytest.raises(BadSetting) as caught:
            read_settings()
        assert caught.value.exit_code == 2
        message = str(caught.value)
        assert message.startswith(f"The setting {name} cannot be used: ")
        assert "\n" not in message
        return message

    return error_for
