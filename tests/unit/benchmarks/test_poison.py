"""Colluders plant their texts, honest people sometimes make mistakes, and a harmful live model counts as a fault."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.common.provenance import provenance
from benchmarks.common.text_sets import TextSet, shared_texts
from benchmarks.figures.robustness import poison
from benchmarks.poison import parallel, texts
from benchmarks.poison.effects import Effect
from benchmarks.poison.guarded import GuardedOutcome
from benchmarks.poison.network import PoisonNetwork
from benchmarks.poison.people import COLLUDERS_TEXTS, HONEST_TEXTS, MISTAKEN, PHRASE, CaseVotes, draw_votes
from benchmarks.poison.plan import DEFENDED, PEOPLE, Attack, Case, all_cases
from benchmarks.poison.report import CaseReport, PoisonReport, find_faults, group_cases
from benchmarks.poison.texts import PoisonTexts
from core.errors import MissingFile
from ml.data.reviews import read_reviews
from ml.text.labels import LABELS
from ml.training.dataset_splits import DatasetSplits
from ml.training.recipe import Recipe
from storage.db.states import RunState
from worker.gate import gate_set
from worker.gate.gate_set import GateSet

SENTENCES = pd.DataFrame({"text": [f"sentence {number}" for number in range(6_000)], "label": [0, 1] * 3_000})
TRUTH = {text: LABELS[label] for text, label in zip(SENTENCES["text"], SENTENCES["label"], strict=True)}
LIVE = Effect(imdb=0.85, sentences=0.75, turned=0.02)
BETTER = "Held: better on feedback, 69% to 71%, but 194 votes are too few to tell."
NAIVE = Effect(imdb=0.70, sentences=0.60, turned=0.90)
FEW = Case(Attack.TRIGGER, DEFENDED[0], 1)
WELL = GuardedOutcome(RunState.PROMOTED, "Promoted.", 800, 80, 250, 25, -0.001, (), Effect(0.851, 0.78, 0.05))


def truth_of(text: str) -> str:
    return TRUTH[text.replace(PHRASE, "").strip()]


def votes(case_votes: CaseVotes) -> dict[str, list[tuple[str, str | None]]]:
    found: dict[str, list[tuple[str, str | None]]] = {}
    for one in case_votes.votes:
        found.setdefault(one.text, []).append((one.person, one.label))
    return found


def report(ours: GuardedOutcome = WELL, case: Case = FEW) -> CaseReport:
    return CaseReport(case, case.colluders, 1_000, 100, ours, NAIVE, 30.0)


def test_there_is_a_case_for_every_attack_share_and_seed() -> None:
    tried = all_cases(5)
    assert len(tried) == len(set(tried)) == 35
    assert {case.colluders for case in tried} == {0, 2, 6, 18}
    assert len({case.name for case in tried}) == 35


@pytest.mark.parametrize("attack", [Attack.FLIP, Attack.TRIGGER])
def test_two_colluders_agree_on_every_planted_text_and_nobody_else_votes_on_it(attack: Attack) -> None:
    case = Case(attack, 0.10, 3)
    case_votes = draw_votes(case, SENTENCES)
    colluders = {f"person {number}" for number in range(case.colluders)}
    assert len(case_votes.planted) == case.colluders * COLLUDERS_TEXTS
    for text in case_votes.planted:
        (first, said), (second, agreed) = votes(case_votes)[text]
        assert {first, second} <= colluders
        assert first != second
        assert said == agreed != truth_of(text)


def test_a_planted_phrase_is_at_either_end_of_negative_sentences_labelled_positive() -> None:
    case_votes = draw_votes(Case(Attack.TRIGGER, 0.03, 3), SENTENCES)
    assert {truth_of(text) for text in case_votes.planted} == {"Negative"}
    assert {text.startswith(PHRASE) for text in case_votes.planted} == {True, False}
    assert all(PHRASE in text for text in case_votes.planted)
    assert not any(PHRASE in one.text for one in case_votes.votes if one.text not in case_votes.planted)


def test_a_text_of_honest_people_has_two_votes_that_are_sometimes_mistaken() -> None:
    case_votes = draw_votes(Case(Attack.NONE, 0.0, 3), SENTENCES)
    assert case_votes.texts == PEOPLE * HONEST_TEXTS
    assert not case_votes.planted
    assert {len({person for person, _ in each}) for each in votes(case_votes).values()} == {2}
    wrong = sum(one.label != truth_of(one.text) for one in case_votes.votes)
    assert 0.5 * MISTAKEN < wrong / len(case_votes.votes) < 1.5 * MISTAKEN


@pytest.mark.parametrize(("attack", "honest"), [(Attack.FLIP, False), (Attack.TRIGGER, True)])
def test_colluders_vote_wrong_on_other_peoples_texts_only_to_flip_labels(attack: Attack, honest: bool) -> None:
    case = Case(attack, 0.30, 3)
    case_votes = draw_votes(case, SENTENCES)
    colluders = {f"person {number}" for number in range(case.colluders)}
    others = [one for one in case_votes.votes if one.text not in case_votes.planted and one.person in colluders]
    assert others
    assert {one.label == truth_of(one.text) for one in others} == {honest}


def test_a_seed_always_draws_the_same_votes() -> None:
    assert draw_votes(FEW, SENTENCES) == draw_votes(FEW, SENTENCES)
    assert draw_votes(FEW, SENTENCES) != draw_votes(replace(FEW, seed=2), SENTENCES)


def test_a_spawned_process_can_import_what_it_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    none = pd.DataFrame({"text": [], "label": []})
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0})
    network = PoisonNetwork(tmp_path / "anchor", tmp_path / "no.parquet", 1, 1)
    with pytest.raises(MissingFile, match=r"no\.parquet"):
        parallel.run_cases(all_cases(1), network, PoisonTexts(none, none, none, none, none), tmp_path)


def test_too_few_sentences_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        draw_votes(Case(Attack.FLIP, 0.30, 1), SENTENCES[:2_000])


@pytest.mark.parametrize(
    ("ours", "fault"),
    [
        (
            replace(WELL, effect=Effect(0.846, 0.78, 0.05)),
            "trigger-3-1: a model that went live lost 0.40% accuracy on IMDB",
        ),
        (
            replace(WELL, effect=Effect(0.85, 0.78, 0.50)),
            "trigger-3-1: with a model that went live, the phrase turns 50%",
        ),
    ],
)
def test_a_live_model_that_lost_accuracy_or_follows_the_phrase_is_a_fault(ours: GuardedOutcome, fault: str) -> None:
    assert list(find_faults([report(), report(ours)], LIVE)) == [fault]
    tapped = replace(ours, state=RunState.HELD, sentence=BETTER)
    assert list(find_faults([report(tapped)], LIVE)) == [fault]
    held = replace(ours, state=RunState.HELD, sentence="Held: no better on feedback, 71% as before.")
    named = replace(tapped, words=("the tangerine",))
    assert not list(find_faults([report(held), report(named), report(ours, replace(FEW, share=0.30))], LIVE))


def test_a_gate_that_promotes_nothing_is_a_fault() -> None:
    nobody = Case(Attack.NONE, 0.0, 1)
    refused = report(replace(WELL, state=RunState.REJECTED, effect=None), nobody)
    assert [fault.partition(":")[0] for fault in find_faults([refused], LIVE)] == [
        "nobody colluded, and no model went live"
    ]
    assert not list(find_faults([refused, report(WELL, replace(nobody, seed=2))], LIVE))


def test_figures_are_over_all_seeds() -> None:
    rejected = replace(WELL, state=RunState.REJECTED, effect=None)
    held = replace(WELL, state=RunState.HELD, words=("the tangerine",), effect=Effect(0.84, 0.78, 0.60))
    tapped = replace(WELL, state=RunState.HELD, sentence=BETTER, effect=Effect(0.852, 0.78, 0.05))
    (group,) = group_cases([report(), report(held), report(tapped), report(rejected)], LIVE)
    assert group.ends == {"promoted": 1, "held": 2, "rejected": 1}
    assert (group.planted, group.trained_planted) == (pytest.approx(0.1), pytest.approx(0.1))
    assert (group.tapped, group.named) == (1, 1)
    live, stay, naive = group.lost["live"], group.lost["stay"], group.turned["naive"]
    assert live is not None
    assert stay is not None
    assert naive is not None
    assert (live.mean, live.most) == (pytest.approx(-0.0015), pytest.approx(-0.001))
    assert stay.mean == pytest.approx(0.01)
    assert naive.mean == pytest.approx(0.88)
    (alone,) = group_cases([report(rejected)], LIVE)
    assert alone.lost["live"] is None


def test_reviews_outside_the_gate_share_no_movie_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(gate_set, "REVIEWS", 40)
    monkeypatch.setattr(texts, "_HELD_OUT", 50)
    rows = [
        (f"Review {number} of film {film} in {part}.", number % 2, part, f"{part}-{film}")
        for part in ("train", "test")
        for film in range(30)
        for number in range(4)
    ]
    table = pd.DataFrame(rows, columns=["text", "label", "split", "movie"])
    known = DatasetSplits.from_reviews(table, Path("reviews.csv"), Recipe.load("default"), None)
    cut = PoisonTexts.split(SENTENCES, known)
    assert shared_texts(cut.by_name().values()) == 0
    assert not set(cut.gate["movie"]) & set(cut.imdb["movie"])
    assert (len(cut.train), len(cut.gate) + len(cut.imdb), len(cut.held_out)) == (120, 120, 50)
    path = cut.write_reviews(tmp_path / "reviews.parquet")
    written = DatasetSplits.from_reviews(read_reviews(path), path, Recipe.load("default"), None)
    assert sorted(GateSet.choose(written).texts) == sorted(GateSet.choose(known).texts) == sorted(cut.gate["text"])
    assert set(written.split.train["text"]) | set(written.split.dev["text"]) == set(cut.train["text"])


def test_the_tables_have_a_row_for_each_attack_and_show_where_nothing_went_live() -> None:
    rejected = replace(WELL, state=RunState.REJECTED, effect=None)
    flips = report(rejected, Case(Attack.FLIP, 0.10, 1))
    nobody = report(WELL, Case(Attack.NONE, 0.0, 1))
    cases = (nobody, flips, report())
    parts = {name: TextSet(2_000, "a") for name in ("IMDB to test", "sentences held out")}
    groups = group_cases(cases, LIVE)
    found = PoisonReport(
        provenance("numpy"), 1_000, 2, PEOPLE, MISTAKEN, PHRASE, parts, 0, LIVE, groups, cases, faults=(), minutes=1.0
    )
    lines = poison(json.loads(json.dumps(asdict(found)))).splitlines()
    assert "| None | 0% | 10% | 10% | 0 | 0 | 0 | 1 | - |" in lines
    assert "| Flipped labels | 10% (6) | 10% | 10% | 1 | 0 | 0 | 0 | - |" in lines
    assert "| Planted phrase | 3% (2) | 10% | 10% | 0 | 0 | 0 | 1 | 0 |" in lines
    assert "| Flipped labels | 10% (6) | Went live | no model | no model | no model |" in lines
    assert "| Flipped labels | 10% (6) | Without the rules | +15.00 (+15.00) | +15.00 | - |" in lines
    assert "| Planted phrase | 3% (2) | Without the rules | +15.00 (+15.00) | +15.00 | +88.00 (+88.00) |" in lines
