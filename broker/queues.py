"""Queues and tasks by name, and the producer that nudges a worker.

A request is a row in the database; a message only says that there is one, and is sent again when it is lost. So a
broker that is away costs time, never a request.
"""

import logging
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from celery import Celery
from kombu.exceptions import OperationalError
from kombu.transport import TRANSPORT_ALIASES

from broker.errors import BrokerUnusable
from core.errors import BadSetting
from core.settings import Settings

logger = logging.getLogger(__name__)

FINE_TUNING: Final = "fine-tuning"
HOUSEKEEPING: Final = "housekeeping"
QUEUES: Final = (FINE_TUNING, HOUSEKEEPING)

CARRY_OUT: Final = "thumbs.carry_out"
SWEEP: Final = "thumbs.sweep"
START_DUE: Final = "thumbs.start_due"
PRUNE: Final = "thumbs.prune"
# Which queue each task goes to.
ROUTES: Final = {CARRY_OUT: FINE_TUNING, SWEEP: HOUSEKEEPING, START_DUE: HOUSEKEEPING, PRUNE: HOUSEKEEPING}

# Seconds after which a run is ended from outside; the broker must not hand a message out again before.
HARD_LIMIT: Final = 12 * 60 * 60
SOFT_LIMIT: Final = HARD_LIMIT - 10 * 60
VISIBILITY_TIMEOUT: Final = HARD_LIMIT + 60 * 60
# Seconds after which a task that keeps house is ended: the next one does what it left.
HOUSEKEEPING_LIMIT: Final = 10 * 60
# Seconds that a broker has to answer in when it is told or asked something.
_TIMEOUT: Final = 5.0


def broker_settings(settings: Settings) -> dict[str, Any]:
    """Celery's settings of the broker: BROKER_URL, or a folder in DATA_DIR when it is not set.

    Raises BadSetting for an address that is neither Redis nor ``filesystem://``.
    """
    address = settings.broker_url.get_secret_value() if settings.broker_url else "filesystem://localhost"
    scheme = urlsplit(address).scheme
    if scheme in {"redis", "rediss"}:
        options: dict[str, Any] = {"visibility_timeout": VISIBILITY_TIMEOUT}
    elif scheme == "filesystem":
        TRANSPORT_ALIASES[scheme] = "broker.filesystem_transport:Transport"
        options = _folders(settings.data_dir.resolve() / "broker")
    else:
        raise BadSetting(name="BROKER_URL", reason="it is neither a redis:// address nor filesystem://")
    return {"broker_url": address, "broker_transport_options": options}


def producer(settings: Settings) -> Celery:
    """A Celery application that knows no task and can send every one."""
    app = Celery("thumbs", set_as_current=False)
    app.conf.update(
        broker_settings(settings),
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_routes={task: {"queue": queue} for task, queue in ROUTES.items()},
        broker_connection_retry_on_startup=True,
    )
    return app


def notify_worker(settings: Settings, run_id: int) -> None:
    """Tell a worker of a queued run. Where the broker is away that is logged, and the worker's sweep tells it later."""
    try:
        _cached_producer(settings).send_task(CARRY_OUT, [run_id], retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("The broker did not take word of run %d: %s", run_id, type(error).__name__)


def queue_length(settings: Settings) -> int:
    """How many messages about runs no worker has taken yet; raises kombu's OperationalError when the broker is away."""
    with _cached_producer(settings).connection_for_write() as connection:
        count: int = connection.default_channel.queue_declare(FINE_TUNING).message_count
        return count


def check_broker(settings: Settings) -> None:
    """Ask the broker for an answer, within seconds; raises BrokerUnusable when none comes."""
    with _cached_producer(settings).connection_for_write() as connection:
        try:
            connection.ensure_connection(max_retries=1, timeout=_TIMEOUT)
        except (OperationalError, OSError) as error:
            place = f"{connection.hostname}:{connection.port}"  # the whole address may hold a password
            raise BrokerUnusable(address=place, reason=str(error).rstrip(".")) from error


@cache
def _cached_producer(settings: Settings) -> Celery:
    app = producer(settings)
    # A server that takes the connection and says nothing must not hold anybody up. The workers' own connections wait
    # for messages, and are not bounded so.
    app.conf.broker_transport_options |= {"socket_timeout": _TIMEOUT, "socket_connect_timeout": _TIMEOUT}
    return app


def _folders(folder: Path) -> dict[str, Any]:
    messages, control, processed = (folder / name for name in ("messages", "control", "processed"))
    for place in (messages, control, processed):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        "data_folder_in": str(messages),
        "data_folder_out": str(messages),
        "control_folder": str(control),
        "processed_folder": str(processed),
        "store_processed": False,
    }
