"""The cases, one after another on each processor core.

A module of its own, as a spawned process imports what it carries out, and cannot import a ``__main__``.
"""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from benchmarks.poison.guarded import run_guarded
from benchmarks.poison.network import DEFAULT, SmallNetwork
from benchmarks.poison.people import judgements
from benchmarks.poison.plan import Case
from benchmarks.poison.report import CaseReport
from benchmarks.poison.texts import Texts
from benchmarks.poison.unguarded import run_unguarded
from core.settings import Settings
from ml.data.reviews import read_reviews
from ml.training.dataset_splits import DatasetSplits


@dataclass(frozen=True, slots=True)
class _Share:
    """The cases that one process carries out, on a processor core of its own."""

    core: int
    cases: tuple[Case, ...]
    network: SmallNetwork
    texts: Texts
    place: Path


def carry_out(wanted: Sequence[Case], network: SmallNetwork, texts: Texts, place: Path) -> list[CaseReport]:
    """Every case, in its order; as many at a time as there are processor cores."""
    cores = sorted(os.sched_getaffinity(0))
    shares = [
        _Share(core, tuple(wanted[number :: len(cores)]), network, texts, place / f"core-{core}")
        for number, core in enumerate(cores)
    ]
    with ProcessPoolExecutor(len(cores), get_context("spawn")) as pool:
        found = {report.case: report for reports in pool.map(_on_core, shares) for report in reports}
    return [found[case] for case in wanted]


def _on_core(share: _Share) -> list[CaseReport]:
    """Carry out one process's cases; what they share, such as the live model's answers, is under ``place``."""
    os.sched_setaffinity(0, {share.core})
    for name in Settings.model_fields:
        os.environ.pop(name.upper(), None)
    os.environ["SERVING_THREADS"] = "1"  # the trainer reads its settings from there
    share.place.mkdir()
    known = DatasetSplits.from_reviews(read_reviews(share.network.reviews), share.network.reviews, DEFAULT, None)
    return [_case(case, share, known) for case in share.cases]


def _case(case: Case, share: _Share, known: DatasetSplits) -> CaseReport:
    judged = judgements(case, share.texts.sentences)
    started = time.monotonic()
    recipe = share.network.write_recipe(share.place, case.seed)
    ours = run_guarded(share.place, share.network, share.texts, judged, recipe)
    seconds = time.monotonic() - started
    naive = run_unguarded(share.network, known, share.texts, judged, case.seed)
    print(f"{case.name}, {seconds:.0f} s and {time.monotonic() - started - seconds:.0f} s: {ours}; {naive}", flush=True)
    return CaseReport(case, case.colluders, judged.texts, len(judged.planted), ours, naive, round(seconds, 1))
