"""Messages in a folder, whole or not at all, for one machine without Redis: kombu's transport, made safe.

Kombu writes a message, and its table of queues, where others look for them, so another process may find them half
written, and one that was killed while it wrote leaves half a message, or a table that no process gets past, for good.
Here a message gets its name when it is whole, what cannot be read is dropped, as it only ever said that there is a row,
and each process declares the queues that it uses to itself.
"""

import json
import logging
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any, Final

from kombu.transport import filesystem, virtual

logger = logging.getLogger(__name__)

_UNFINISHED: Final = ".unfinished"


class Channel(filesystem.Channel):
    """One connection's messages; the folder is kombu's option ``data_folder_in``."""

    def _put(self, queue: str, payload: dict[str, Any], **_: Any) -> None:  # noqa: ANN401 - what kombu passes on
        """Leave a message for ``queue``, whole or not at all."""
        folder = Path(self.data_folder_out)
        name = f"{time.time_ns():020}_{uuid.uuid4()}.{queue}.msg"
        unfinished = folder / f"{name}{_UNFINISHED}"
        unfinished.write_text(json.dumps(payload), encoding="utf-8")
        unfinished.rename(folder / name)

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
    """Kombu's transport with these channels."""

    Channel = Channel
