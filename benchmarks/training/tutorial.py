"""The tutorial from its CSV to its two example sentences, by the commands that people run.

    python -m benchmarks.training.tutorial --data imdb.parquet --limit 1000

BERT-base takes a GPU; so this fine-tunes the default encoder, on so many of the rows, by the recipe ``tutorial``. On a
GPU the same is

    thumbs fine-tune --recipe tutorial --data "IMDB Dataset.csv" --out var/models/tutorial
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.common.arguments import parameters, thumbs
from benchmarks.common.provenance import Provenance, provenance
from ml.data.reviews import read_reviews
from ml.text.labels import LABELS
from ml.training.base_model import DEFAULT_BASE_MODEL
from ml.training.dataset_splits import DatasetSplits
from ml.training.recipe import Recipe

# The tutorial's own two.
_EXAMPLES = (
    "This was a good movie. I would watch it again",
    "I cannot believe I have wasted time on this movie, it is the worst movie I have ever seen",
)


@dataclass(frozen=True, slots=True)
class Report:
    """What ``benchmarks/results/tutorial.json`` holds: the size, the figures of the manifest, and the two verdicts."""

    provenance: Provenance
    base: str
    parameters: int
    limit: int
    train: int
    steps: int
    dev: dict[str, Any]
    shared: int
    """Measured rows whose text is trained on too, of this run."""
    shared_of_all: int
    """The same of 5,000, when all 50,000 rows are split by the recipe."""
    train_digest: str
    dev_digest: str
    examples: dict[str, str]


def main() -> None:
    """Run the commands, write the JSON and print it."""
    arguments = _arguments()
    with TemporaryDirectory() as work:
        report = _report(arguments, Path(work))
    arguments.out.write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
    print(json.dumps(asdict(report), indent=2))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training.tutorial", description="Run the tutorial end to end."
    )
    parser.add_argument("--data", type=Path, required=True, help="all 50,000 labelled reviews")
    parser.add_argument("--limit", type=int, required=True, help="rows to use of them")
    parser.add_argument("--base", default=DEFAULT_BASE_MODEL, help="the encoder")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/tutorial.json"), help="results file")
    return parser.parse_args()


def _report(arguments: argparse.Namespace, work: Path) -> Report:
    reviews = read_reviews(arguments.data)
    table, folder = work / "IMDB Dataset.csv", work / "tutorial"
    words = reviews["label"].map(dict(enumerate(label.lower() for label in LABELS)))
    reviews.assign(review=reviews["text"], sentiment=words)[["review", "sentiment"]].to_csv(table, index=False)
    plan = ("--recipe", "tutorial", "--base", arguments.base, "--limit", str(arguments.limit))
    manifest = json.loads(thumbs("fine-tune", "--data", str(table), *plan, "--out", str(folder), "--json"))
    shared = DatasetSplits.from_reviews(
        reviews, arguments.data, Recipe.load("tutorial"), None
    ).split.dev_texts_in_train()
    data = manifest["data"]
    return Report(
        provenance=provenance("keras", "tensorflow", "openvino", "tokenizers", "numpy"),
        base=manifest["base"],
        parameters=parameters(folder),
        limit=arguments.limit,
        train=data["train"]["reviews"],
        steps=manifest["recipe"]["steps"],
        dev=manifest["figures"]["dev"],
        shared=data["dev_texts_also_in_train"],
        shared_of_all=shared,
        train_digest=data["train"]["digest"],
        dev_digest=data["dev"]["digest"],
        examples={text: thumbs("predict", "--model", str(folder), text).strip() for text in _EXAMPLES},
    )


if __name__ == "__main__":
    main()
