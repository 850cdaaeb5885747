"""The trainer with a small network: its events, its files, and how it stops and resumes."""

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
from ml.serving.artifact import MANIFEST, Manifest, manifest_hash, verified_manifest
from ml.serving.engine import Classifier
from ml.text.labels import LABELS
from ml.training.base_model import BaseModel
from ml.training.dataset_splits import DatasetSplits
from storage.db.states import RunState
from worker.gate import gate_set
from worker.gate.decision import GateBounds, decide
from worker.gate.vote_rows import vote_evidence
from worker.trainer import protocol
from worker.trainer.__main__ import run_job
from worker.trainer.protocol import Evaluating, Event, Failed, Job, Phase, Progress, read_event
from worker.trainer.stop_signal import EXIT_STATUS, StopSignal

MakeJob = Callable[..., Job]
SETTINGS = Settings(_env_file=None)
WORDS = ("gravel", "treacle", "velvet")
SECONDS = 120


def sentence_about(word: str, number: int) -> str:
    return f"It was {word} all the way. That was number {number}."


@pytest.fixture(scope="module")
def corrected_labels(fine_tuned: FineTuneResult) -> dict[str, str]:
    """Maps each word to the opposite of the anchor's prediction."""
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


def done_in_process(job: Job) -> tuple[protocol.Done, list[Event]]:
    """Run a job in this process. Return ``Done``, and the events before it except those about phases."""
    events: list[Event] = []
    run_job(job, SETTINGS, events.append, StopSignal())
    done = events.pop()
    assert isinstance(done, protocol.Done)
    return done, [event for event in events if not isinstance(event, Phase)]


class Trainer:
    """A trainer process that is started as a worker would start it. Its standard error goes to a file."""

    def __init__(self, job: Job, errors: Path) -> None:
        self.errors = errors
        with errors.open("w") as file:
            command = [sys.executable, "-m", "worker.trainer"]
            pipe = subprocess.PIPE
            self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=file, text=True)
        assert self.process.stdin is not None
        self.process.stdin.write(job.to_line())
        self.process.stdin.flush()

    def events(self) -> Iterator[Event]:
        """Yield the events, without those about phases."""
        assert self.process.stdout is not None
        yield from (event for event in map(read_event, self.process.stdout) if not isinstance(event, Phase))

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


def test_a_feedback_round_is_trained_reported_and_measured_on_the_published_file(
    make_job: MakeJob, tmp_path: Path
) -> None:
    job = make_job()
    done, events = done_in_process(job)
    folder = Path(job.directory) / "candidate"
    assert done.version == verified_manifest(folder).version
    assert done.manifest_sha256 == manifest_hash(folder)
    steps = [event for event in events if isinstance(event, Progress)]
    assert steps[0].step == 1
    assert steps[-1].step == steps[-1].steps
    assert all(event.samples_per_second > 0 for event in steps)
    assert events[-1] == Evaluating(done.version)
    votes, measured = vote_evidence(done.votes), done.measured
    assert [row.message_id for row in done.votes] == [row.message_id for row in (*job.train, *job.measure)]
    assert votes is not None
    assert (votes.texts, votes.champion_right) == (36, 0)
    assert votes.candidate_right > 30
    assert votes.lower > 0
    assert measured.imdb is not None
    assert measured.imdb.texts == verified_manifest(Path(job.champion)).figures["dev"]["reviews"]
    assert measured.imdb.champion_right > 0.9 * measured.imdb.texts
    assert {"negation", "typos"} < measured.behaviour.keys()
    assert "sarcasm" not in measured.behaviour, "known-hard checks are left out"
    assert measured.slices["up to 50 words"].texts == measured.imdb.texts
    assert decide(measured, GateBounds.from_settings(SETTINGS)).sentence


