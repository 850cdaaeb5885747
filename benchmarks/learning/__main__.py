"""Runs the learning loop on a demo, from votes in the chat to a new live model, and compares the models.

    python -m benchmarks.learning --data imdb.parquet --sentences rt_polarity.csv.gz

The benchmark starts ``thumbs demo`` in a temporary folder. Twelve people consent to training and write sentences from a
different domain over HTTP: 300, then 2,000. They vote on the predictions for their own sentences and label other
people's sentences with ``/label``, so that each sentence has two votes. Each vote is wrong with a probability of 5%.
After each round the admin sends ``/retrain``. The benchmark times the run's stages, the decision card, and the new
version's first reply. Meanwhile, three other people each write one sentence per second. If the gate holds a model that
is better on feedback, the admin promotes it. After the demo has ended, each candidate is compared with the previous
live model on held-out sentences and on official IMDB test reviews outside the gate set.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from benchmarks.common.options import add_imdb_option, add_out_option, add_sentences_option
from benchmarks.common.provenance import provenance
from benchmarks.common.results import write_results
from benchmarks.common.text_sets import shared_texts, text_sets
from benchmarks.common.thumbs_command import count_parameters
from benchmarks.learning.admin import FollowedRun, promote, quarantine_summary, retrain
from benchmarks.learning.background_load import (
    BackgroundLoad,
    background_people,
    summarise,
    wait_for_first_reply,
    wait_for_replies,
)
from benchmarks.learning.people import SimulatedPerson, TrueLabels, VoteCounts, in_parallel
from benchmarks.learning.records import ConsensusCounts, DemoRecords, RunFigures, labels_by_text
from benchmarks.learning.report import LearningLoopReport, LearningRound
from benchmarks.learning.texts import LoopTexts
from core.settings import Settings
from ml.data.reviews import read_reviews
from ml.training.dataset_splits import DatasetSplits
from ml.training.recipe import Recipe
from playground.client import PlaygroundClient
from tests.demo_process import running_demo

_PERSON_IDS: Final = range(101, 113)
_BACKGROUND_IDS: Final = range(201, 204)
_MISTAKE_RATE: Final = 0.05
# Number of replies to wait for after a new model's first reply.
_REPLIES_AFTER_SWAP: Final = 30
# Target for the time from /retrain to the new model's first reply, in seconds.
_TARGET_SECONDS: Final = 360.0


@dataclass(frozen=True, slots=True)
class _FinishedRound:
    """A finished round whose models have not been evaluated yet."""

    votes: VoteCounts
    counts: ConsensusCounts
    quarantine: str
    seconds: dict[str, float]
    run: RunFigures
    first_reply_at: float | None
    followed: FollowedRun
    load: BackgroundLoad


class _DemoSession:
    """Simulated people and an admin who use a running demo."""

    def __init__(self, client: PlaygroundClient, records: DemoRecords, texts: LoopTexts) -> None:
        self._client = client
        self._records = records
        self._texts = texts
        true_labels = TrueLabels.from_tables(texts.rounds, _MISTAKE_RATE)
        self._people = [SimulatedPerson(client, number, true_labels) for number in _PERSON_IDS]
        self._labels: Mapping[str, str] = {
            text: label for table in texts.rounds for text, label in labels_by_text(table).items()
        }
        self._background_texts = texts.meanwhile["text"].tolist()

    def consent(self) -> None:
        """Let all people except the background people consent to training."""
        for person in self._people:
            person.consent()

    def run_round(self, number: int) -> _FinishedRound:
        """Write and label a round's sentences, retrain, and wait for replies from the new model."""
        texts = self._texts.rounds[number]["text"].tolist()
        seconds: dict[str, float] = {}
        with _timed(seconds, "write and judge one's own"):
            votes = in_parallel(
                self._people, lambda place, person: _write_all(person, texts[place :: len(_PERSON_IDS)])
            )
        with _timed(seconds, "vote on others' by /label"):
            votes += in_parallel(self._people, lambda _, person: person.label())
        print(f"round {number + 1}: {votes}", flush=True)
        counts, quarantine = self._records.consensus_counts(self._labels), quarantine_summary(self._client)
        share = len(self._background_texts) // len(self._texts.rounds)
        sentences = self._background_texts[number * share : (number + 1) * share]
        with background_people(self._client, _BACKGROUND_IDS, sentences) as background:
            followed = retrain(self._client)
            if followed.promotable:
                promote(self._client, followed)
            run = self._records.newest_run()
            first_reply_at = None if run.live_at is None else wait_for_first_reply(background, run.candidate)
            wait_for_replies(background, _REPLIES_AFTER_SWAP)
        print(f"  {followed.decision}", flush=True)
        load = summarise(background, None if first_reply_at is None else run.candidate, first_reply_at)
        return _FinishedRound(votes, counts, quarantine, seconds, run, first_reply_at, followed, load)


