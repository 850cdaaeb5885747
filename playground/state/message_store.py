"""The messages of all chats in an SQLite file, so that they survive a restart."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from playground.errors import UnusablePlaygroundFile
from playground.state.message import Message

_MESSAGE: Final = TypeAdapter(Message)
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS messages (chat_id INTEGER, message_id INTEGER, body TEXT, PRIMARY KEY (chat_id, message_id))
"""
# The content survives the death of the process, but not a power cut. Deleted texts are overwritten.
_PRAGMAS: Final = ("synchronous = OFF", "secure_delete = ON")


class MessageStore:
    """The stored messages. Every method raises UnusablePlaygroundFile if the file cannot be used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._errors_named():
            self._connection = sqlite3.connect(path, isolation_level=None)
            for pragma in _PRAGMAS:
                self._connection.execute(f"PRAGMA {pragma}")
            self._connection.execute(_SCHEMA)

    def load(self) -> list[tuple[int, Message]]:
        """Return each message with the id of its chat, ordered by message id within each chat."""
        with self._errors_named():
            query = "SELECT chat_id, body FROM messages ORDER BY chat_id, message_id"
            with closing(self._connection.execute(query)) as rows:
                messages = [(chat_id, _MESSAGE.validate_json(body)) for chat_id, body in rows]
        return messages

    def put(self, chat_id: int, message: Message) -> None:
        """Store a new or edited message, with the message that it replies to, but no earlier ones."""
        replied_to = None if message.reply_to is None else replace(message.reply_to, reply_to=None)
        body = _MESSAGE.dump_json(replace(message, reply_to=replied_to)).decode()
        self._write("INSERT OR REPLACE INTO messages VALUES (?, ?, ?)", chat_id, message.message_id, body)

    def remove(self, chat_id: int, message_id: int) -> None:
        """Delete a message."""
        self._write("DELETE FROM messages WHERE chat_id = ? AND message_id = ?", chat_id, message_id)

    def clear(self) -> None:
        """Delete all messages."""
        self._write("DELETE FROM messages")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _write(self, statement: str, *values: int | str) -> None:
        with self._errors_named():
            self._connection.execute(statement, values)

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise UnusablePlaygroundFile(path=self._path, reason=error) from error
        except ValidationError as error:
            reason = f"a message has an invalid value: {error.errors()[0]['msg']}"
            raise UnusablePlaygroundFile(path=self._path, reason=reason) from error
