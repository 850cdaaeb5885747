"""Ids that never repeat, even after a restart: a bot ignores a repeated update id as a duplicate."""

from pathlib import Path

from playground.state.json_file import read_object, write_object

UPDATE = "update"
CALLBACK = "callback"
FILE = "file"


def message_counter(chat_id: int) -> str:
    """Return the name of the counter for one chat's message ids."""
    return f"message {chat_id}"


class Counters:
    """Named counters in one JSON file, which is written before a number is returned."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values: dict[str, int] = {name: int(number) for name, number in read_object(path).items()}

    def next(self, name: str) -> int:
        """Return the next number of the counter ``name``, starting at 1."""
        number = self._values.get(name, 0) + 1
        self._values[name] = number
        write_object(self._path, dict(self._values))
        return number

    def started(self, name: str) -> bool:
        """Return whether the counter ``name`` has returned a number, in this run or an earlier one."""
        return name in self._values
