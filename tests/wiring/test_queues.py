"""Every task has a queue, every queue a worker, and Celery is set as what is known of its faults asks."""

from pathlib import Path

import pytest
from celery import Celery

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


def test_every_task_is_there_and_has_a_queue(app: Celery) -> None:
    tasks = {name for name in app.tasks if not name.startswith("celery.")}
    assert tasks == set(queues.ROUTES)
    for name, queue in queues.ROUTES.items():
        assert app.amqp.router.route({}, name)["queue"].name == queue


def test_every_queue_is_consumed_and_no_other() -> None:
    assert set(queues.ROUTES.values()) == set(queues.QUEUES)
    assert {queue.value for queue in Queue} == set(queues.QUEUES), "what thumbs worker --queue takes"


def test_the_beat_sends_what_is_there_to_where_it_is_consumed(app: Celery) -> None:
    assert set(SCHEDULE) == set(queues.ROUTES) - {queues.EXECUTE_RUN}
    for entry in app.conf.beat_schedule.values():
        assert entry["task"] in app.tasks
        assert entry["options"]["queue"] == queues.HOUSEKEEPING
        assert entry["options"]["expires"] <= entry["schedule"], "one that waited so long is not needed any more"


def test_a_message_goes_only_once_its_task_has_ended(app: Celery) -> None:
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.worker_prefetch_multiplier == 1


def test_no_broker_hands_a_message_out_again_while_its_task_may_run(tmp_path: Path) -> None:
    redis = Settings(_env_file=None, data_dir=tmp_path, broker_url="redis://localhost")  # type: ignore[arg-type]
    for made in (make_app(redis, StopWithParent()), queues.producer(redis)):
        task_limit = make_app(redis, StopWithParent()).tasks[queues.EXECUTE_RUN].time_limit
        assert made.conf.broker_transport_options["visibility_timeout"] > task_limit


@pytest.mark.parametrize("name", queues.ROUTES)
def test_every_task_is_ended_in_order_before_it_is_ended_by_force(app: Celery, name: str) -> None:
    assert app.tasks[name].soft_time_limit < app.tasks[name].time_limit


def test_nothing_but_json_is_read_or_written(app: Celery) -> None:
    assert app.conf.task_serializer == "json"
    assert app.conf.accept_content == ["json"]
    assert app.conf.result_accept_content == ["json"]
    assert app.conf.result_backend is None


@pytest.mark.parametrize("address", ["amqp://localhost", "localhost:6379", "memory://"])
def test_a_broker_of_another_kind_is_one_sentence(address: str, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="BROKER_URL"):
        make_app(Settings(_env_file=None, data_dir=tmp_path, broker_url=address), StopWithParent())  # type: ignore[arg-type]