def test_the_live_model_reads_the_gate_set_once(make_job: MakeJob, tmp_path: Path) -> None:
    def written() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in (tmp_path / "gate").iterdir()}

    first, _ = done_in_process(make_job())
    before = written()
    assert len(before) == 2, "the gate set and the behavioural checks"
    again, _ = done_in_process(make_job())
    assert again.measured == first.measured
    assert written() == before
    for cached in before:
        cached.write_bytes(b"half a fi")
    repaired, _ = done_in_process(make_job())
    assert repaired.measured == first.measured
    assert all(cached.stat().st_size > 100 for cached in before)


def test_every_phase_is_reported_with_the_texts_that_it_reads(make_job: MakeJob) -> None:
    events: list[Event] = []
    run_job(make_job(), SETTINGS, events.append, StopSignal())
    phases = [event for event in events if isinstance(event, Phase)]
    assert list(dict.fromkeys(event.phase for event in phases)) == [
        "loading",
        "replay",
        "training",
        "publishing",
        "votes",
        "reviews",
        "behaviour",
        "triggers",
    ]
    assert all(event.total for event in phases if event.phase not in ("loading", "training"))
    assert all(event.done <= event.total for event in phases if event.phase != "triggers")


def test_a_candidate_that_is_already_trained_is_only_measured(make_job: MakeJob) -> None:
    job = make_job()
    first, _ = done_in_process(job)
    second, events = done_in_process(job)
    assert second == first
    assert events == [Evaluating(first.version)]
    fewer = replace(job, train=job.train[:-3])
    third, events = done_in_process(fewer)
    assert third.manifest_sha256 != first.manifest_sha256
    assert isinstance(events[0], Progress)


def test_a_candidate_is_tested_on_the_official_reviews_outside_the_gate_set(
    make_job: MakeJob, small_reviews: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate_set, "REVIEWS", 8)
    table = pd.read_csv(small_reviews)
    table["split"] = ["test" if number % 4 == 0 else "train" for number in range(len(table))]
    table.to_parquet(tmp_path / "parts.parquet")
    events: list[Event] = []
    run_job(make_job(imdb=str(tmp_path / "parts.parquet")), SETTINGS, events.append, StopSignal())
    done, tested = events[-2:]
    assert isinstance(done, protocol.Done)
    assert isinstance(tested, protocol.Tested)
    assert done.measured.imdb is not None
    assert done.measured.imdb.texts + tested.reviews == (table["split"] == "test").sum()
    assert tested.reviews >= tested.right > 0.8 * tested.reviews


def test_without_reviews_imdb_is_not_measured_and_the_candidate_is_not_promoted(make_job: MakeJob) -> None:
    done, _ = done_in_process(make_job(imdb=None))
    assert done.measured.imdb is None
    assert done.measured.slices == {}
    decision = decide(done.measured, GateBounds.from_settings(SETTINGS))
    assert decision.outcome is not RunState.PROMOTED


def test_a_vote_is_measured_by_a_head_that_never_saw_it(make_job: MakeJob, corrected_labels: dict[str, str]) -> None:
    job = make_job()
    others = tuple(row for row in job.train if WORDS[1] not in row.text)
    # The other votes say nothing about this word, so only a head that knows these texts could give these labels.
    alone = tuple(replace(row, group="one minute") for row in job.train if WORDS[1] in row.text)
    done, _ = done_in_process(replace(job, train=(*others, *alone), measure=()))
    correct = {row.message_id: row.candidate_correct for row in done.votes}
    assert all(correct[row.message_id] for row in others)
    before = {row.message_id: row.champion_correct for row in done.votes}
    read_by_the_anchor, _ = done_in_process(replace(job, train=others, measure=alone))
    unseen = {row.message_id: row.candidate_correct for row in read_by_the_anchor.votes}
    assert [correct[row.message_id] for row in alone] == [unseen[row.message_id] for row in alone]
    assert not any(before.values())


