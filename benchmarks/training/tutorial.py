"""Runs the ``tutorial`` recipe with ``thumbs`` commands, from the CSV file to the two example predictions.

    python -m benchmarks.training.tutorial --data imdb.parquet --limit 1000

BERT-base needs a GPU, so this fine-tunes the default encoder on ``--limit`` rows. To run the whole tutorial on a GPU:

    thumbs fine-tune --recipe tutorial --data "IMDB Dataset.csv" --out var/models/tutorial
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.common.options import add_out_option
from benchmarks.common.provenance import Provenance, provenance
from benchmarks.common.results import write_results
from benchmarks.common.thumbs_command import count_parameters, run_thumbs
from ml.data.reviews import read_reviews
from ml.text.labels import LABELS
from ml.training.base_model import DEFAULT_BASE_MODEL
from ml.training.dataset_splits import DatasetSplits
from ml.training.recipe import Recipe

# The tutorial's examples.
_EXAMPLES = (
    "This was a good movie. I would watch it again",
    "I cannot believe I have wasted time on this movie, it is the worst movie I have ever seen",
)


@dataclass(frozen=True, slots=True)
class TutorialReport:
    """The content of ``benchmarks/results/tutorial.json``: figures from the manifest, and the example predictions."""

    provenance: Provenance
    base: str
    parameters: int
    limit: int
    train: int
    steps: int
    dev: dict[str, Any]
    shared: int
    """Number of evaluation rows in this run whose text is also in the training rows."""
    shared_of_all: int
    """``shared`` for a split of all 50,000 rows, with 5,000 evaluation rows."""
    train_digest: str
    dev_digest: str
    examples: dict[str, str]


def main() -> None:
    """Run the commands, write and print the results."""
    arguments = _arguments()
    with TemporaryDirectory() as work:
        report = _report(arguments, Path(work))
    write_results(arguments.out, report)
    print(json.dumps(asdict(report), indent=2))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training.tutorial", description="Run the tutorial's recipe from start to finish."
    )
    parser.add_argument("--data", type=Path, required=True, help="all 50,000 labelled reviews")
    parser.add_argument("--limit", type=int, required=True, help="number of rows to use")
    parser.add_argument("--base", default=DEFAULT_BASE_MODEL, help="encoder to fine-tune")
    add_out_option(parser, "tutorial")
    return parser.parse_args()


def _report(arguments: argparse.Namespace, work: Path) -> TutorialReport:
    reviews = read_reviews(arguments.data)
    table, folder = work / "IMDB Dataset.csv", work / "tutorial"
    words = reviews["label"].map(dict(enumerate(label.lower() for label in LABELS)))
    reviews.assign(review=reviews["text"], sentiment=words)[["review", "sentiment"]].to_csv(table, index=False)
    plan = ("--recipe", "tutorial", "--base", arguments.base, "--limit", str(arguments.limit))
    manifest = json.loads(run_thumbs("fine-tune", "--data", str(table), *plan, "--out", str(folder), "--json"))
    shared = DatasetSplits.from_reviews(
        reviews, arguments.data, Recipe.load("tutorial"), None
    ).split.dev_texts_in_train()
    data = manifest["data"]
    return TutorialReport(
        provenance=provenance("keras", "tensorflow", "openvino", "tokenizers", "numpy"),
        base=manifest["base"],
        parameters=count_parameters(folder),
        limit=arguments.limit,
        train=data["train"]["reviews"],
        steps=manifest["recipe"]["steps"],
        dev=manifest["figures"]["dev"],
        shared=data["dev_texts_also_in_train"],
        shared_of_all=shared,
        train_digest=data["train"]["digest"],
        dev_digest=data["dev"]["digest"],
        examples={text: run_thumbs("predict", "--model", str(folder), text).strip() for text in _EXAMPLES},
    )


if __name__ == "__main__":
    main()
