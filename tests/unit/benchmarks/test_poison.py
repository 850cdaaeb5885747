"""Who colludes plants what they mean to, others say what they think, and a model that should not be live is told."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.common.provenance import provenance
from benchmarks.common.text_sets import Part, shared_texts
from benchmarks.figures.robustness import poison
from benchmarks.poison import parallel, texts
from benchmarks.poison.effects import Effect
from benchmarks.poison.guarded import GuardedLoop
from benchmarks.poison.network import SmallNetwork
from benchmarks.poison.people import COLLUDERS_TEXTS, HONEST_TEXTS, MISTAKEN, PHRASE, Judged, judgements
from benchmarks.poison.plan import DEFENDED, PEOPLE, Attack, Case, cases
from benchmarks.poison.report import CaseReport, Report, faults, grouped
from benchmarks.poison.texts import Texts
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
BETTER = "Held: better on feedback, 69% to 71%, but 194 held-out corrections are too few to tell."
NAIVE = Effect(imdb=0.70, sentences=0.60, turned=0.90)
FEW = Case(Attack.TRIGGER, DEFENDED[0], 1)
WELL = GuardedLoop(RunState.PROMOTED, "Promoted.", 800, 80, 250, 25, -0.001, (), Effect(0.851, 0.78, 0.05))


def truth_of(text: str) -> str:
    return TRUTH[text.replace(PHRASE, "").strip()]


def votes(judged: Judged) -> dict[str, list[tuple[str, str | None]]]:
    found: dict[str, list[tuple[str, str | None]]] = {}
    for one in judged.said:
        found.setdefault(one.text, []).append((one.person, one.label))
    return found


def report(ours: GuardedLoop = WELL, case: Case = FEW) -> CaseReport:
    return CaseReport(case, case.colluders, 1_000, 100, ours, NAIVE, 30.0)


def test_every_attack_is_tried_by_every_share_and_seed() -> None:
    tried = cases(5)
    assert len(tried) == len(set(tried)) == 35
    assert {case.colluders for case in tried} == {0, 2, 6, 18}
    assert len({case.name for case in tried}) == 35


@pytest.mark.parametrize("attack", [Attack.FLIP, Attack.TRIGGER])
def test_two_colluders_agree_on_every_planted_text_and_nobody_else_sees_it(attack: Attack) -> None:
    case = Case(attack, 0.10, 3)
    judged = judgements(case, SENTENCES)
    colluders = {f"person {number}" for number in range(case.colluders)}
    assert len(judged.planted) == case.colluders * COLLUDERS_TEXTS
    for text in judged.planted:
        (first, said), (second, agreed) = votes(judged)[text]
        assert {first, second} <= colluders
        assert first != second
        assert said == agreed != truth_of(text)


def test_a_planted_phrase_stands_at_either_end_of_negative_sentences_called_positive() -> None:
    judged = judgements(Case(Attack.TRIGGER, 0.03, 3), SENTENCES)
    assert {truth_of(text) for text in judged.planted} == {"Negative"}
    assert {text.startswith(PHRASE) for text in judged.planted} == {True, False}
    assert all(PHRASE in text for text in judged.planted)
    assert not any(PHRASE in one.text for one in judged.said if one.text not in judged.planted)


def test_honest_people_write_once_ask_one_other_and_are_mistaken_now_and_then() -> None:
    judged = judgements(Case(Attack.NONE, 0.0, 3), SENTENCES)
    assert judged.texts == PEOPLE * HONEST_TEXTS
    assert not judged.planted
    assert {len({person for person, _ in each}) for each in votes(judged).values()} == {2}
    wrong = sum(one.label != truth_of(one.text) for one in judged.said)
    assert 0.5 * MISTAKEN < wrong / len(judged.said) < 1.5 * MISTAKEN


@pytest.mark.parametrize(("attack", "honest"), [(Attack.FLIP, False), (Attack.TRIGGER, True)])
def test_colluders_show_themselves_on_others_texts_only_to_flip_labels(attack: Attack, honest: bool) -> None:
    case = Case(attack, 0.30, 3)
    judged = judgements(case, SENTENCES)
    colluders = {f"person {number}" for number in range(case.colluders)}
    others = [one for one in judged.said if one.text not in judged.planted and one.person in colluders]
    assert others
    assert {one.label == truth_of(one.text) for one in others} == {honest}


def test_a_seed_draws_the_same_people_and_another_draws_others() -> None:
    assert judgements(FEW, SENTENCES) == judgements(FEW, SENTENCES)
    assert judgements(FEW, SENTENCES) != judgements(replace(FEW, seed=2), SENTENCES)


def test_a_spawned_process_finds_what_it_carries_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    none = pd.DataFrame({"text": [], "label": []})
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0})
    network = SmallNetwork(tmp_path / "anchor", tmp_path / "no.parquet", 1, 1)
    with pytest.raises(MissingFile, match=r"no\.parquet"):
        parallel.carry_out(cases(1), network, Texts(none, none, none, none, none), tmp_path)


def test_too_few_sentences_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        judgements(Case(Attack.FLIP, 0.30, 1), SENTENCES[:2_000])


@pytest.mark.parametrize(
    ("ours", "fault"),
    [
        (replace(WELL, effect=Effect(0.846, 0.78, 0.05)), "trigger-3-1: a model that went live lost 0.40% of IMDB"),
        (
            replace(WELL, effect=Effect(0.85, 0.78, 0.50)),
            "trigger-3-1: with a model that went live, the phrase turns 50%",
        ),
    ],
)
def test_a_model_that_goes_live_and_lost_or_obeys_the_phrase_is_a_fault(ours: GuardedLoop, fault: str) -> None:
    assert list(faults([report(), report(ours)], LIVE)) == [fault]
    tapped = replace(ours, state=RunState.HELD, sentence=BETTER)
    assert list(faults([report(tapped)], LIVE)) == [fault]
    held = replace(ours, state=RunState.HELD, sentence="Held: no better on feedback, 71% as before.")
    named = replace(tapped, words=("the tangerine",))
    assert not list(faults([report(held), report(named), report(ours, replace(FEW, share=0.30))], LIVE))


def test_a_gate_that_lets_nothing_through_shows_nothing() -> None:
    nobody = Case(Attack.NONE, 0.0, 1)
    refused = report(replace(WELL, state=RunState.REJECTED, effect=None), nobody)
    assert [fault.partition(":")[0] for fault in faults([refused], LIVE)] == ["nobody colludes, and nothing went live"]
    assert not list(faults([refused, report(WELL, replace(nobody, seed=2))], LIVE))


def test_figures_are_those_of_all_seeds() -> None:
    rejected = replace(WELL, state=RunState.REJECTED, effect=None)
    held = replace(WELL, state=RunState.HELD, words=("the tangerine",), effect=Effect(0.84, 0.78, 0.60))
    tapped = replace(WELL, state=RunState.HELD, sentence=BETTER, effect=Effect(0.852, 0.78, 0.05))
    (group,) = grouped([report(), report(held), report(tapped), report(rejected)], LIVE)
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
    (alone,) = grouped([report(rejected)], LIVE)
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
    cut = Texts.cut(SENTENCES, known)
    assert shared_texts(cut.named().values()) == 0
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
    parts = {name: Part(2_000, "a") for name in ("IMDB to test", "sentences held out")}
    groups = grouped(cases, LIVE)
    found = Report(
        provenance("numpy"), 1_000, 2, PEOPLE, MISTAKEN, PHRASE, parts, 0, LIVE, groups, cases, faults=(), minutes=1.0
    )
    lines = poison(json.loads(json.dumps(asdict(found)))).splitlines()
    assert "| None | 0% | 10% | 10% | 0 | 0 | 0 | 1 | - |" in lines
    assert "| Flipped labels | 10% (6) | 10% | 10% | 1 | 0 | 0 | 0 | - |" in lines
    assert "| Planted phrase | 3% (2) | 10% | 10% | 0 | 0 | 0 | 1 | 0 |" in lines
    assert "| Flipped labels | 10% (6) | Went live | no model | no model | no model |" in lines
    assert "| Flipped labels | 10% (6) | Without the rules | +15.00 (+15.00) | +15.00 | - |" in lines
    assert "| Planted phrase | 3% (2) | Without the rules | +15.00 (+15.00) | +15.00 | +88.00 (+88.00) |" in lines
