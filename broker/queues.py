"""The names of queues and tasks, and the producer that notifies workers.

A request is a row in the database. A message only announces the request, and is sent again if it gets lost, so a broker
outage delays requests but never loses them.
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

EXECUTE_RUN: Final = "thumbs.carry_out"
SWEEP: Final = "thumbs.sweep"
START_DUE: Final = "thumbs.start_due"
PRUNE: Final = "thumbs.prune"
CHECK_TRIAL: Final = "thumbs.check_trial"
# The queue for each task.
ROUTES: Final = {
    EXECUTE_RUN: FINE_TUNING,
    SWEEP: HOUSEKEEPING,
    START_DUE: HOUSEKEEPING,
    PRUNE: HOUSEKEEPING,
    CHECK_TRIAL: HOUSEKEEPING,
}

# Seconds after which Celery kills a run's process. The broker must not redeliver the run's message before that.
HARD_LIMIT: Final = 12 * 60 * 60
SOFT_LIMIT: Final = HARD_LIMIT - 10 * 60
VISIBILITY_TIMEOUT: Final = HARD_LIMIT + 60 * 60
# Seconds after which a housekeeping task is stopped. The next housekeeping task finishes the work.
HOUSEKEEPING_LIMIT: Final = 10 * 60
# Maximum number of seconds to wait for the broker to respond.
_TIMEOUT: Final = 5.0
_ENCODE: Final = "characters such as @ : / ? # [ ] in the password must be percent-encoded, for example / as %2F"


def broker_settings(settings: Settings) -> dict[str, Any]:
    """Return Celery's settings for the broker at BROKER_URL, or for a folder in DATA_DIR if BROKER_URL is not set.

    Raise BadSetting if the address is neither Redis nor ``filesystem://``.
    """
    address = settings.broker_address or "filesystem://localhost"
    scheme = _check_address(address)
    if scheme in {"redis", "rediss"}:
        # Without timeouts, a server that accepts a connection but never responds would block the process forever. A
        # worker's wait for messages is not a blocking read. Kombu checks that connection every 25 seconds.
        timeouts = {"socket_timeout": _TIMEOUT, "socket_connect_timeout": _TIMEOUT, "socket_keepalive": True}
        options: dict[str, Any] = {"visibility_timeout": VISIBILITY_TIMEOUT, **timeouts}
    elif scheme == "filesystem":
        TRANSPORT_ALIASES[scheme] = "broker.filesystem_transport:Transport"
        options = _folder_options(settings.data_dir.resolve() / "broker")
    else:
        raise BadSetting(name="BROKER_URL", reason="it is neither a redis:// URL nor filesystem://")
    return {"broker_url": address, "broker_transport_options": options}


def _check_address(address: str) -> str:
    """Return the address's scheme.

    Raise BadSetting if the address cannot be parsed. Don't chain the original error, because its message could contain
    part of the password.
    """
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        raise BadSetting(name="BROKER_URL", reason=f"its port is not a number up to 65535, or {_ENCODE}") from None
    if any("@" in part for part in (parts.path, parts.query, parts.fragment)):
        raise BadSetting(name="BROKER_URL", reason=_ENCODE)
    if parts.scheme in {"redis", "rediss"} and not parts.path.strip("/").isdecimal() and parts.path.strip("/"):
        reason = "the part after the last slash must be the number of a Redis database"
        raise BadSetting(name="BROKER_URL", reason=reason)
    return parts.scheme


def producer(settings: Settings) -> Celery:
    """Return a Celery application that has no tasks of its own but can send messages for all tasks."""
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
    """Send a message for a queued run. If the broker is down, only log a warning. The sweep sends the message later."""
    try:
        _cached_producer(settings).send_task(EXECUTE_RUN, [run_id], retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("Cannot notify a worker of run %d because the broker is down: %s", run_id, type(error).__name__)


def queue_length(settings: Settings) -> int:
    """Return the number of pending messages about runs. Raise kombu's OperationalError if the broker is down."""
    with _cached_producer(settings).connection_for_write() as connection:
        count: int = connection.default_channel.queue_declare(FINE_TUNING).message_count
        return count


def check_broker(settings: Settings) -> None:
    """Check that the broker responds within a few seconds. Raise BrokerUnusable if it doesn't."""
    with _cached_producer(settings).connection_for_write() as connection:
        try:
            connection.ensure_connection(max_retries=1, timeout=_TIMEOUT)
        except (OperationalError, OSError) as error:
            address = f"{connection.hostname}:{connection.port}"  # the full URL may contain a password
            raise BrokerUnusable(address=address, reason=str(error).rstrip(".")) from error


def broker_problem(settings: Settings) -> str | None:
    """Return a sentence that says why the broker is unusable, or None if it responds within a few seconds."""
    try:
        check_broker(settings)
    except BrokerUnusable as error:
        return str(error)
    return None


@cache
def _cached_producer(settings: Settings) -> Celery:
    return producer(settings)


def _folder_options(folder: Path) -> dict[str, Any]:
    messages, control, processed = (folder / name for name in ("messages", "control", "processed"))
    for path in (messages, control, processed):
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise BadSetting(name="DATA_DIR", reason=f"{path} cannot be created ({error.strerror})") from error
    return {
        "data_folder_in": str(messages),
        "data_folder_out": str(messages),
        "control_folder": str(control),
        "processed_folder": str(processed),
        "store_processed": False,
    }
