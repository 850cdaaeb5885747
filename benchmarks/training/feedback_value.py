"""Measures how much accuracy votes from a different domain add in that domain, and cost on IMDB.

    python -m benchmarks.training.feedback_value --data ../shared/data

The votes are on texts from domains that the anchor was not trained on. In each of five draws, one feedback round with
the ``feedback`` recipe learns from 500 random votes, and another from 200 votes that the bot asked for: half of them on
the texts about which the anchor is least sure. Two more rounds without interpolation use all votes: one with the
recipe's frozen layers, and one with no frozen layers and the learning rate from the ``default`` recipe. The draws are
compared with the larger gain of these two rounds.

Every model is evaluated on the same texts from the domain's reported half, with which no choice was made, and on
official IMDB test reviews of movies outside the gate set. The gate set is left out because its results influenced the
choice of the recipe's interpolation. If the benchmark is interrupted, the same command continues after the last
finished round.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import pandas as pd
from rich.progress import Progress

from benchmarks.common.mean_interval import MeanInterval, mean_interval
from benchmarks.common.options import add_out_option
from benchmarks.common.provenance import Provenance, provenance
from benchmarks.common.results import write_results
from benchmarks.common.text_sets import TextSet, shared_texts, text_sets
from benchmarks.common.thumbs_command import count_parameters
from benchmarks.domains.distinct_texts import DOMAINS, DistinctTexts
from benchmarks.domains.options import add_data_option
from benchmarks.learning.texts import imdb_test_reviews
from benchmarks.training.round_runner import HeldOutTexts, RoundCheckpoint, RoundResult, RoundRunner
from benchmarks.training.vote_texts import VoteTexts
from core.settings import Settings
from ml.data.reviews import read_reviews
from ml.serving.engine import Classifier
from ml.training.checkpoint import plan_digest
from ml.training.dataset_splits import DatasetSplits
from ml.training.recipe import Recipe
from worker.gate.gate_set import GateSet

RANDOM: Final = "random"
ASKED: Final = "asked for"


@dataclass(frozen=True, slots=True)
class VoteGroup:
    """Rounds on equally many votes that were chosen in the same way: ``RANDOM`` or ``ASKED``."""

    votes: int
    chosen: str
    rounds: list[RoundResult]
    lift: MeanInterval
    imdb_change: MeanInterval
    share_of_full_lift: MeanInterval | None
    """Each round's gain as a share of the larger gain in ``all_votes``; None if all votes gain nothing."""


@dataclass(frozen=True, slots=True)
class DomainValue:
    """The value of votes in one domain. ``all_votes`` has the rounds on all votes, by training method."""

    groups: list[VoteGroup]
    all_votes: dict[str, RoundResult]


@dataclass(frozen=True, slots=True)
class FeedbackValueReport:
    """The content of ``benchmarks/results/feedback_value.json``. Accuracies and differences are shares from 0 to 1."""

    provenance: Provenance
    anchor: str
    parameters: int
    recipe: dict[str, Any]
    parts: dict[str, TextSet]
    shared_texts: int
    """Number of texts that are in more than one set, compared by fingerprint."""
    domains: dict[str, DomainValue]


