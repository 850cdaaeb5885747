"""Resolves the paths in settings. Relative paths are resolved against the home folder, wherever a command runs."""

import os
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator

from core.errors import BadSetting

# The project's folder, which is the home folder unless HOME_VARIABLE names a different one.
PROJECT: Final = Path(__file__).resolve().parent.parent
HOME_VARIABLE: Final = "THUMBS_HOME"
STARTER: Final = PROJECT / "models" / "starter"
_SQLITE: Final = "sqlite:///"


def home_folder() -> Path:
    """Return the absolute path of the home folder, which contains ``.env`` and is the base of relative paths."""
    try:
        return _expanded(Path(os.environ.get(HOME_VARIABLE, "").strip() or PROJECT)).absolute()
    except ValueError as error:
        raise BadSetting(name=HOME_VARIABLE, reason=str(error)) from error


def _in_home(path: Path) -> Path:
    """Return the absolute path of a file or folder that a setting names."""
    return home_folder() / _expanded(path)


def _expanded(path: Path) -> Path:
    """Expand a leading ~ in ``path`` to the user's home folder, because no shell does so in ``.env``."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise ValueError(f"{path} names an unknown user") from error


def _absolute_if_exists(value: str) -> str:
    """Make the path of an existing file or folder absolute, and return any other name unchanged."""
    path = _in_home(Path(value))
    try:
        return str(path) if path.exists() else value
    except OSError as error:
        raise ValueError(f"{value} cannot be read ({error.strerror})") from error


def _absolute_if_toml(value: str) -> str:
    """Make the path of a .toml file absolute, and return the name of a recipe unchanged."""
    return str(_in_home(Path(value))) if value.endswith(".toml") else value


def _absolute_unless_url(value: str) -> str:
    """Make the path of a folder absolute, and return a URL unchanged."""
    return value if "://" in value else str(_in_home(Path(value)))


def _absolute_sqlite(address: str) -> str:
    """Make the path in a SQLite file's address absolute, and return any other address unchanged."""
    file = address.removeprefix(_SQLITE)
    is_relative = address.startswith(_SQLITE) and file and file[0] not in "/:"
    return _SQLITE + str(_in_home(Path(file))) if is_relative else address


FolderOrFile = Annotated[Path, AfterValidator(_in_home)]
FolderOrUrl = Annotated[str, AfterValidator(_absolute_unless_url)]
DatabaseUrl = Annotated[str, AfterValidator(_absolute_sqlite)]
PathOrName = Annotated[str, AfterValidator(_absolute_if_exists)]
RecipeName = Annotated[str, AfterValidator(_absolute_if_toml)]
