"""Measures how many texts that are not reviews get no verdict, and how many reviews wrongly get none.

The chat lines in ``texts/chat_lines.txt`` were written without knowledge of the rules or the review head. No choice was
based on these lines, on the neutral tweets, or on the domains' reported halves.

    python -m benchmarks.serving.sense --data FOLDER

The folder contains ``imdb.parquet`` and the files of the four domains, as for ``python -m benchmarks.domains``.
"""

import argparse
import random
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common.options import add_out_option
from benchmarks.common.provenance import Provenance, provenance
from benchmarks.common.results import write_results
from benchmarks.domains.distinct_texts import DOMAINS, half_of
from core.paths import STARTER
from ml.data.everyday_lines import everyday_lines, short_opinions
from ml.data.reviews import read_table
from ml.evaluation.intervals import wilson_interval
from ml.serving.answers import NOT_A_REVIEW, answer_texts
from ml.serving.engine import Classifier
from ml.text.crisis import asks_for_help
from ml.text.fingerprints import digest, fingerprint

CHAT_LINES = Path(__file__).parent / "texts" / "chat_lines.txt"
NEUTRAL = "-1"
SEED = 20_261_129
_CHUNK = 64


@dataclass(frozen=True, slots=True)
class Refusals:
    """The texts in one set that got no verdict from the model: their number and share, with Wilson's 95% interval."""

    texts: int
    by_head: int
    """Texts that don't read like a review."""
    by_rule: int
    """Texts without words or not in English, ratings, and cries for help."""
    cries_for_help: int
    """Texts that the rule takes for a cry for help, which are also counted in ``by_rule``."""
    share: float
    low: float
    high: float
    digest: str
    """The digest of the texts, from ``ml.text.fingerprints.digest``."""


@dataclass(frozen=True, slots=True)
class SenseReport:
    """The content of ``benchmarks/results/sense.json``."""

    provenance: Provenance
    version: str
    layer: int
    threshold: float
    lines_in_fit: int
    """Chat lines left out because heads are fitted on them."""
    others: dict[str, Refusals]
    """Texts that are not reviews: all should be refused."""
    reviews: dict[str, Refusals]
    """Reviews: none should be refused."""


def main() -> int:
    """Measure, write and print the results, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving.sense", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="Folder with imdb.parquet and the domains' files")
    parser.add_argument("--model", type=Path, default=STARTER, help="Folder of a published model with a review head")
    parser.add_argument("--reviews", type=int, default=1000, help="The most reviews to draw from each set")
    add_out_option(parser, "sense")
    arguments = parser.parse_args()
    classifier = Classifier.load(arguments.model)
    head = classifier.engine.review_head
    if head is None:
        parser.error(f"{arguments.model} has no review head; run thumbs review-head first")
    fitted = {fingerprint(line) for line in [*everyday_lines(), *short_opinions()]}
    lines = [line for line in CHAT_LINES.read_text(encoding="utf-8").splitlines() if line.strip()]
    unseen = [line for line in lines if fingerprint(line) not in fitted]
    others = {"chat_lines": unseen, "neutral_tweets": _neutral_tweets(arguments.data)}
    report = SenseReport(
        provenance=provenance("openvino", "numpy"),
        version=classifier.version,
        layer=head.layer,
        threshold=head.threshold,
        lines_in_fit=len(lines) - len(unseen),
        others={name: _measure(classifier, texts) for name, texts in others.items()},
        reviews={
            name: _measure(classifier, texts) for name, texts in _reviews(arguments.data, arguments.reviews).items()
        },
    )
    write_results(arguments.out, report)
    _print(report)
    return 0


def _neutral_tweets(folder: Path) -> list[str]:
    table = read_table(folder / "sentiment140_manual.csv.gz")
    return table.loc[table["label"] == NEUTRAL, "text"].tolist()


def _reviews(folder: Path, most: int) -> dict[str, list[str]]:
    """Return up to ``most`` reviews from the IMDB test split and from the reported half of each domain."""
    imdb = read_table(folder / "imdb.parquet")
    sets = {"imdb": imdb.loc[imdb["split"] == "test", "review"].tolist()}
    for name, domain in DOMAINS.items():
        table = read_table(folder / domain.file)
        texts = {fingerprint(text): text for text in table.loc[table["label"] != NEUTRAL, "text"]}
        sets[name] = [text for key, text in texts.items() if half_of(key) == "reported"]
    return {name: random.Random(SEED).sample(texts, min(len(texts), most)) for name, texts in sets.items()}


def _measure(classifier: Classifier, texts: list[str]) -> Refusals:
    reasons: list[str] = []
    for start in range(0, len(texts), _CHUNK):
        answers = answer_texts(classifier.classify, texts[start : start + _CHUNK])
        reasons += [answer.reason for answer in answers if answer.reason is not None]
    by_head = reasons.count(NOT_A_REVIEW)
    low, high = wilson_interval(len(reasons), len(texts))
    share, cries = len(reasons) / len(texts), sum(map(asks_for_help, texts))
    return Refusals(len(texts), by_head, len(reasons) - by_head, cries, share, low, high, digest(texts))


def _print(report: SenseReport) -> None:
    print(f"model {report.version}, layer {report.layer}, threshold {report.threshold:.2f}")
    for name, row in {**report.others, **report.reviews}.items():
        kinds = f"{row.by_head:>4} by the head, {row.by_rule:>3} by rules"
        print(f"  {name:16} of {row.texts:<5} {kinds}, {row.share:6.1%} ({row.low:.1%} to {row.high:.1%})")


if __name__ == "__main__":
    sys.exit(main())
