"""Fixtures that make jobs for a small network and start trainers."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from small_model import FEEDBACK, FineTuneResult, write_recipe

from core.labelled_text import LabelledText
from ml.serving.engine import Classifier
from ml.text.labels import LABELS
from tests.trainer_jobs import WORDS, MakeJob, Trainer, sentence_about
from worker.trainer.protocol import Job


@pytest.fixture(scope="session")
def corrected_labels(fine_tuned: FineTuneResult) -> dict[str, str]:
    """A map from each word to the opposite of the anchor's prediction."""
    verdicts = Classifier.load(fine_tuned.job.out).classify([sentence_about(word, 0) for word in WORDS])
    return {word: LABELS[1 - LABELS.index(verdict.label)] for word, verdict in zip(WORDS, verdicts, strict=True)}


@pytest.fixture
def make_job(
    fine_tuned: FineTuneResult, corrected_labels: dict[str, str], small_reviews: Path, tmp_path: Path
) -> MakeJob:
    """Return a function that makes a job for a feedback round with corrections that contradict the anchor."""

    def texts(first: int, last: int) -> tuple[LabelledText, ...]:
        return tuple(
            LabelledText(10 * n + position, sentence_about(word, n), corrected_labels[word], f"minute {n}")
            for n in range(first, last)
            for position, word in enumerate(WORDS)
        )

    def write(**changes: Any) -> Job:
        (tmp_path / "work").mkdir(exist_ok=True)
        job = Job(
            run_id=7,
            recipe=str(write_recipe(tmp_path, FEEDBACK)),
            base=str(fine_tuned.job.out),
            directory=str(tmp_path / "work"),
            champion=str(fine_tuned.job.out),
            imdb=str(small_reviews),
            train=texts(0, 8),
            measure=texts(20, 24),
            known=(),
            not_reviews=(),
            gate_cache=str(tmp_path / "gate"),
        )
        return replace(job, **changes)

    return write


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[Callable[[Job], Trainer]]:
    started: list[Trainer] = []

    def start(job: Job) -> Trainer:
        started.append(Trainer(job, tmp_path / f"errors-{len(started)}.txt"))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()
        for pipe in (one.process.stdin, one.process.stdout):
            assert pipe is not None
            pipe.close()
