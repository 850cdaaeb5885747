"""Measures a published model as it is served: the time to load and to answer, memory, and texts per second.

    python -m benchmarks.gpu_full_run.serving FOLDER

The program runs in a separate process, so that its memory use is that of a single model. It prints the figures as JSON.
"""

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from benchmarks.gpu_full_run.memory import current_memory, peak_memory
from benchmarks.gpu_full_run.texts import serving_texts
from ml.serving.engine import Classifier
from ml.serving.probes import PROBES

# Seconds to classify each set of texts.
_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class ServingFigures:
    """How a published model performs when served in int8.

    Memory is in bytes and includes the program and its libraries.
    """

    seconds_to_load: float
    seconds_to_first_answer: float
    """Measured from the end of loading."""
    peak_memory_of_loading: int
    memory: int
    texts_per_second: dict[str, float]
    """By set: ``short``, ``window`` and ``mix``."""


def measure(folder: Path, seconds: float = _SECONDS) -> ServingFigures:
    """Load the model in ``folder``, and classify each set of texts for at least ``seconds``."""
    started = time.perf_counter()
    classifier = Classifier.load(folder)
    loaded = time.perf_counter()
    peak = peak_memory(os.getpid())
    classifier.classify(PROBES[:1])
    answered = time.perf_counter()
    speeds = {
        name: _texts_per_second(classifier, texts, seconds)
        for name, texts in serving_texts(classifier.engine.tokenizer).items()
    }
    return ServingFigures(
        round(loaded - started, 3), round(answered - loaded, 4), peak, current_memory(os.getpid()), speeds
    )


def _texts_per_second(classifier: Classifier, texts: Sequence[str], seconds: float) -> float:
    started, done = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - started) < seconds or not done:
        classifier.classify(texts)
        done += len(texts)
    return round(done / elapsed, 1)


def main() -> None:
    """Measure the model in the folder given on the command line, and print the figures."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu_full_run.serving", description="Measure a published model as it is served."
    )
    parser.add_argument("folder", type=Path, help="a published model")
    print(json.dumps(asdict(measure(parser.parse_args().folder))))


if __name__ == "__main__":
    main()
