"""The trainer's process: its output, its errors, and how it stops and resumes."""

import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from small_model import FEEDBACK, write_recipe

from core.labelled_text import LabelledText
from tests.trainer_jobs import SECONDS, MakeJob, Trainer, files_with_texts, sentence_about
from worker.trainer import protocol
from worker.trainer.protocol import Evaluating, Failed, Job, Progress
from worker.trainer.stop_signal import EXIT_STATUS


@pytest.mark.parametrize("how", ["end of input", "SIGTERM"])
def test_a_stopped_trainer_keeps_a_checkpoint_and_the_next_one_resumes(
    how: str, make_job: MakeJob, trainer: Callable[[Job], Trainer], tmp_path: Path
) -> None:
    job = make_job(recipe=str(write_recipe(tmp_path, replace(FEEDBACK, name="long", epochs=5000))))
    first = trainer(job)
    assert isinstance(first.next(), Progress)
    if how == "SIGTERM":
        first.process.send_signal(signal.SIGTERM)
    else:
        first.close()
    assert all(isinstance(event, Progress) for event in first.events())
    assert first.status() == EXIT_STATUS
    assert "Stopped after step" in first.errors.read_text()
    assert (tmp_path / "work" / ".candidate-training").is_dir()
    assert files_with_texts(job) == []
    stopped = int(first.errors.read_text().partition("Stopped after step ")[2].split()[0])
    second = trainer(job)
    event = second.next()
    assert isinstance(event, Progress)
    assert event.step == stopped + 1
    assert "Traceback" not in first.errors.read_text() + second.errors.read_text()


def test_a_checkpoint_of_other_corrections_is_not_resumed(
    make_job: MakeJob, trainer: Callable[[Job], Trainer], tmp_path: Path
) -> None:
    job = make_job(recipe=str(write_recipe(tmp_path, replace(FEEDBACK, name="long", epochs=5000))))
    first = trainer(job)
    first.next()
    first.close()
    assert first.status() == EXIT_STATUS
    second = trainer(replace(job, train=job.train[:-3]))
    event = second.next()
    assert isinstance(event, Progress)
    assert event.step == 1
    assert "Training starts from the beginning" in second.errors.read_text()


def test_standard_output_has_nothing_but_events(make_job: MakeJob, trainer: Callable[[Job], Trainer]) -> None:
    one = trainer(make_job(imdb=None))
    events = list(one.events())
    assert one.status() == 0
    assert isinstance(events[0], Progress)
    assert isinstance(events[-2], Evaluating)
    assert isinstance(events[-1], protocol.Done)
    assert sentence_about("gravel", 0) not in one.errors.read_text()


def test_an_error_is_reported_in_one_sentence(
    make_job: MakeJob, trainer: Callable[[Job], Trainer], tmp_path: Path
) -> None:
    one = trainer(make_job(base=str(tmp_path)))
    (event,) = one.events()
    assert event == Failed(
        f"A feedback round cannot start from {tmp_path}: it is not a published model. "
        "Use --base or ANCHOR to name a published model that was fine-tuned on reviews."
    )
    assert one.status() == 1
    assert "Traceback" not in one.errors.read_text()


def test_an_unexpected_error_is_reported_without_texts(make_job: MakeJob, trainer: Callable[[Job], Trainer]) -> None:
    one = trainer(make_job(train=(LabelledText(1, "A secret text.", "sideways", "a minute"),)))
    assert list(one.events()) == [Failed("Thumbs failed. See the log for details.")]
    assert one.status() == 1
    assert "Traceback" in one.errors.read_text()
    assert "secret" not in one.errors.read_text()


def test_a_trainer_exits_if_its_worker_ends_before_sending_a_job() -> None:
    finished = subprocess.run(
        [sys.executable, "-m", "worker.trainer"],
        input="",
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (finished.returncode, finished.stdout) == (EXIT_STATUS, "")
