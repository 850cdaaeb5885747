"""Small JSON files that survive a restart: written beside and renamed, so a reader never sees half a file."""

import json
from pathlib import Path

from core.files import replaced
from playground.errors import UnusablePlaygroundFile
from playground.wire import JsonObject, encode


def read_object(path: Path) -> JsonObject:
    """The object in ``path``, empty when there is no such file; raises UnusablePlaygroundFile."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UnusablePlaygroundFile(path=path, reason=error) from error
    if not isinstance(value, dict):
        raise UnusablePlaygroundFile(path=path, reason="it holds no JSON object")
    return value


def write_object(path: Path, value: JsonObject) -> None:
    """Replace ``path`` by ``value``."""
    replace_text(path, encode(value))


def read_lines(path: Path) -> list[JsonObject]:
    """One object a line; none when there is no such file; raises UnusablePlaygroundFile."""
    try:
        # Not splitlines, which also cuts at characters that JSON leaves in a text.
        return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise UnusablePlaygroundFile(path=path, reason=error) from error


def append_line(path: Path, value: JsonObject) -> None:
    """Add one object to the end of ``path``."""
    with path.open("a", encoding="utf-8") as file:
        file.write(encode(value) + "\n")


def write_lines(path: Path, values: list[JsonObject]) -> None:
    """Replace ``path`` by these objects."""
    replace_text(path, "".join(encode(value) + "\n" for value in values))


def replace_text(path: Path, text: str) -> None:
    """Replace ``path`` atomically; the content survives the process's death, not a power cut."""
    with replaced(path) as part:
        part.write_text(text, encoding="utf-8")
