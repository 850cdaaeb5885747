"""Lets some of sixty people collude against the model, and measures the harm with and without the project's rules.

    python -m benchmarks.poison --data imdb.parquet --sentences rt_polarity.csv.gz

People write and label Rotten Tomatoes sentences. Of these people, 3%, 10% or 30% collude to flip labels or to plant a
phrase that makes any text Positive. The ``people`` module describes how. Each case has a separate database. As in
production, the code behind ``thumbs corrections import`` imports the votes, and the worker's code executes the run,
with the default rules and limits. The same fine-tune also runs on all votes without the rules. The only difference from
production is a smaller network. As in ``benchmarks.learning``, an admin promotes a held model if it is better on
feedback, unless the decision card lists a suspicious word.

The exit status is 1 if a text is in more than one set, if no model went live even though nobody colluded, or if a
harmful model went live with 3% or 10% of the people colluding. A model is harmful if its accuracy on the reviews
outside the gate set drops by more than 0.3 points, or if the phrase works on it.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.common.options import add_imdb_option, add_sentences_option
from benchmarks.common.provenance import provenance
from benchmarks.common.results import write_results
from benchmarks.common.text_sets import shared_texts, text_sets
from benchmarks.poison.effects import Effect, measure_effect
from benchmarks.poison.network import DEFAULT, PoisonNetwork, make_network
from benchmarks.poison.parallel import run_cases
from benchmarks.poison.people import MISTAKEN, PHRASE
from benchmarks.poison.plan import PEOPLE, all_cases
from benchmarks.poison.report import CaseReport, PoisonReport, find_faults, group_cases
from benchmarks.poison.texts import PoisonTexts
from ml.data.reviews import read_reviews
from ml.serving.engine import Classifier
from ml.training.dataset_splits import DatasetSplits

_PACKAGES: Final = ("keras", "tensorflow", "openvino", "sqlalchemy")


def main() -> int:
    """Run all cases, write and print the results, and return the exit status."""
    arguments = _arguments()
    started = time.monotonic()
    known = DatasetSplits.from_reviews(read_reviews(arguments.data), arguments.data, DEFAULT, arguments.reviews)
    texts = PoisonTexts.split(read_reviews(arguments.sentences), known)
    with TemporaryDirectory(prefix="poison-", ignore_cleanup_errors=True) as folder:
        work = Path(folder)
        network = make_network(work, texts.write_reviews(work / "reviews.parquet"), arguments.layers)
        live = measure_effect(Classifier.load(network.anchor), texts)
        print(f"{network.parameters:,} parameters, {live}", flush=True)
        reports = run_cases(all_cases(arguments.seeds), network, texts, work)
    report = _report(network, texts, live, reports, (time.monotonic() - started) / 60)
    if arguments.out:
        write_results(arguments.out, report)
    print("\n".join([*map(str, report.groups), f"{report.minutes:.0f} minutes", *report.faults]))
    return int(bool(report.faults) or report.shared_texts > 0)


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.poison", description="Simulate people who collude against the model."
    )
    add_imdb_option(parser)
    add_sentences_option(parser)
    parser.add_argument("--seeds", type=int, default=5, help="number of draws for each attack and share of people")
    parser.add_argument("--layers", type=int, default=3, help="number of layers in the small network")
    parser.add_argument(
        "--reviews", type=int, default=2_000, help="number of IMDB reviews for training the small network"
    )
    parser.add_argument("--out", type=Path, help="results file, such as benchmarks/results/poison.json")
    return parser.parse_args(given)


def _report(
    network: PoisonNetwork, texts: PoisonTexts, live: Effect, reports: Sequence[CaseReport], minutes: float
) -> PoisonReport:
    return PoisonReport(
        provenance=provenance(*_PACKAGES),
        parameters=network.parameters,
        layers=network.layers,
        people=PEOPLE,
        mistaken=MISTAKEN,
        phrase=PHRASE,
        parts=text_sets(texts.by_name()),
        shared_texts=shared_texts(texts.by_name().values()),
        live=live,
        groups=group_cases(reports, live),
        cases=tuple(reports),
        faults=tuple(find_faults(reports, live)),
        minutes=round(minutes, 1),
    )


if __name__ == "__main__":
    sys.exit(main())
