"""The settings as documents, made from the fields of ``core.settings.Settings``."""

from collections.abc import Iterator

from pydantic.fields import FieldInfo

from core.settings import Settings

_TABLE_HEAD = """\
# Settings

Every process reads them once, from the environment, then from `.env` in the working folder.
This page is made by `thumbs settings`, and `.env.example` by `thumbs settings --example`.

| name | default | meaning |
|---|---|---|
"""
_EXAMPLE_HEAD = """\
# Copy this file to .env and take the # off the lines that you change. Made by: thumbs settings --example
"""


def settings_table() -> str:
    """The page docs/settings.md: one row a setting."""
    rows = (f"| `{name}` | {f'`{default}`' if default else ''} | {text} |\n" for name, default, text in _settings())
    return _TABLE_HEAD + "".join(rows)


def env_example() -> str:
    """The file .env.example: every setting with its default, commented out."""
    return _EXAMPLE_HEAD + "".join(f"\n# {text}\n# {name}={default}\n" for name, default, text in _settings())


def _settings() -> Iterator[tuple[str, str, str]]:
    """Name in the environment, default as it would be written there, and description of each setting."""
    for name, field in Settings.model_fields.items():
        yield name.upper(), _default(field), field.description or ""


def _default(field: FieldInfo) -> str:
    return "" if field.default in (None, ()) else str(field.default)
