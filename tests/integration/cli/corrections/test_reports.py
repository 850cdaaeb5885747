"""``thumbs corrections seen-by``, ``labellers`` and ``gold`` as a user runs them."""

import json
from pathlib import Path

import pytest

from cli.errors import UnknownPerson
from storage.chat.people import upsert_person
from storage.db.database import Database
from storage.db.states import OfferState, RunKind, SnapshotPart, Trigger
from storage.feedback.eligibility import EligibilityRules
from storage.feedback.label_offers import close_offer, find_offer, offer_gold
from storage.models.registry import register
from storage.training.runs import claim, request_run
from storage.training.snapshots import create_snapshot, labelled_texts
from tests.correction_files import AUTHOR, GOOD, Run, StoreVote, write


def test_the_versions_that_used_a_persons_data_are_listed(
    run: Run, database: Database, store_vote: StoreVote, tmp_path: Path
) -> None:
    review = store_vote(GOOD)
    assert "No model used" in run("seen-by", AUTHOR).output
    with database.unit_of_work() as unit:
        run_id = request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN).run.id
        lease = claim(unit, run_id, "a worker")
        assert lease is not None
        create_snapshot(unit, lease, EligibilityRules(1, 20, 0.1), frozenset(), "one")
        (text,) = labelled_texts(unit, run_id, SnapshotPart.TRAIN)
        assert (text.message_id, text.text, text.label) == (review.message_id, GOOD, "Positive")
        register(unit, "two", "0" * 64, "models/two", run_id=run_id)
    assert json.loads(run("seen-by", AUTHOR, "--json").stdout) == ["two"]
    with pytest.raises(UnknownPerson, match="12345"):
        run("seen-by", 12345)


def test_labellers_are_rated_once_there_are_enough_votes(run: Run, tmp_path: Path) -> None:
    assert "not enough votes yet" in run("labellers").output
    people = ("ann", "ben", "cat", "dan", "eve")
    texts = [f"The film number {number} was a pleasure to watch with friends." for number in range(20)]
    labels = [
        (text, "negative" if name == "eve" and n % 3 == 0 else "positive")
        for n, text in enumerate(texts)
        for name in people
    ]
    rows = [(text, label, people[index % 5]) for index, (text, label) in enumerate(labels)]
    run("import", write(tmp_path / "in.csv", *rows))
    rows = json.loads(run("labellers", "--json").stdout)
    assert len(rows) == 5
    assert rows[0]["right"] < rows[1]["right"]
    assert "by 20 shared votes" in run("labellers").stdout


def test_answers_to_gold_questions_are_listed_the_worst_first(run: Run, database: Database) -> None:
    assert "Nobody has answered" in run("gold").output
    with database.unit_of_work() as unit:
        for telegram_id, answers in ((31, ["Positive", "Positive"]), (32, ["Negative", "Positive", "Neither"])):
            person = upsert_person(unit, telegram_id, "Someone", "en")
            for number, answer in enumerate(answers):
                offer = find_offer(unit, person.id, offer_gold(unit, person.id, f"Fine play {number}", "Positive"))
                assert offer is not None
                close_offer(unit, offer, OfferState.ANSWERED, answer)
    rows = json.loads(run("gold", "--json").stdout)
    assert [(score["answered"], score["right"]) for score in rows] == [(3, 1), (2, 2)]
    assert "1 of 3 gold questions right" in run("gold").stdout
