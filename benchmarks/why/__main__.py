"""Measures whether /why names words that move verdicts, and how long an explanation takes.

    python -m benchmarks.why --data FOLDER                       # the reported halves, stored
    python -m benchmarks.why --data FOLDER --half development    # for choosing the method, not stored

The same number of texts is drawn from IMDB and from a half of each of the four domains.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from rich.progress import Progress

from benchmarks.common.options import add_out_option
from benchmarks.common.provenance import Provenance, provenance
from benchmarks.common.results import write_results
from benchmarks.common.text_sets import TextSet
from benchmarks.domains.distinct_texts import HALVES, DistinctTexts
from benchmarks.domains.options import add_data_option
from benchmarks.why.draw import MINIMUM_WORDS, SEED, draw_texts
from benchmarks.why.duration import Duration, measure_duration
from benchmarks.why.removals import Removal, compare_removals
from ml.evaluation.intervals import wilson_interval
from ml.serving.engine import Classifier
from ml.text.fingerprints import digest
from ml.training.recipe import Recipe

_AIM: Final = 0.9


@dataclass(frozen=True, slots=True)
class Share:
    """The number of texts in which the named words moved the margin more than random words, and the mean distances."""

    texts: int
    moved_more: float
    interval: tuple[float, float]
    """The 95% interval of ``moved_more``."""
    named: float
    random: float
    fewer_words: int
    """Number of texts with fewer than three named words."""


@dataclass(frozen=True, slots=True)
class Report:
    """The content of ``benchmarks/results/why.json``."""

    version: str
    seed: int
    minimum_words: int
    texts: TextSet
    aim: float
    together: Share
    sets: dict[str, Share]
    several_windows: Share
    """The texts that were read in several windows."""
    duration: Duration
    provenance: Provenance


def main() -> None:
    """Measure, print the table, and store the figures if they are for the reported halves."""
    arguments = _parser().parse_args()
    tables = DistinctTexts.read(arguments.data, Recipe.load("default")).half(arguments.half)
    texts = draw_texts({name: table["text"].tolist() for name, table in tables.items()}, arguments.texts)
    classifier = Classifier.load(arguments.model)
    removals = _compare(classifier, texts)
    everything = [each for found in removals.values() for each in found]
    report = Report(
        version=classifier.version,
        seed=SEED,
        minimum_words=MINIMUM_WORDS,
        texts=TextSet(len(everything), digest(text for each in texts.values() for text in each)),
        aim=_AIM,
        together=_share(everything),
        sets={name: _share(found) for name, found in removals.items()},
        several_windows=_share([each for each in everything if each.windows > 1]),
        duration=measure_duration(classifier, [text for each in texts.values() for text in each]),
        provenance=provenance("openvino", "tokenizers", "numpy"),
    )
    _print(report)
    if arguments.half == "reported":
        write_results(arguments.out, report)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.why", description="Measure the explanations of /why.")
    add_data_option(parser)
    parser.add_argument("--model", type=Path, default=Path("models/starter"), help="published folder")
    parser.add_argument("--half", choices=HALVES, default="reported", help="half of each domain to draw from")
    parser.add_argument("--texts", type=int, default=500, help="number of texts, the same from each of the five sets")
    add_out_option(parser, "why")
    return parser


def _compare(classifier: Classifier, texts: Mapping[str, list[str]]) -> dict[str, list[Removal]]:
    rng = np.random.default_rng(SEED)
    with Progress(transient=True) as progress:
        task = progress.add_task("Removing words", total=sum(map(len, texts.values())))
        found: dict[str, list[Removal]] = {}
        for name, each in texts.items():
            found[name] = []
            for text in each:
                found[name].append(compare_removals(classifier, text, rng))
                progress.advance(task)
    return found


def _share(removals: list[Removal]) -> Share:
    more, texts = sum(each.moved_more for each in removals), len(removals)
    return Share(
        texts=texts,
        moved_more=more / texts,
        interval=wilson_interval(more, texts),
        named=float(np.mean([each.named for each in removals])),
        random=float(np.mean([each.random for each in removals])),
        fewer_words=sum(each.words < 3 for each in removals),
    )


def _print(report: Report) -> None:
    rows = {**report.sets, "together": report.together, "several windows": report.several_windows}
    for name, each in rows.items():
        low, high = each.interval
        print(f"{name:16} {each.texts:>4} texts  moved more in {each.moved_more:.1%} ({low:.1%} to {high:.1%})", end="")
        print(f"  named {each.named:.2f}  random {each.random:.2f}  fewer words {each.fewer_words}")
    found = report.duration
    print(
        f"{found.words} words: median {found.median:.3f} s, 95th percentile {found.p95:.3f} s, {found.threads} threads"
    )


if __name__ == "__main__":
    main()