def main() -> int:
    """Run all rounds, and write and print the results.

    Return 1 if any reply is late, repeated, missing or from an outdated model.
    """
    arguments = _arguments()
    known = DatasetSplits.from_reviews(read_reviews(arguments.data), arguments.data, Recipe.load("feedback"), None)
    texts = LoopTexts.split(read_reviews(arguments.sentences), known, arguments.rounds)
    work = Path(mkdtemp(prefix="learning-loop-"))
    records = DemoRecords(work / "var")
    imdb = {"IMDB_PATH": str(arguments.data.resolve()), "RETRAIN_AFTER": "0", "RETRAIN_DAYS": "0"}
    unlimited = {"MESSAGES_PER_MINUTE": "1000000", "TAPS_PER_MINUTE": "1000000"}  # the simulated people don't pause
    with running_demo(work / "var", **imdb, **unlimited) as demo:
        session = _DemoSession(demo.client, records, texts)
        session.consent()
        finished = [session.run_round(number) for number in range(len(texts.rounds))]
    for number, one in enumerate(finished, start=1):
        (work / f"card-{number}.png").write_bytes(one.followed.card)
    report = _report(texts, known, records, finished)
    write_results(arguments.out, report)
    _print(report)
    print(f"the cards are in {work}")
    return int(report.shared_texts > 0 or not all(map(_met_targets, report.rounds)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.learning", description="Run the learning loop on a demo."
    )
    add_imdb_option(parser)
    add_sentences_option(parser)
    parser.add_argument("--rounds", type=int, nargs="+", default=[300, 2_000], help="number of sentences in each round")
    add_out_option(parser, "learning_loop")
    return parser.parse_args()


def _write_all(person: SimulatedPerson, texts: Sequence[str]) -> VoteCounts:
    return sum((person.write(text) for text in texts), VoteCounts())


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    seconds[step] = round(time.monotonic() - started, 1)


def _report(
    texts: LoopTexts, known: DatasetSplits, records: DemoRecords, finished: Sequence[_FinishedRound]
) -> LearningLoopReport:
    parts = {**texts.by_name(), "IMDB to train": known.split.train, "IMDB dev": known.split.dev}
    return LearningLoopReport(
        provenance=provenance("keras", "tensorflow", "openvino", "celery", "python-telegram-bot"),
        parameters=count_parameters(Settings.model_fields["anchor"].default),
        people=len(_PERSON_IDS),
        mistaken=_MISTAKE_RATE,
        parts=text_sets(parts),
        shared_texts=shared_texts(parts.values()),
        rounds=[
            _measured_round(texts, records, one, len(table)) for one, table in zip(finished, texts.rounds, strict=True)
        ],
    )


def _measured_round(texts: LoopTexts, records: DemoRecords, one: _FinishedRound, sentences: int) -> LearningRound:
    """Compare the models of a finished round, and return the round's figures."""
    live, started, replied = one.run.live_at, one.followed.started_at, one.first_reply_at
    return LearningRound(
        sentences=sentences,
        votes=one.votes,
        judged=one.counts,
        quarantine=one.quarantine,
        seconds={
            **one.seconds,
            **{f"/retrain to {stage}": after for stage, after in one.followed.stage_seconds.items()},
        },
        run=one.run,
        retrain_to_live=None if replied is None else round(replied - started, 1),
        live_to_reply=None if replied is None or live is None else round(replied - live, 1),
        meanwhile=one.load,
        on_sentences=records.compare_models(one.run, texts.held_out),
        on_imdb=records.compare_models(one.run, texts.imdb),
    )


def _met_targets(one: LearningRound) -> bool:
    load = one.meanwhile
    replies_are_good = load.answered == load.sentences and not (load.late or load.doubled or load.stale)
    return replies_are_good and (one.retrain_to_live is None or one.retrain_to_live <= _TARGET_SECONDS)


def _print(report: LearningLoopReport) -> None:
    for name, part in report.parts.items():
        print(f"  {name:22} {part.reviews:>6} texts, digest {part.digest}")
    print(f"  texts in more than one part: {report.shared_texts}")
    for number, one in enumerate(report.rounds, start=1):
        print(f"round {number}: {one.sentences} sentences, {one.votes}")
        print(f"  {one.judged}; {one.quarantine}")
        for step, seconds in one.seconds.items():
            print(f"  {step:34} {seconds:7.1f} s")
        print(f"  {one.run.train} trained, {one.run.held_out} held out, {one.run.seconds} s. {one.run.sentence}")
        print(f"  /retrain to live {one.retrain_to_live} s, of which {one.live_to_reply} s after the registry")
        for name, found in (("sentences", one.on_sentences), ("IMDB", one.on_imdb)):
            if found is None:
                print(f"  {name}: nothing to compare, since the candidate was rejected")
                continue
            print(f"  {name}: {found.first_accuracy:.2%} to {found.second_accuracy:.2%} of {found.reviews}")
        print(f"  {one.meanwhile}")


if __name__ == "__main__":
    sys.exit(main())
