"""A trainer turns a job into a candidate, and reports its progress."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from small_model import RECIPE, write_recipe

from core.errors import NoReviews
from ml.errors import TooFewCorrections
from ml.serving.artifact import manifest_hash, verified_manifest
from ml.training.base_model import BaseModel
from tests.trainer_jobs import SETTINGS, MakeJob, done_in_process, files_with_texts
from worker.gate.decision import GateBounds, decide
from worker.gate.vote_rows import vote_evidence
from worker.trainer.__main__ import run_job
from worker.trainer.protocol import Evaluating, Event, Job, Phase, Progress
from worker.trainer.stop_signal import StopSignal


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
    assert files_with_texts(job) == []


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


def test_a_job_survives_its_line(make_job: MakeJob) -> None:
    job = make_job()
    assert Job.from_line(job.to_line()) == job
    assert json.loads(job.to_line())["run_id"] == 7
