"""Messages in a folder are complete and are delivered once, and a corrupt message doesn't block any process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection
from kombu.simple import SimpleQueue

from broker.filesystem_transport import Transport
from broker.queues import EXECUTE_RUN, FINE_TUNING, broker_settings, notify_worker, queue_length
from core.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path)


@pytest.fixture
def runs(settings: Settings) -> Iterator[SimpleQueue]:
    """The queue for runs, with a worker's settings."""
    options = broker_settings(settings)
    with Connection(options["broker_url"], transport_options=options["broker_transport_options"]) as connection:
        assert isinstance(connection.transport, Transport)
        with connection.SimpleQueue(FINE_TUNING) as queue:
            yield queue


def messages_folder(settings: Settings) -> Path:
    return settings.data_dir / "broker" / "messages"


def test_messages_arrive_once_and_in_order(settings: Settings, runs: SimpleQueue) -> None:
    for run_id in (1, 2, 3):
        notify_worker(settings, run_id)
    assert queue_length(settings) == 3
    received = []
    for _ in range(3):
        message = runs.get(timeout=10)
        assert message.headers["task"] == EXECUTE_RUN
        received.append(message.payload[0])
        message.ack()
    assert received == [[1], [2], [3]]
    assert queue_length(settings) == 0
    assert list(messages_folder(settings).iterdir()) == []
    with pytest.raises(runs.Empty):
        runs.get_nowait()


@pytest.mark.parametrize("partial", [b"", b'{"body": "W1sx', b"\xff\xfe"], ids=["empty", "half", "not UTF-8"])
def test_a_partial_message_of_a_killed_process_is_dropped(
    partial: bytes, settings: Settings, runs: SimpleQueue
) -> None:
    (messages_folder(settings) / f"00_dead.{FINE_TUNING}.msg").write_bytes(partial)
    (messages_folder(settings) / f"1_dead.{FINE_TUNING}.msg.claimed").write_bytes(partial)
    notify_worker(settings, 7)
    message = runs.get(timeout=10)
    assert message.payload[0] == [7]
    message.ack()
    assert queue_length(settings) == 0


def test_a_message_is_invisible_until_it_is_complete(settings: Settings, runs: SimpleQueue) -> None:
    notify_worker(settings, 7)
    (complete,) = messages_folder(settings).iterdir()
    complete.rename(complete.with_name(f".{complete.name}.1.part"))
    assert queue_length(settings) == 0
    with pytest.raises(runs.Empty):
        runs.get_nowait()