@dataclass(frozen=True, slots=True)
class _PlannedRound:
    """A round that the benchmark runs once. ``key`` names it in the checkpoint."""

    key: str
    domain: str
    votes: pd.DataFrame
    recipe: Recipe


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write and print the results."""
    given = _arguments(arguments)
    recipe, anchor = Recipe.load(given.recipe), Classifier.load(given.model)
    path = given.data / "imdb.parquet"
    known = DatasetSplits.from_reviews(read_reviews(path), path, recipe, None)
    tables = DistinctTexts.read(given.data, recipe).domains
    domains = {name: VoteTexts.split(tables[name]) for name in given.domains}
    imdb = imdb_test_reviews(known, GateSet.choose(known))
    parts = _parts(known, imdb, domains)
    planned = _planned_rounds(domains, recipe, anchor, given)
    facts = provenance("keras", "tensorflow", "openvino", "numpy")
    plan = plan_digest(
        anchor=anchor.version, recipe=asdict(recipe), parts=text_sets(parts), votes=given.votes, commit=facts.commit
    )
    checkpoint = RoundCheckpoint.open(given.checkpoint, plan)
    _run(planned, domains, RoundRunner(anchor, known, HeldOutTexts.read(anchor, imdb)), checkpoint)
    report = FeedbackValueReport(
        provenance=facts,
        anchor=anchor.version,
        parameters=count_parameters(anchor.folder),
        recipe=asdict(recipe),
        parts=text_sets(parts),
        shared_texts=shared_texts(parts.values()),
        domains={name: _domain_value(name, checkpoint.results, given) for name in domains},
    )
    write_results(given.out, report)
    checkpoint.path.unlink()
    _print(report)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training.feedback_value",
        description="Measure the gain from votes in other domains.",
    )
    add_data_option(parser)
    parser.add_argument("--model", type=Path, default=Settings.model_fields["anchor"].default, help="the anchor")
    parser.add_argument("--recipe", default="feedback", help="name or file of the recipe for the rounds")
    parser.add_argument("--domains", nargs="+", choices=DOMAINS, default=["rotten_tomatoes", "uci"])
    parser.add_argument("--votes", nargs=2, type=int, default=[500, 200], help="numbers of random and asked-for votes")
    parser.add_argument("--draws", type=int, default=5, help="number of draws of votes, at least 2")
    parser.add_argument(
        "--checkpoint",
        type=Path,
        default=Path("var/feedback_value.json"),
        help="file for the results of finished rounds",
    )
    add_out_option(parser, "feedback_value")
    given = parser.parse_args(arguments)
    if given.draws < 2:
        parser.error("--draws must be at least 2, because the results include an interval over the draws")
    return given


def _parts(known: DatasetSplits, imdb: pd.DataFrame, domains: Mapping[str, VoteTexts]) -> dict[str, pd.DataFrame]:
    own = {
        f"{name} {part}": table
        for name, texts in domains.items()
        for part, table in (("to test", texts.test), ("to draw from", texts.pool))
    }
    return {**own, "IMDB to train": known.split.train, "IMDB dev": known.split.dev, "IMDB to test": imdb}


def _planned_rounds(
    domains: Mapping[str, VoteTexts], recipe: Recipe, anchor: Classifier, given: argparse.Namespace
) -> list[_PlannedRound]:
    random, asked = given.votes
    planned = []
    for name, texts in domains.items():
        for seed in range(given.draws):
            for chosen, votes in (
                (RANDOM, texts.random_votes(random, seed)),
                (ASKED, texts.asked_votes(asked, seed, anchor)),
            ):
                planned.append(_PlannedRound(_key(name, chosen, seed), name, votes, recipe))
        for how, plan in _plans_for_all_votes(recipe).items():
            planned.append(_PlannedRound(_key(name, how), name, texts.pool, plan))
    return planned


def _plans_for_all_votes(recipe: Recipe) -> dict[str, Recipe]:
    without_interpolation = replace(recipe, interpolation=1.0)
    rate = Recipe.load("default").learning_rate
    return {
        f"{recipe.frozen_layers} layers frozen": without_interpolation,
        "no layer frozen": replace(without_interpolation, frozen_layers=0, learning_rate=rate),
    }


def _key(domain: str, how: str, seed: int | None = None) -> str:
    return f"{domain}, {how}" if seed is None else f"{domain}, {how}, draw {seed}"


def _run(
    planned: Sequence[_PlannedRound],
    domains: Mapping[str, VoteTexts],
    runner: RoundRunner,
    checkpoint: RoundCheckpoint,
) -> None:
    tests = {name: HeldOutTexts.read(runner.anchor, texts.test) for name, texts in domains.items()}
    with Progress() as bar:
        for each in bar.track(planned, description="Rounds"):
            if each.key not in checkpoint.results:
                checkpoint.add(each.key, runner.run_round(each.votes, tests[each.domain], each.recipe))


def _domain_value(name: str, results: Mapping[str, RoundResult], given: argparse.Namespace) -> DomainValue:
    everything = {how: results[_key(name, how)] for how in _plans_for_all_votes(Recipe.load(given.recipe))}
    full = max(each.texts.difference for each in everything.values())
    rounds = {chosen: [results[_key(name, chosen, seed)] for seed in range(given.draws)] for chosen in (RANDOM, ASKED)}
    groups = [_group(votes, chosen, rounds[chosen], full) for votes, chosen in zip(given.votes, rounds, strict=True)]
    return DomainValue(groups, everything)


def _group(votes: int, chosen: str, rounds: list[RoundResult], full_lift: float) -> VoteGroup:
    lifts = [each.texts.difference for each in rounds]
    return VoteGroup(
        votes=votes,
        chosen=chosen,
        rounds=rounds,
        lift=mean_interval(lifts),
        imdb_change=mean_interval([each.imdb.difference for each in rounds]),
        share_of_full_lift=mean_interval([lift / full_lift for lift in lifts]) if full_lift > 0 else None,
    )


def _print(report: FeedbackValueReport) -> None:
    print(f"anchor {report.anchor}, {report.parameters:,} parameters")
    for name, part in report.parts.items():
        print(f"  {name:30} {part.reviews:>6} texts, digest {part.digest}")
    print(f"  texts in more than one part: {report.shared_texts}")
    for name, domain in report.domains.items():
        print(name)
        for how, one in domain.all_votes.items():
            print(f"  {one.votes:>5} votes, {how:16} {one.seconds:4.0f} s", end="  ")
            print(f"accuracy {one.texts.first_accuracy:.2%} to {one.texts.second_accuracy:.2%}", end="  ")
            print(f"IMDB {one.imdb.first_accuracy:.2%} to {one.imdb.second_accuracy:.2%}")
        for group in domain.groups:
            print(f"  {group.votes:>5} votes, {group.chosen:16} gain {_interval(group.lift)}", end="  ")
            print(f"share {_interval(group.share_of_full_lift)}  IMDB {_interval(group.imdb_change)}")


def _interval(found: MeanInterval | None) -> str:
    if found is None:
        return "-"
    return f"{found.mean:+.2%} ({found.low:+.2%} to {found.high:+.2%})"


if __name__ == "__main__":
    main()
