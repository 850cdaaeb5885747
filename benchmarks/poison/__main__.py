"""Lets some of sixty people collude against the model, and looks at what becomes of it, with the rules and without.

    python -m benchmarks.poison --data imdb.parquet --sentences rt_polarity.csv.gz

People write and judge Rotten Tomatoes sentences. 3 %, 10 % and 30 % of them collude to flip labels, or to plant a
phrase that makes anything Positive; see ``people`` for how. Each case is a database of its own, brought in as
``thumbs corrections import`` does and trained on as a worker does, by the settings' own rules and bounds, and beside it
the same fine-tune on all votes as they are. Nothing is smaller than in production but the network. An admin promotes
what is held although it is better on feedback, as in ``benchmarks.learning``, unless the card names a word.

The exit status is 1 when, with 3 % or 10 % colluding, a model that went live lost more than 0.3 points on the reviews
outside the gate set, or the phrase works on it, when nothing goes live though nobody colludes, or when a text stands in
two of the parts.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks.common.provenance import provenance
from benchmarks.common.text_sets import parts_of, shared_texts
from benchmarks.poison.effects import Effect, effect_of
from benchmarks.poison.network import DEFAULT, SmallNetwork, make_network
from benchmarks.poison.parallel import carry_out
from benchmarks.poison.people import MISTAKEN, PHRASE
from benchmarks.poison.plan import PEOPLE, cases
from benchmarks.poison.report import CaseReport, Report, faults, grouped
from benchmarks.poison.texts import Texts
from ml.data.reviews import read_reviews
from ml.serving.engine import Classifier
from ml.training.dataset_splits import DatasetSplits

_PACKAGES: Final = ("keras", "tensorflow", "openvino", "sqlalchemy")


def main() -> int:
    """Carry it out, write the JSON and print it; the exit status."""
    arguments = _arguments()
    started = time.monotonic()
    known = DatasetSplits.from_reviews(read_reviews(arguments.data), arguments.data, DEFAULT, arguments.reviews)
    texts = Texts.cut(read_reviews(arguments.sentences), known)
    with TemporaryDirectory(prefix="poison-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        network = make_network(place, texts.write_reviews(place / "reviews.parquet"), arguments.layers)
        live = effect_of(Classifier.load(network.anchor), texts)
        print(f"{network.parameters:,} parameters, {live}", flush=True)
        reports = carry_out(cases(arguments.seeds), network, texts, place)
    report = _report(network, texts, live, reports, (time.monotonic() - started) / 60)
    if arguments.out:
        arguments.out.write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
    print("\n".join([*map(str, report.groups), f"{report.minutes:.0f} minutes", *report.faults]))
    return int(bool(report.faults) or report.shared_texts > 0)


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.poison", description="Collude against the model.")
    parser.add_argument("--data", type=Path, required=True, help="IMDB reviews with the official split: parquet")
    parser.add_argument("--sentences", type=Path, required=True, help="labelled sentences of another domain: CSV")
    parser.add_argument("--seeds", type=int, default=5, help="draws of people for each attack and share")
    parser.add_argument("--layers", type=int, default=3, help="blocks of the small network")
    parser.add_argument("--reviews", type=int, default=2_000, help="IMDB reviews that the small network is trained on")
    parser.add_argument("--out", type=Path, help="results file, such as benchmarks/results/poison.json")
    return parser.parse_args(given)


def _report(network: SmallNetwork, texts: Texts, live: Effect, reports: Sequence[CaseReport], minutes: float) -> Report:
    return Report(
        provenance=provenance(*_PACKAGES),
        parameters=network.parameters,
        layers=network.layers,
        people=PEOPLE,
        mistaken=MISTAKEN,
        phrase=PHRASE,
        parts=parts_of(texts.named()),
        shared_texts=shared_texts(texts.named().values()),
        live=live,
        groups=grouped(reports, live),
        cases=tuple(reports),
        faults=tuple(faults(reports, live)),
        minutes=round(minutes, 1),
    )


if __name__ == "__main__":
    sys.exit(main())
