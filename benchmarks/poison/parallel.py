"""Runs the cases in parallel, one process on each CPU core.

This is a separate module because a spawned process imports the function that it runs, and cannot import ``__main__``.
"""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from benchmarks.poison.guarded import run_guarded
from benchmarks.poison.network import DEFAULT, PoisonNetwork
from benchmarks.poison.people import draw_votes
from benchmarks.poison.plan import Case
from benchmarks.poison.report import CaseReport
from benchmarks.poison.texts import PoisonTexts
from benchmarks.poison.unguarded import run_unguarded
from core.settings import Settings
from ml.data.reviews import read_reviews
from ml.training.dataset_splits import DatasetSplits


@dataclass(frozen=True, slots=True)
class _CoreWork:
    """The cases for one process on one CPU core. They share ``folder``."""

    core: int
    cases: tuple[Case, ...]
    network: PoisonNetwork
    texts: PoisonTexts
    folder: Path


def run_cases(cases: Sequence[Case], network: PoisonNetwork, texts: PoisonTexts, folder: Path) -> list[CaseReport]:
    """Run all cases, one per CPU core at a time, and return the reports in the order of ``cases``."""
    cores = sorted(os.sched_getaffinity(0))
    work = [
        _CoreWork(core, tuple(cases[number :: len(cores)]), network, texts, folder / f"core-{core}")
        for number, core in enumerate(cores)
    ]
    with ProcessPoolExecutor(len(cores), get_context("spawn")) as pool:
        found = {report.case: report for reports in pool.map(_run_on_core, work) for report in reports}
    return [found[case] for case in cases]


def _run_on_core(work: _CoreWork) -> list[CaseReport]:
    """Run one process's cases, which share files such as the live model's cached logits."""
    os.sched_setaffinity(0, {work.core})
    for name in Settings.model_fields:
        os.environ.pop(name.upper(), None)
    os.environ["SERVING_THREADS"] = "1"  # The trainer reads its settings from the environment.
    work.folder.mkdir()
    known = DatasetSplits.from_reviews(read_reviews(work.network.reviews), work.network.reviews, DEFAULT, None)
    return [_run_case(case, work, known) for case in work.cases]


def _run_case(case: Case, work: _CoreWork, known: DatasetSplits) -> CaseReport:
    case_votes = draw_votes(case, work.texts.sentences)
    started = time.monotonic()
    recipe = work.network.write_recipe(work.folder, case.seed)
    ours = run_guarded(work.folder, work.network, work.texts, case_votes, recipe)
    seconds = time.monotonic() - started
    naive = run_unguarded(work.network, known, work.texts, case_votes, case.seed)
    print(f"{case.name}, {seconds:.0f} s and {time.monotonic() - started - seconds:.0f} s: {ours}; {naive}", flush=True)
    return CaseReport(case, case.colluders, case_votes.texts, len(case_votes.planted), ours, naive, round(seconds, 1))
