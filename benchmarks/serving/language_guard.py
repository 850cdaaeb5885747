"""Measures how often the language guard rejects texts in English and in other languages.

``ml.text.language.THRESHOLD`` is chosen on the development half of the texts and evaluated on the test half.

    python -m benchmarks.serving.language_guard --rt rt_polarity.csv.gz --alexa amazon_alexa.csv.gz --imdb imdb.parquet

The exit status is 1 if the development half leads to a threshold other than the one in the module.
"""

import argparse
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common.options import add_out_option
from benchmarks.common.provenance import Provenance, provenance
from benchmarks.common.results import write_results
from benchmarks.serving.language_texts import GuardTexts, read_halves
from ml.evaluation.intervals import wilson_interval
from ml.text.fingerprints import digest
from ml.text.language import LANGUAGES, THRESHOLD, foreign_language, likeliest_foreign_language, load_identifier

THRESHOLDS = [round(0.5 + 0.05 * step, 2) for step in range(10)]


@dataclass(frozen=True, slots=True)
class RefusalShare:
    """The number of rejected texts in a set, and their share (0 to 1) with Wilson's 95% interval."""

    refused: int
    texts: int
    share: float
    low: float
    high: float
    digest: str
    """The digest of the texts, from ``ml.text.fingerprints.digest``."""


@dataclass(frozen=True, slots=True)
class ThresholdStep:
    """The development texts that are rejected at one threshold."""

    threshold: float
    english_refused: int
    english: int
    foreign_refused: int
    foreign: int


@dataclass(frozen=True, slots=True)
class LanguageGuardReport:
    """The content of ``benchmarks/results/language.json``."""

    provenance: Provenance
    threshold: float
    load_seconds: float
    load_peak_mb: int
    """Growth in the process's peak memory while the model loads, in 10^6 bytes."""
    development_digest: str
    development: list[ThresholdStep]
    test_digest: str
    english: dict[str, RefusalShare]
    """Refused English texts, by collection."""
    foreign: dict[str, RefusalShare]
    """Refused texts by language, in ``all`` languages together, and among the ``stray`` texts in the English
    collections."""
    named_right: int
    """Number of texts in ``all`` that are refused with the correct language."""


def main() -> int:
    """Measure, write and print the results, and return the exit status."""
    arguments = _arguments()
    load_seconds, load_peak_mb = _measure_loading()
    development, test = read_halves(arguments.rt, arguments.alexa, arguments.imdb)
    steps = _measure_thresholds(development)
    report = LanguageGuardReport(
        provenance=provenance("py3langid", "numpy"),
        threshold=THRESHOLD,
        load_seconds=load_seconds,
        load_peak_mb=load_peak_mb,
        development_digest=digest(development.all_texts()),
        development=steps,
        test_digest=digest(test.all_texts()),
        english={name: _measure_refusals(texts) for name, texts in test.english.items()},
        foreign=_foreign_refusals(test),
        named_right=sum(_refused_language(text) == code for code, text in test.foreign),
    )
    write_results(arguments.out, report)
    _print(report)
    chosen = min((step.threshold for step in steps if step.english_refused == 0), default=None)
    if chosen != THRESHOLD:
        print(f"ml.text.language.THRESHOLD is {THRESHOLD}, but the development half chooses {chosen}.")
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.serving.language_guard", description="Measure the language guard."
    )
    parser.add_argument("--rt", type=Path, required=True, help="Rotten Tomatoes sentences: gzipped CSV, column text")
    parser.add_argument("--alexa", type=Path, required=True, help="Amazon Alexa reviews: gzipped CSV, column text")
    parser.add_argument("--imdb", type=Path, required=True, help="IMDB reviews: parquet, columns review and split")
    add_out_option(parser, "language")
    return parser.parse_args()


def _measure_loading() -> tuple[float, int]:
    """Load the model, and return how many seconds this took and how many MB (10^6 bytes) it added to peak memory."""
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    load_identifier()
    seconds = time.perf_counter() - started
    return round(seconds, 2), round((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / 1e6)


def _measure_thresholds(texts: GuardTexts) -> list[ThresholdStep]:
    english = [_probability(text) for collection in texts.english.values() for text in collection]
    foreign = [_probability(text) for _, text in texts.foreign]
    return [
        ThresholdStep(
            step, sum(p >= step for p in english), len(english), sum(p >= step for p in foreign), len(foreign)
        )
        for step in THRESHOLDS
    ]


def _foreign_refusals(texts: GuardTexts) -> dict[str, RefusalShare]:
    codes = sorted({code for code, _ in texts.foreign})
    return {
        "all": _measure_refusals([text for _, text in texts.foreign]),
        "stray": _measure_refusals(texts.stray),
        **{code: _measure_refusals([text for language, text in texts.foreign if language == code]) for code in codes},
    }


def _measure_refusals(texts: list[str]) -> RefusalShare:
    count = sum(_refused_language(text) is not None for text in texts)
    low, high = wilson_interval(count, len(texts))
    return RefusalShare(count, len(texts), count / len(texts), low, high, digest(texts))


def _probability(text: str) -> float:
    nearest = likeliest_foreign_language(text)
    return nearest.probability if nearest else 0.0


def _refused_language(text: str) -> str | None:
    foreign = foreign_language(text)
    return foreign.code if foreign else None


def _print(report: LanguageGuardReport) -> None:
    print(f"loaded in {report.load_seconds} s with {report.load_peak_mb} MB; development half:")
    for step in report.development:
        english = f"{step.english_refused:>3} of {step.english} English refused"
        print(f"  {step.threshold:.2f}  {english}  {step.foreign_refused:>3} of {step.foreign} foreign refused")
    print(f"test half at {report.threshold}; development {report.development_digest}, test {report.test_digest}:")
    for name, row in {**report.english, **report.foreign}.items():
        interval = f"{row.share:6.1%} ({row.low:.1%} to {row.high:.1%})"
        print(f"  {LANGUAGES.get(name, name):22} {row.refused:>4} of {row.texts:<5} refused, {interval}")
    print(f"  named right: {report.named_right} of {report.foreign['all'].texts}")


if __name__ == "__main__":
    sys.exit(main())
