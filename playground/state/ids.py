"""Numbers that never come twice, also after a restart: a bot takes a repeated one for a duplicate."""

from pathlib import Path

from playground.state.json_file import read_object, write_object

UPDATE = "update"
CALLBACK = "callback"
FILE = "file"


def message_counter(chat_id: int) -> str:
    """The name of the counter of one chat's message ids."""
    return f"message {chat_id}"


class Counters:
    """Named counters in one JSON file, which is written before a number is handed out."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._last: dict[str, int] = {name: int(number) for name, number in read_object(path).items()}

    def next(self, name: str) -> int:
        """The next number of the counter ``name``; the first is 1."""
        number = self._last.get(name, 0) + 1
        self._last[name] = number
        write_object(self._path, dict(self._last))
        return number

    def started(self, name: str) -> bool:
        """Whether the counter ``name`` has given a number, in this run or an earlier one."""
        return name in self._last
