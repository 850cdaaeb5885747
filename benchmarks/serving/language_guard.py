"""How often the language guard refuses English, and how many texts in other languages it catches.

The development half chooses ``ml.text.language.THRESHOLD``, the test half measures it. From the repository's root:

    python -m benchmarks.serving.language_guard --rt rt_polarity.csv.gz --alexa amazon_alexa.csv.gz --imdb imdb.parquet

Exits with 1 when the development half chooses another threshold than the module's.
"""

import argparse
import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.common.provenance import Provenance, provenance
from benchmarks.serving.language_texts import Texts, read_halves
from ml.evaluation.intervals import wilson_interval
from ml.text.fingerprints import digest
from ml.text.language import LANGUAGES, THRESHOLD, foreign_language, likeliest_foreign_language, load_identifier

STEPS = [round(0.5 + 0.05 * step, 2) for step in range(10)]


@dataclass(frozen=True, slots=True)
class Refused:
    """How many of a set of texts are refused, as a share from 0 to 1 with its 95 % interval (Wilson)."""

    refused: int
    texts: int
    share: float
    low: float
    high: float
    digest: str
    """``digest`` of the texts."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one threshold does to the development half."""

    threshold: float
    english_refused: int
    english: int
    foreign_refused: int
    foreign: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that ``benchmarks/results/language.json`` holds."""

    provenance: Provenance
    threshold: float
    load_seconds: float
    load_peak_mb: int
    """Growth of the process's peak memory while the model loads, 10^6 bytes."""
    development_digest: str
    development: list[Step]
    test_digest: str
    english: dict[str, Refused]
    """False refusals by collection."""
    foreign: dict[str, Refused]
    """Texts caught by language, ``all`` of them, and the ``stray`` ones of the public English collections."""
    named_right: int
    """Texts of ``all`` that are refused under their own language's name."""


def main() -> int:
    """Measure, write the JSON and print it as tables; returns the exit status."""
    arguments = _arguments()
    load_seconds, load_peak_mb = _load()
    development, test = read_halves(arguments.rt, arguments.alexa, arguments.imdb)
    steps = _sweep(development)
    report = Report(
        provenance=provenance("py3langid", "numpy"),
        threshold=THRESHOLD,
        load_seconds=load_seconds,
        load_peak_mb=load_peak_mb,
        development_digest=digest(development.everything()),
        development=steps,
        test_digest=digest(test.everything()),
        english={name: _refused(texts) for name, texts in test.english.items()},
        foreign=_caught(test),
        named_right=sum(_code(text) == code for code, text in test.foreign),
    )
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
    _print(report)
    chosen = min((step.threshold for step in steps if step.english_refused == 0), default=None)
    if chosen != THRESHOLD:
        print(f"ml.text.language.THRESHOLD is {THRESHOLD}, and the development half chooses {chosen}.")
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.serving.language_guard", description="Measure the language guard."
    )
    parser.add_argument("--rt", type=Path, required=True, help="Rotten Tomatoes sentences: gzipped CSV, column text")
    parser.add_argument("--alexa", type=Path, required=True, help="Amazon Alexa reviews: gzipped CSV, column text")
    parser.add_argument("--imdb", type=Path, required=True, help="IMDB reviews: parquet, columns review and split")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/language.json"), help="results file")
    return parser.parse_args()


def _load() -> tuple[float, int]:
    """Load the model; returns the seconds and the growth of the peak memory in 10^6 bytes (Linux counts in KiB)."""
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    load_identifier()
    seconds = time.perf_counter() - started
    return round(seconds, 2), round((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / 1e6)


def _sweep(texts: Texts) -> list[Step]:
    english = [_probability(text) for collection in texts.english.values() for text in collection]
    foreign = [_probability(text) for _, text in texts.foreign]
    return [
        Step(step, sum(p >= step for p in english), len(english), sum(p >= step for p in foreign), len(foreign))
        for step in STEPS
    ]


def _caught(texts: Texts) -> dict[str, Refused]:
    codes = sorted({code for code, _ in texts.foreign})
    return {
        "all": _refused([text for _, text in texts.foreign]),
        "stray": _refused(texts.stray),
        **{code: _refused([text for own, text in texts.foreign if own == code]) for code in codes},
    }


def _refused(texts: list[str]) -> Refused:
    count = sum(_code(text) is not None for text in texts)
    low, high = wilson_interval(count, len(texts))
    return Refused(count, len(texts), count / len(texts), low, high, digest(texts))


def _probability(text: str) -> float:
    nearest = likeliest_foreign_language(text)
    return nearest.probability if nearest else 0.0


def _code(text: str) -> str | None:
    foreign = foreign_language(text)
    return foreign.code if foreign else None


def _print(report: Report) -> None:
    print(f"loaded in {report.load_seconds} s with {report.load_peak_mb} MB; development half:")
    for step in report.development:
        english = f"{step.english_refused:>3} of {step.english} English refused"
        print(f"  {step.threshold:.2f}  {english}  {step.foreign_refused:>3} of {step.foreign} foreign caught")
    print(f"test half at {report.threshold}; development {report.development_digest}, test {report.test_digest}:")
    for name, row in {**report.english, **report.foreign}.items():
        interval = f"{row.share:6.1%} ({row.low:.1%} to {row.high:.1%})"
        print(f"  {LANGUAGES.get(name, name):22} {row.refused:>4} of {row.texts:<5} refused, {interval}")
    print(f"  named right: {report.named_right} of {report.foreign['all'].texts}")


if __name__ == "__main__":
    sys.exit(main())
