"""What a trainer measures, and on which votes and reviews."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from small_model import FEEDBACK, LIKED

from core.labelled_text import LabelledText
from ml.data.reviews import read_reviews
from ml.serving.artifact import MANIFEST, Manifest
from ml.text.labels import LABELS
from ml.training.dataset_splits import DatasetSplits
from storage.db.states import RunState
from tests.trainer_jobs import SETTINGS, WORDS, MakeJob, done_in_process
from worker.gate import gate_set
from worker.gate.decision import GateBounds, decide
from worker.trainer import protocol
from worker.trainer.__main__ import run_job
from worker.trainer.protocol import Event
from worker.trainer.stop_signal import StopSignal


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
