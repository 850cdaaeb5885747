"""Every task has a queue, every queue has a worker, and Celery is configured for safe delivery."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from celery import Celery
from redis import exceptions

from broker import queues
from cli.worker import Queue
from core.errors import BadSetting
from core.settings import Settings
from worker.app import SCHEDULE, make_app
from worker.stop_with_parent import StopWithParent


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path)


@pytest.fixture
def app(settings: Settings) -> Celery:
    return make_app(settings, StopWithParent())


def test_every_task_exists_and_has_a_queue(app: Celery) -> None:
    tasks = {name for name in app.tasks if not name.startswith("celery.")}
    assert tasks == set(queues.ROUTES)
    for name, queue in queues.ROUTES.items():
        assert app.amqp.router.route({}, name)["queue"].name == queue


def test_exactly_the_known_queues_are_consumed() -> None:
    assert set(queues.ROUTES.values()) == set(queues.QUEUES)
    assert {queue.value for queue in Queue} == set(queues.QUEUES), "what thumbs worker --queue takes"


def test_the_scheduler_sends_existing_tasks_to_a_consumed_queue(app: Celery) -> None:
    assert set(SCHEDULE) == set(queues.ROUTES) - {queues.EXECUTE_RUN}
    for entry in app.conf.beat_schedule.values():
        assert entry["task"] in app.tasks
        assert entry["options"]["queue"] == queues.HOUSEKEEPING
        assert entry["options"]["expires"] <= entry["schedule"], "a message must expire before the next one is sent"


def test_a_message_is_acknowledged_only_after_its_task(app: Celery) -> None:
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.worker_prefetch_multiplier == 1


def test_no_broker_redelivers_a_message_while_its_task_may_run(tmp_path: Path) -> None:
    redis = Settings(_env_file=None, data_dir=tmp_path, broker_url="redis://localhost")  # type: ignore[arg-type]
    for made in (make_app(redis, StopWithParent()), queues.producer(redis)):
        task_limit = make_app(redis, StopWithParent()).tasks[queues.EXECUTE_RUN].time_limit
        assert made.conf.broker_transport_options["visibility_timeout"] > task_limit


@pytest.mark.parametrize(
    "make", [lambda settings: make_app(settings, StopWithParent()), queues.producer], ids=["worker", "beat and bot"]
)
def test_no_process_waits_forever_for_a_redis_server_that_never_answers(
    make: Callable[[Settings], Celery], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "_TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"redis://127.0.0.1:{mute.getsockname()[1]}"
        settings = Settings(_env_file=None, data_dir=tmp_path, broker_url=address)  # type: ignore[arg-type]
        with (
            make(settings).connection_for_write() as connection,
            pytest.raises(exceptions.TimeoutError, match="Timeout"),
        ):
            connection.connect()


@pytest.mark.parametrize("name", queues.ROUTES)
def test_every_task_has_a_soft_time_limit_below_its_hard_one(app: Celery, name: str) -> None:
    assert app.tasks[name].soft_time_limit < app.tasks[name].time_limit


def test_only_json_is_serialized(app: Celery) -> None:
    assert app.conf.task_serializer == "json"
    assert app.conf.accept_content == ["json"]
    assert app.conf.result_accept_content == ["json"]
    assert app.conf.result_backend is None


@pytest.mark.parametrize("address", ["amqp://localhost", "localhost:6379", "memory://"])
def test_an_unsupported_broker_is_an_error(address: str, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="BROKER_URL"):
        make_app(Settings(_env_file=None, data_dir=tmp_path, broker_url=address), StopWithParent())  # type: ignore[arg-type]
