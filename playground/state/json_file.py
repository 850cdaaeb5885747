"""Reads and writes small JSON files that survive a restart."""

import json
from pathlib import Path

from core.files import replaced
from playground.errors import UnusablePlaygroundFile
from playground.wire import JsonObject, encode


def read_object(path: Path) -> JsonObject:
    """Return the object in ``path``, or an empty object if the file does not exist.

    Raise UnusablePlaygroundFile if the file cannot be read.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UnusablePlaygroundFile(path=path, reason=error) from error
    if not isinstance(value, dict):
        raise UnusablePlaygroundFile(path=path, reason="it does not contain a JSON object")
    return value


def write_object(path: Path, value: JsonObject) -> None:
    """Replace the contents of ``path`` with ``value``."""
    replace_text(path, encode(value))


def read_lines(path: Path) -> list[JsonObject]:
    """Return the objects in ``path``, one per line, or an empty list if the file does not exist.

    Raise UnusablePlaygroundFile if the file cannot be read.
    """
    try:
        # splitlines would also split at characters that JSON leaves unescaped in strings.
        return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise UnusablePlaygroundFile(path=path, reason=error) from error


def append_line(path: Path, value: JsonObject) -> None:
    """Append one object to ``path``."""
    with path.open("a", encoding="utf-8") as file:
        file.write(encode(value) + "\n")


def write_lines(path: Path, values: list[JsonObject]) -> None:
    """Replace the contents of ``path`` with these objects."""
    replace_text(path, "".join(encode(value) + "\n" for value in values))


def replace_text(path: Path, text: str) -> None:
    """Replace ``path`` atomically. The content survives a crash of the process, but not a power cut."""
    with replaced(path) as part:
        part.write_text(text, encoding="utf-8")
