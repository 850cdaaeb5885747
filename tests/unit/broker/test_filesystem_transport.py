"""Messages in a folder are whole, are taken once, and a broken one stops nobody."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection
from kombu.simple import SimpleQueue

from broker.filesystem_transport import Transport
from broker.queues import CARRY_OUT, FINE_TUNING, broker_settings, notify_worker, queue_length
from core.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path)


@pytest.fixture
def runs(settings: Settings) -> Iterator[SimpleQueue]:
    """The queue of runs, as a worker reads it."""
    made = broker_settings(settings)
    with Connection(made["broker_url"], transport_options=made["broker_transport_options"]) as connection:
        assert isinstance(connection.transport, Transport)
        with connection.SimpleQueue(FINE_TUNING) as queue:
            yield queue


def messages(settings: Settings) -> Path:
    return settings.data_dir / "broker" / "messages"


def test_messages_arrive_once_and_in_order(settings: Settings, runs: SimpleQueue) -> None:
    for run_id in (1, 2, 3):
        notify_worker(settings, run_id)
    assert queue_length(settings) == 3
    arrived = []
    for _ in range(3):
        message = runs.get(timeout=10)
        assert message.headers["task"] == CARRY_OUT
        arrived.append(message.payload[0])
        message.ack()
    assert arrived == [[1], [2], [3]]
    assert queue_length(settings) == 0
    assert list(messages(settings).iterdir()) == []
    with pytest.raises(runs.Empty):
        runs.get_nowait()


@pytest.mark.parametrize("left", [b"", b'{"body": "W1sx', b"\xff\xfe"], ids=["nothing", "half", "no text"])
def test_what_a_killed_process_left_is_dropped(left: bytes, settings: Settings, runs: SimpleQueue) -> None:
    (messages(settings) / f"00_dead.{FINE_TUNING}.msg").write_bytes(left)
    (messages(settings) / f"1_dead.{FINE_TUNING}.msg.unfinished").write_bytes(left)
    notify_worker(settings, 7)
    message = runs.get(timeout=10)
    assert message.payload[0] == [7]
    message.ack()
    assert queue_length(settings) == 0


def test_a_message_is_not_seen_before_it_is_whole(settings: Settings, runs: SimpleQueue) -> None:
    notify_worker(settings, 7)
    (whole,) = messages(settings).iterdir()
    whole.rename(whole.with_name(f"{whole.name}.unfinished"))
    assert queue_length(settings) == 0
    with pytest.raises(runs.Empty):
        runs.get_nowait()