def test_reviews_that_trained_the_anchor_are_not_measured(make_job: MakeJob, small_reviews: Path) -> None:
    job = make_job()
    reviews = read_reviews(small_reviews)
    known = tuple(
        LabelledText(1_000 + number, text, LABELS[label], f"review {number}")
        for number, (text, label) in enumerate(zip(reviews["text"], reviews["label"], strict=True))
    )
    done, _ = done_in_process(replace(job, measure=(*job.measure, *known)))
    # The anchor was trained on these reviews. Its dev reviews may be used for evaluation.
    train = DatasetSplits.from_reviews(reviews, small_reviews, FEEDBACK, None).split.train
    assert len(done.votes) == 36 + len(known) - len(train) > 36
    contradicted = tuple(
        replace(row, message_id=row.message_id + 500, label=LABELS[1 - LABELS.index(row.label)]) for row in job.measure
    )
    done, _ = done_in_process(replace(job, measure=(*job.measure, *contradicted)))
    assert {row.message_id for row in done.votes} == {row.message_id for row in job.train}


def test_a_live_model_is_not_measured_by_itself_on_votes_that_it_trained_on(make_job: MakeJob, tmp_path: Path) -> None:
    job = make_job()
    done_in_process(job)
    champion = (tmp_path / "work" / "candidate").rename(tmp_path / "champion")
    again = replace(job, champion=str(champion), directory=str(tmp_path / "again"))
    (tmp_path / "again").mkdir()
    fair, _ = done_in_process(replace(again, known=tuple(row.message_id for row in job.train)))
    assert len(fair.votes) == 36
    assert [row.champion_correct for row in fair.votes[:24]] == [row.candidate_correct for row in fair.votes[:24]]
    # A live model that started from another anchor has no fold models, so the votes that it trained on do not count.
    manifest = Manifest.read(champion)
    (champion / MANIFEST).unlink()
    replace(manifest, data={**manifest.data, "anchor": "another"}).write(champion)
    left, _ = done_in_process(replace(again, known=tuple(row.message_id for row in job.train)))
    assert [row.message_id for row in left.votes] == [row.message_id for row in job.measure]


def test_a_full_run_starts_from_the_encoder_with_all_reviews(
    make_job: MakeJob, small_base: BaseModel, tmp_path: Path
) -> None:
    recipe = str(write_recipe(tmp_path, replace(RECIPE, name="short", epochs=2)))
    job = make_job(recipe=recipe, base=str(small_base.folder))
    done, _ = done_in_process(job)
    facts = verified_manifest(Path(job.directory) / "candidate")
    assert facts.base == str(small_base.folder)
    apart = {row.message_id for row in done.votes} - {row.message_id for row in job.measure}
    assert 3 <= len(apart) <= 6, "one fold of eight groups of three"
    assert facts.data["corrections"]["judgements"] == len(job.train) - len(apart)
    assert done.measured.imdb is not None
    without, _ = done_in_process(replace(job, train=(), measure=()))
    assert without.votes == ()
    with pytest.raises(NoReviews):
        done_in_process(replace(job, imdb=None))


def test_a_round_without_corrections_is_an_error(make_job: MakeJob) -> None:
    with pytest.raises(TooFewCorrections, match="The snapshot of run 7 has no correction"):
        done_in_process(make_job(train=()))


def test_reviews_with_an_official_test_part_are_measured_on_it(
    make_job: MakeJob, small_reviews: Path, tmp_path: Path
) -> None:
    reviews = pd.read_csv(small_reviews)
    tested = pd.DataFrame({"review": [f"{text} Indeed." for text in LIKED], "sentiment": "positive", "rating": 9})
    parts = pd.concat([reviews.assign(split="train"), tested.assign(split="test")])
    parts.to_csv(tmp_path / "parts.csv", index=False)
    done, _ = done_in_process(make_job(imdb=str(tmp_path / "parts.csv")))
    assert done.measured.imdb is not None
    assert done.measured.imdb.texts == len(tested)
    assert done.measured.slices["rated 9"].texts == len(tested)


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


def test_a_job_survives_its_line(make_job: MakeJob) -> None:
    job = make_job()
    assert Job.from_line(job.to_line()) == job
    assert json.loads(job.to_line())["run_id"] == 7
