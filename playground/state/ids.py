"""Generates ids that are never reused, even after a restart, because a bot ignores update ids that it has seen."""

from pathlib import Path

from playground.state.json_file import read_object, write_object

UPDATE = "update"
CALLBACK = "callback"
FILE = "file"


def message_counter(chat_id: int) -> str:
    """Return the name of the counter for a chat's message ids."""
    return f"message {chat_id}"


class Counters:
    """Named counters, stored in a JSON file that is written before a number is returned."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values: dict[str, int] = {name: int(number) for name, number in read_object(path).items()}

    def next(self, name: str) -> int:
        """Return the next number from the counter ``name``, starting at 1."""
        number = self._values.get(name, 0) + 1
        self._values[name] = number
        write_object(self._path, dict(self._values))
        return number

    def started(self, name: str) -> bool:
        """Return whether the counter ``name`` has returned a number, in this or an earlier run."""
        return name in self._values
