"""Kombu's filesystem transport with atomic writes, for one machine without Redis.

Kombu writes messages and its table of queues in place. Another process can read a half-written file. A process that is
killed while writing leaves a partial message, or a corrupt table that blocks every process for good. This transport
renames each message into place once it is complete, and each process keeps its own table of queues in memory.
Unreadable messages are dropped. Nothing is lost, because the request itself is a row in the database.

This transport also joins the worker's event loop, as the Redis transport does. Without an event loop, all of a worker's
processes read their tasks from one pipe under one lock, and a process that is killed while waiting keeps the lock, so
the other processes wait forever. With an event loop, each process has its own pipe.
"""

import json
import logging
import time
import uuid
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any, Final

from kombu.asynchronous.hub import Hub
from kombu.transport import filesystem, virtual

from core.files import replaced

logger = logging.getLogger(__name__)

# File name suffix for a message that a process is reading.
_CLAIMED: Final = ".claimed"


class Channel(filesystem.Channel):
    """A channel that stores its messages as files in the folder given by kombu's ``data_folder_in`` option."""

    def _put(self, queue: str, payload: dict[str, Any], **_: Any) -> None:  # noqa: ANN401 - what kombu passes on
        """Write a message for ``queue`` atomically."""
        folder = Path(self.data_folder_out)
        name = f"{time.time_ns():020}_{uuid.uuid4()}.{queue}.msg"
        with replaced(folder / name) as part:
            part.write_text(json.dumps(payload), encoding="utf-8")

    def _get(self, queue: str) -> dict[str, Any]:
        """Take the oldest message from ``queue``. Raise Empty if the queue is empty."""
        folder = Path(self.data_folder_in)
        for name in sorted(path.name for path in folder.iterdir()):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            # The process that renames the file owns the message. Any other process tries the next message.
            claimed = folder / f"{name}.{uuid.uuid4()}{_CLAIMED}"
            try:
                (folder / name).rename(claimed)
            except FileNotFoundError:
                continue
            try:
                payload: dict[str, Any] = json.loads(claimed.read_text(encoding="utf-8"))
            except ValueError:
                logger.warning("Dropped an unreadable message from the queue %s", queue)
                continue
            else:
                return payload
            finally:
                claimed.unlink()
        raise Empty

    def _queue_bind(self, *_: Any) -> None:  # noqa: ANN401 - what kombu passes on
        """Do nothing: there is no table of queues to write."""

    def get_table(self, exchange: str) -> list[Any]:
        """Return the queues that this process has declared for an exchange."""
        table: list[Any] = virtual.Channel.get_table(self, exchange)
        return table


class Transport(filesystem.Transport):
    """Kombu's transport with the channels above, polled by an event loop every ``polling_interval`` seconds."""

    Channel = Channel
    implements = filesystem.Transport.implements.extend(asynchronous=True)

    def register_with_event_loop(self, _: Any, loop: Hub) -> None:  # noqa: ANN401 - this transport, untyped
        """Poll for messages on the event loop. Celery removes the timer when the connection ends."""
        loop.call_repeatedly(self.polling_interval, self._deliver_all)

    def _deliver_all(self) -> None:
        """Deliver pending messages as long as the consumers accept more."""
        with suppress(Empty):
            while True:
                self.cycle.get(self._deliver)
