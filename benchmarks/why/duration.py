"""Measures how long it takes to explain the verdict on 100 words."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np

from ml.explanation.explain import explain
from ml.explanation.words import find_words
from ml.serving.engine import Classifier

_WORDS: Final = 100
_RUNS: Final = 50


@dataclass(frozen=True, slots=True)
class Duration:
    """How many seconds it takes to explain the verdict on a text of ``words`` words, measured on ``runs`` texts."""

    words: int
    runs: int
    threads: int
    median: float
    p95: float


def measure_duration(classifier: Classifier, texts: Sequence[str]) -> Duration:
    """Explain the verdicts on the first 100 words of long texts, one text at a time.

    Raise ValueError if no text has that many words.
    """
    passages = list(islice(_first_words(texts), _RUNS))
    if not passages:
        raise ValueError(f"no text has {_WORDS} words")
    seconds = []
    for passage in passages:
        started = time.perf_counter()
        explain(passage, classifier.engine.tokenizer, classifier.classify)
        seconds.append(time.perf_counter() - started)
    threads = int(classifier.engine.graph.get_property("INFERENCE_NUM_THREADS"))
    return Duration(_WORDS, len(passages), threads, float(np.median(seconds)), float(np.quantile(seconds, 0.95)))


def _first_words(texts: Sequence[str]) -> Iterator[str]:
    for text in texts:
        words = find_words(text)
        if len(words) >= _WORDS:
            yield text[: words[_WORDS - 1].end]
