"""The trainer with a small network: what it says, what it leaves, and how it stops and goes on."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from small_model import FEEDBACK, LIKED, RECIPE, FineTuneResult, write_recipe

from core.errors import NoReviews
from core.labelled_text import LabelledText
from core.settings import Settings
from ml.data.reviews import read_reviews
from ml.errors import TooFewCorrections
from ml.serving.artifact import manifest_hash, verified_manifest
from ml.serving.engine import Classifier
from ml.text.labels import LABELS
from ml.training.base_model import BaseModel
from ml.training.dataset_splits import DatasetSplits
from storage.db.states import RunState
from worker.gate import gate_set
from worker.gate.decision import GateBounds, decide
from worker.trainer import protocol
from worker.trainer.__main__ import run_job
from worker.trainer.protocol import Evaluating, Event, Failed, Job, Trained, read_event
from worker.trainer.stop_signal import STATUS, StopSignal

Written = Callable[..., Job]
SETTINGS = Settings(_env_file=None)
WORDS = ("gravel", "treacle", "velvet")
SECONDS = 120


def said_of(word: str, number: int) -> str:
    return f"It was {word} all the way. That was number {number}."


@pytest.fixture(scope="module")
def judged(fine_tuned: FineTuneResult) -> dict[str, str]:
    """For each word, the opposite of what the anchor says of it."""
    verdicts = Classifier.load(fine_tuned.job.out).classify([said_of(word, 0) for word in WORDS])
    return {word: LABELS[1 - LABELS.index(verdict.label)] for word, verdict in zip(WORDS, verdicts, strict=True)}


@pytest.fixture
def written(fine_tuned: FineTuneResult, judged: dict[str, str], small_reviews: Path, tmp_path: Path) -> Written:
    """Writes the job of a feedback round whose judgements contradict the anchor."""

    def texts(first: int, last: int) -> tuple[LabelledText, ...]:
        return tuple(LabelledText(said_of(word, n), judged[word]) for n in range(first, last) for word in WORDS)

    def write(**changes: Any) -> Job:
        (tmp_path / "work").mkdir(exist_ok=True)
        job = Job(
            run_id=7,
            recipe=str(write_recipe(tmp_path, FEEDBACK)),
            base=str(fine_tuned.job.out),
            work=str(tmp_path / "work"),
            champion=str(fine_tuned.job.out),
            imdb=str(small_reviews),
            train=texts(0, 8),
            held_out=texts(20, 24),
            gate_cache=str(tmp_path / "gate"),
        )
        return replace(job, **changes)

    return write


def done_in_process(job: Job) -> tuple[protocol.Done, list[Event]]:
    """What the trainer says at last, and what it said before."""
    told: list[Event] = []
    run_job(job, SETTINGS, told.append, StopSignal())
    done = told.pop()
    assert isinstance(done, protocol.Done)
    return done, told


class Trainer:
    """The trainer as its worker starts it, its errors in a file."""

    def __init__(self, job: Job, errors: Path) -> None:
        self.errors = errors
        with errors.open("w") as file:
            command = [sys.executable, "-m", "worker.trainer"]
            pipe = subprocess.PIPE
            self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=file, text=True)
        assert self.process.stdin is not None
        self.process.stdin.write(job.written())
        self.process.stdin.flush()

    def events(self) -> Iterator[Event]:
        assert self.process.stdout is not None
        yield from map(read_event, self.process.stdout)

    def next(self) -> Event:
        return next(self.events())

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def status(self) -> int:
        return self.process.wait(SECONDS)


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[Callable[[Job], Trainer]]:
    started: list[Trainer] = []

    @contextmanager
    def ended() -> Iterator[None]:
        try:
            yield
        finally:
            for one in started:
                one.process.kill()
                one.process.wait()
                for pipe in (one.process.stdin, one.process.stdout):
                    assert pipe is not None
                    pipe.close()

    def start(job: Job) -> Trainer:
        started.append(Trainer(job, tmp_path / f"errors-{len(started)}.txt"))
        return started[-1]

    with ended():
        yield start


def test_a_feedback_round_is_trained_told_and_measured_on_the_published_file(written: Written, tmp_path: Path) -> None:
    job = written()
    done, told = done_in_process(job)
    folder = Path(job.work) / "candidate"
    assert done.version == verified_manifest(folder).version
    assert done.manifest_sha256 == manifest_hash(folder)
    steps = [event for event in told if isinstance(event, Trained)]
    assert steps[0].step == 1
    assert steps[-1].step == steps[-1].steps
    assert all(event.samples_per_second > 0 for event in steps)
    assert told[-1] == Evaluating(done.version)
    measured = done.measured
    assert measured.judgements is not None
    assert (measured.judgements.texts, measured.judgements.champion_right) == (12, 0)
    assert measured.judgements.candidate_right > 9
    assert measured.judgements.lower > 0
    assert measured.imdb is not None
    assert measured.imdb.texts == verified_manifest(Path(job.champion)).figures["dev"]["reviews"]
    assert measured.imdb.champion_right > 0.9 * measured.imdb.texts
    assert {"negation", "typos"} < measured.behaviour.keys()
    assert "sarcasm" not in measured.behaviour, "no model of this kind is expected to have it"
    assert measured.slices["up to 50 words"].texts == measured.imdb.texts
    assert decide(measured, GateBounds.of(SETTINGS)).sentence


def test_the_live_model_is_asked_about_the_gate_set_once(written: Written, tmp_path: Path) -> None:
    first, _ = done_in_process(written())
    (kept,) = (tmp_path / "gate").iterdir()
    before = kept.stat().st_mtime_ns
    again, _ = done_in_process(written())
    assert again.measured == first.measured
    assert [path.stat().st_mtime_ns for path in (tmp_path / "gate").iterdir()] == [before]
    kept.write_bytes(b"half a fi")
    mended, _ = done_in_process(written())
    assert mended.measured == first.measured
    assert kept.stat().st_size > 100


def test_a_candidate_that_is_trained_already_is_only_measured(written: Written) -> None:
    job = written()
    first, _ = done_in_process(job)
    second, told = done_in_process(job)
    assert second == first
    assert told == [Evaluating(first.version)]
    fewer = replace(job, train=job.train[:-3])
    third, told = done_in_process(fewer)
    assert third.manifest_sha256 != first.manifest_sha256
    assert isinstance(told[0], Trained)


def test_a_candidate_is_tested_on_the_official_reviews_that_do_not_gate(
    written: Written, small_reviews: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate_set, "REVIEWS", 8)
    table = pd.read_csv(small_reviews)
    table["split"] = ["test" if number % 4 == 0 else "train" for number in range(len(table))]
    table.to_parquet(tmp_path / "parts.parquet")
    told: list[Event] = []
    run_job(written(imdb=str(tmp_path / "parts.parquet")), SETTINGS, told.append, StopSignal())
    done, tested = told[-2:]
    assert isinstance(done, protocol.Done)
    assert isinstance(tested, protocol.Tested)
    assert done.measured.imdb is not None
    assert done.measured.imdb.texts + tested.reviews == (table["split"] == "test").sum()
    assert tested.reviews >= tested.right > 0.8 * tested.reviews


def test_without_reviews_nothing_of_imdb_is_measured_and_the_gate_holds(written: Written) -> None:
    done, _ = done_in_process(written(imdb=None))
    assert done.measured.imdb is None
    assert done.measured.slices == {}
    decision = decide(done.measured, GateBounds.of(SETTINGS))
    assert decision.outcome is not RunState.PROMOTED


def test_a_judgement_that_trained_measures_nothing(written: Written, small_reviews: Path) -> None:
    job = written()
    reviews = read_reviews(small_reviews)
    known = tuple(
        LabelledText(text, LABELS[label]) for text, label in zip(reviews["text"], reviews["label"], strict=True)
    )
    done, _ = done_in_process(replace(job, held_out=(*job.held_out, *job.train, *known)))
    assert done.measured.judgements is not None
    # The anchor trained on these; what it kept for dev may measure.
    train = DatasetSplits.from_reviews(reviews, small_reviews, FEEDBACK, None).split.train
    assert done.measured.judgements.texts == 12 + len(known) - len(train) > 12
    contradicted = tuple(replace(row, label=LABELS[1 - LABELS.index(row.label)]) for row in job.held_out)
    done, _ = done_in_process(replace(job, held_out=(*job.held_out, *contradicted)))
    assert done.measured.judgements is None


def test_a_full_run_starts_from_the_encoder_with_all_reviews(
    written: Written, small_base: BaseModel, tmp_path: Path
) -> None:
    recipe = str(write_recipe(tmp_path, replace(RECIPE, name="short", epochs=2)))
    job = written(recipe=recipe, base=str(small_base.folder))
    done, _ = done_in_process(job)
    facts = verified_manifest(Path(job.work) / "candidate")
    assert facts.base == str(small_base.folder)
    assert facts.data["corrections"]["judgements"] == len(job.train)
    assert done.measured.imdb is not None
    without, _ = done_in_process(replace(job, train=(), held_out=()))
    assert without.measured.judgements is None
    with pytest.raises(NoReviews):
        done_in_process(replace(job, imdb=None))


def test_a_round_without_judgements_says_so(written: Written) -> None:
    with pytest.raises(TooFewCorrections, match="The snapshot of run 7 holds no correction"):
        done_in_process(written(train=()))


def test_reviews_with_an_official_test_part_are_measured_on_it(
    written: Written, small_reviews: Path, tmp_path: Path
) -> None:
    reviews = pd.read_csv(small_reviews)
    tested = pd.DataFrame({"review": [f"{text} Indeed." for text in LIKED], "sentiment": "positive", "rating": 9})
    parts = pd.concat([reviews.assign(split="train"), tested.assign(split="test")])
    parts.to_csv(tmp_path / "parts.csv", index=False)
    done, _ = done_in_process(written(imdb=str(tmp_path / "parts.csv")))
    assert done.measured.imdb is not None
    assert done.measured.imdb.texts == len(tested)
    assert done.measured.slices["rated 9"].texts == len(tested)


@pytest.mark.parametrize("how", ["end of input", "SIGTERM"])
def test_a_trainer_that_is_stopped_keeps_a_checkpoint_and_the_next_goes_on(
    how: str, written: Written, trainer: Callable[[Job], Trainer], tmp_path: Path
) -> None:
    job = written(recipe=str(write_recipe(tmp_path, replace(FEEDBACK, name="long", epochs=5000))))
    first = trainer(job)
    assert isinstance(first.next(), Trained)
    if how == "SIGTERM":
        first.process.send_signal(signal.SIGTERM)
    else:
        first.close()
    assert all(isinstance(event, Trained) for event in first.events())
    assert first.status() == STATUS
    assert "Stopped after step" in first.errors.read_text()
    stopped = int(first.errors.read_text().partition("Stopped after step ")[2].split()[0])
    second = trainer(job)
    event = second.next()
    assert isinstance(event, Trained)
    assert event.step == stopped + 1
    assert "Traceback" not in first.errors.read_text() + second.errors.read_text()


def test_a_checkpoint_of_other_judgements_is_not_gone_on_with(
    written: Written, trainer: Callable[[Job], Trainer], tmp_path: Path
) -> None:
    job = written(recipe=str(write_recipe(tmp_path, replace(FEEDBACK, name="long", epochs=5000))))
    first = trainer(job)
    first.next()
    first.close()
    assert first.status() == STATUS
    second = trainer(replace(job, train=job.train[:-3]))
    event = second.next()
    assert isinstance(event, Trained)
    assert event.step == 1
    assert "Training starts afresh" in second.errors.read_text()


def test_a_whole_run_says_events_alone_on_standard_output(written: Written, trainer: Callable[[Job], Trainer]) -> None:
    one = trainer(written(imdb=None))
    events = list(one.events())
    assert one.status() == 0
    assert isinstance(events[0], Trained)
    assert isinstance(events[-2], Evaluating)
    assert isinstance(events[-1], protocol.Done)
    assert said_of("gravel", 0) not in one.errors.read_text()


def test_what_goes_wrong_is_one_sentence(written: Written, trainer: Callable[[Job], Trainer], tmp_path: Path) -> None:
    one = trainer(written(base=str(tmp_path)))
    (event,) = one.events()
    assert event == Failed(
        f"A feedback round cannot start from {tmp_path}: it is no published model. "
        "Name a published model that was fine-tuned on reviews with --base or ANCHOR."
    )
    assert one.status() == 1
    assert "Traceback" not in one.errors.read_text()


def test_an_unexpected_fault_is_told_without_what_it_was_about(
    written: Written, trainer: Callable[[Job], Trainer]
) -> None:
    one = trainer(written(train=(LabelledText("A secret text.", "sideways"),)))
    assert list(one.events()) == [Failed("Something went wrong inside Thumbs; the log has the details.")]
    assert one.status() == 1
    assert "Traceback" in one.errors.read_text()
    assert "secret" not in one.errors.read_text()


def test_a_worker_that_ends_before_it_has_given_a_job_leaves_no_trainer() -> None:
    found = subprocess.run(
        [sys.executable, "-m", "worker.trainer"],
        input="",
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (found.returncode, found.stdout) == (STATUS, "")


def test_a_job_goes_through_its_line(written: Written) -> None:
    job = written()
    assert Job.read(job.written()) == job
    assert json.loads(job.written())["run_id"] == 7
