"""Messages in a folder, whole or not at all, for one machine without Redis: kombu's transport, made safe.

Kombu writes a message, and its table of queues, where others look for them, so another process may find them half
written, and one that was killed while it wrote leaves half a message, or a table that no process gets past, for good.
Here a message gets its name when it is whole, what cannot be read is dropped, as it only ever said that there is a row,
and each process declares the queues that it uses to itself.

It also joins a worker's event loop, as the transport of Redis does. Without one, a worker's processes read their tasks
from one pipe under one lock, which a process that is killed while it waits for a task keeps, so that the others wait
for ever; with one, each has a pipe of its own.
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

_UNFINISHED: Final = ".unfinished"


class Channel(filesystem.Channel):
    """One connection's messages; the folder is kombu's option ``data_folder_in``."""

    def _put(self, queue: str, payload: dict[str, Any], **_: Any) -> None:  # noqa: ANN401 - what kombu passes on
        """Leave a message for ``queue``, whole or not at all."""
        folder = Path(self.data_folder_out)
        name = f"{time.time_ns():020}_{uuid.uuid4()}.{queue}.msg"
        with replaced(folder / name) as part:
            part.write_text(json.dumps(payload), encoding="utf-8")

    def _get(self, queue: str) -> dict[str, Any]:
        """Take the oldest message of ``queue``; raises Empty when there is none."""
        folder = Path(self.data_folder_in)
        for name in sorted(path.name for path in folder.iterdir()):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            # Whoever renames it has it; another that found it too goes on to the next.
            taken = folder / f"{name}.{uuid.uuid4()}{_UNFINISHED}"
            try:
                (folder / name).rename(taken)
            except FileNotFoundError:
                continue
            try:
                payload: dict[str, Any] = json.loads(taken.read_text(encoding="utf-8"))
            except ValueError:
                logger.warning("Dropped a message of the queue %s that cannot be read", queue)
                continue
            else:
                return payload
            finally:
                taken.unlink()
        raise Empty

    def _queue_bind(self, *_: Any) -> None:  # noqa: ANN401 - what kombu passes on
        """Write no table of queues."""

    def get_table(self, exchange: str) -> list[Any]:
        """The queues of an exchange that this process declared."""
        table: list[Any] = virtual.Channel.get_table(self, exchange)
        return table


class Transport(filesystem.Transport):
    """Kombu's transport with these channels, looked through once in each ``polling_interval`` of an event loop."""

    Channel = Channel
    implements = filesystem.Transport.implements.extend(asynchronous=True)

    def register_with_event_loop(self, _: Any, loop: Hub) -> None:  # noqa: ANN401 - this transport, untyped
        """Deliver from now on what comes; Celery takes it off the loop when the connection ends."""
        loop.call_repeatedly(self.polling_interval, self._deliver_all)

    def _deliver_all(self) -> None:
        """Deliver what lies there, as far as the consumers take more."""
        with suppress(Empty):
            while True:
                self.cycle.get(self._deliver)
