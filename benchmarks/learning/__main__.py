"""From judgements to the model that answers, on the running demo, as people and an admin do it in the chat.

    python -m benchmarks.learning --data imdb.parquet --sentences rt_polarity.csv.gz

Starts ``thumbs demo`` in a folder of its own. Twelve people let it learn from them and write sentences of another
domain over HTTP: 300, then 2,000. Each says whether the verdict on their own is right, and votes on others' by
``/label``, so that a sentence has two votes, each mistaken with a chance of 5 %. After each round the admin sends
``/retrain``; what the chat shows is timed until the card, and until a reply names the new version, while three other
people write a sentence a second each. A model that the gate holds although it is better on feedback is promoted by the
admin under its card. When the demo has ended, the live models before and the candidates are held against each other on
sentences that nobody wrote, and on official test reviews of IMDB that the gate does not have.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from benchmarks.common.arguments import parameters
from benchmarks.common.provenance import Provenance, provenance
from benchmarks.common.text_sets import Part, parts_of, shared_texts
from benchmarks.learning.admin import Followed, promote, quarantined, retrain
from benchmarks.learning.background_load import Asker, BackgroundLoad, asking, first_answer, more_answers, summed_up
from benchmarks.learning.figures import Judged, Records, RunFigures, labels_of
from benchmarks.learning.people import Person, Truth, Votes, together
from benchmarks.learning.texts import Texts
from core.settings import Settings
from ml.data.reviews import read_reviews
from ml.evaluation.comparison import Comparison
from ml.training.dataset_splits import DatasetSplits
from ml.training.recipe import Recipe
from playground.client import PlaygroundClient
from tests.demo_process import running_demo

_PEOPLE: Final = range(101, 113)
_ASKERS: Final = range(201, 204)
_MISTAKEN: Final = 0.05
# Replies that are watched after the first one of a new model.
_AFTER: Final = 30
# Seconds from /retrain to the first reply of the new model that were aimed at.
_AIM: Final = 360.0


@dataclass(frozen=True, slots=True)
class Round:
    """One round; ``seconds`` are of each step, those of ``/retrain`` counted from it as the chat showed them."""

    sentences: int
    votes: Votes
    judged: Judged
    quarantine: str
    """What ``/quarantine`` said before the run."""
    seconds: dict[str, float]
    run: RunFigures
    retrain_to_live: float | None
    """Seconds to the first reply that named the candidate; None where it did not go live."""
    live_to_reply: float | None
    """The part of that from the registry's row to the reply."""
    meanwhile: BackgroundLoad
    on_sentences: Comparison | None
    on_imdb: Comparison | None


@dataclass(frozen=True, slots=True)
class Report:
    """What ``benchmarks/results/learning_loop.json`` holds; accuracies and their differences are shares."""

    provenance: Provenance
    parameters: int
    people: int
    mistaken: float
    parts: dict[str, Part]
    shared_texts: int
    """Texts that stand in two of the parts, counted by their fingerprints."""
    rounds: list[Round]


@dataclass(frozen=True, slots=True)
class _Lived:
    """A round before its models are measured."""

    votes: Votes
    judged: Judged
    quarantine: str
    seconds: dict[str, float]
    run: RunFigures
    first: float | None
    followed: Followed
    meanwhile: BackgroundLoad


class _Bench:
    """The demo as its people see it."""

    def __init__(self, client: PlaygroundClient, records: Records, texts: Texts) -> None:
        self._client = client
        self._records = records
        self._texts = texts
        truth = Truth.of(texts.rounds, _MISTAKEN)
        self._people = [Person(client, number, truth) for number in _PEOPLE]
        self._labels: Mapping[str, str] = {
            text: label for table in texts.rounds for text, label in labels_of(table).items()
        }
        self._meanwhile = texts.meanwhile["text"].tolist()

    def consent(self) -> None:
        """Everybody but those who just ask lets the bot learn."""
        for person in self._people:
            person.consent()

    def round(self, number: int) -> _Lived:
        """Write and judge the sentences of a round, retrain, and look at who answers then."""
        texts = self._texts.rounds[number]["text"].tolist()
        seconds: dict[str, float] = {}
        with _timed(seconds, "write and judge one's own"):
            votes = together(self._people, lambda place, person: _written(person, texts[place :: len(_PEOPLE)]))
        with _timed(seconds, "vote on others' by /label"):
            votes += together(self._people, lambda _, person: person.label())
        print(f"round {number + 1}: {votes}", flush=True)
        judged, quarantine = self._records.judged(self._labels), quarantined(self._client)
        share = len(self._meanwhile) // len(self._texts.rounds)
        sentences = self._meanwhile[number * share : (number + 1) * share]
        with asking(self._client, _ASKERS, sentences) as askers:
            followed = retrain(self._client)
            if followed.worth_a_tap:
                promote(self._client, followed)
            run = self._records.newest_run()
            first = None if run.live_at is None else first_answer(askers, run.candidate)
            more_answers(askers, _AFTER)
        print(f"  {followed.decision}", flush=True)
        meanwhile = _summed_up(askers, run, first)
        return _Lived(votes, judged, quarantine, seconds, run, first, followed, meanwhile)


