"""docs/settings.md and .env.example match the settings."""

from pathlib import Path

import pytest
from paths import ROOT

from cli.settings_page import env_example, settings_table
from core.paths import HOME_VARIABLE
from core.settings import Settings


def test_the_page_is_current() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert page == settings_table(), "Run: .venv-dev/bin/thumbs settings > docs/settings.md"


def test_the_example_is_current() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert example == env_example(), "Run: .venv-dev/bin/thumbs settings --example > .env.example"


def test_every_setting_has_a_description() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert "|" not in field.description, f"{name} would break the table"


def test_the_uncommented_example_gives_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    lines = [line.removeprefix("# ") for line in env_example().splitlines()]
    set_lines = [line for line in lines if "=" in line and not line.endswith("=")]
    (tmp_path / ".env").write_text("\n".join(set_lines), encoding="utf-8")
    monkeypatch.delenv(HOME_VARIABLE, raising=False)
    assert Settings(_env_file=tmp_path / ".env") == Settings(_env_file=None)
    assert len(set_lines) == sum(field.default not in (None, ()) for field in Settings.model_fields.values())