def main() -> int:
    """Run it, write the JSON and the cards, and print it; 1 when a reply was late, doubled, missing or stale."""
    arguments = _arguments()
    known = DatasetSplits.from_reviews(read_reviews(arguments.data), arguments.data, Recipe.load("feedback"), None)
    texts = Texts.cut(read_reviews(arguments.sentences), known, arguments.rounds)
    work = Path(mkdtemp(prefix="learning-loop-"))
    records = Records(work / "var")
    imdb = {"IMDB_PATH": str(arguments.data.resolve()), "RETRAIN_AFTER": "0", "RETRAIN_DAYS": "0"}
    with running_demo(work / "var", **imdb) as demo:
        bench = _Bench(demo.client, records, texts)
        bench.consent()
        lived = [bench.round(number) for number in range(len(texts.rounds))]
    for number, one in enumerate(lived, start=1):
        (work / f"card-{number}.png").write_bytes(one.followed.card)
    report = _report(texts, known, records, lived)
    arguments.out.write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
    _print(report)
    print(f"the cards are in {work}")
    return int(report.shared_texts > 0 or not all(map(_as_aimed, report.rounds)))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.learning", description=(__doc__ or "")[:104])
    parser.add_argument("--data", type=Path, required=True, help="IMDB reviews with the official split: parquet")
    parser.add_argument("--sentences", type=Path, required=True, help="labelled sentences of another domain: CSV")
    parser.add_argument("--rounds", type=int, nargs="+", default=[300, 2_000], help="sentences of each round")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/learning_loop.json"), help="results file")
    return parser.parse_args()


def _written(person: Person, texts: Sequence[str]) -> Votes:
    return sum((person.write(text) for text in texts), Votes())


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    seconds[step] = round(time.monotonic() - started, 1)


def _summed_up(askers: Sequence[Asker], run: RunFigures, first: float | None) -> BackgroundLoad:
    return summed_up(askers, run.candidate if first is not None else None, first)


def _report(texts: Texts, known: DatasetSplits, records: Records, lived: Sequence[_Lived]) -> Report:
    parts = {**texts.named(), "IMDB to train": known.split.train, "IMDB dev": known.split.dev}
    return Report(
        provenance=provenance("keras", "tensorflow", "openvino", "celery", "python-telegram-bot"),
        parameters=parameters(Settings.model_fields["anchor"].default),
        people=len(_PEOPLE),
        mistaken=_MISTAKEN,
        parts=parts_of(parts),
        shared_texts=shared_texts(parts.values()),
        rounds=[_round(texts, records, one, len(table)) for one, table in zip(lived, texts.rounds, strict=True)],
    )


def _round(texts: Texts, records: Records, one: _Lived, sentences: int) -> Round:
    """The round with its models measured."""
    live, started = one.run.live_at, one.followed.started
    return Round(
        sentences=sentences,
        votes=one.votes,
        judged=one.judged,
        quarantine=one.quarantine,
        seconds={**one.seconds, **{f"/retrain to {stage}": after for stage, after in one.followed.seen.items()}},
        run=one.run,
        retrain_to_live=None if one.first is None else round(one.first - started, 1),
        live_to_reply=None if one.first is None or live is None else round(one.first - live, 1),
        meanwhile=one.meanwhile,
        on_sentences=records.compared(one.run, texts.held_out),
        on_imdb=records.compared(one.run, texts.imdb),
    )


def _as_aimed(one: Round) -> bool:
    seen = one.meanwhile
    answered_well = seen.answered == seen.sentences and not (seen.late or seen.doubled or seen.stale)
    return answered_well and (one.retrain_to_live is None or one.retrain_to_live <= _AIM)


def _print(report: Report) -> None:
    for name, part in report.parts.items():
        print(f"  {name:22} {part.reviews:>6} texts, digest {part.digest}")
    print(f"  texts in two parts: {report.shared_texts}")
    for number, one in enumerate(report.rounds, start=1):
        print(f"round {number}: {one.sentences} sentences, {one.votes}")
        print(f"  {one.judged}; {one.quarantine}")
        for step, seconds in one.seconds.items():
            print(f"  {step:34} {seconds:7.1f} s")
        print(f"  {one.run.train} trained, {one.run.held_out} held out, {one.run.seconds} s. {one.run.sentence}")
        print(f"  /retrain to live {one.retrain_to_live} s, of which after the registry {one.live_to_reply} s")
        for name, found in (("sentences", one.on_sentences), ("IMDB", one.on_imdb)):
            if found is None:
                print(f"  {name}: nothing to compare, for the candidate was rejected")
                continue
            print(f"  {name}: {found.first_accuracy:.2%} to {found.second_accuracy:.2%} of {found.reviews}")
        print(f"  {one.meanwhile}")


if __name__ == "__main__":
    sys.exit(main())
