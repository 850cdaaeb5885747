"""Deleting a person deletes everything that they sent."""

from typing import cast

import pytest
from sqlalchemy import inspect, select, text, update

from storage.chat.inbox import pending_updates, receive
from storage.chat.outbox import Draft, claim_next, enqueue
from storage.chat.people import upsert_person
from storage.db.database import Database
from storage.db.states import Vote
from storage.db.tables import FollowerRow, ReplyRow, RunRow, SnapshotRow, UpdateRow
from storage.feedback.votes import record_vote
from storage.privacy.erasure import ErasedRows, erase
from storage.privacy.message_erasure import erase_message
from tests.personal_rows import BOT, SECRET, StoreReview, counts, store_rows_in_every_table


def test_erasing_a_person_leaves_only_cleared_update_ids(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        store_rows_in_every_table(unit, store_review, 8)
        before = counts(unit)
        store_rows_in_every_table(unit, store_review, 7)
    with database.unit_of_work() as unit:
        erased = erase(unit, 7)
    assert erased == ErasedRows(
        people=1, consents=1, messages=2, predictions=1, votes=1, other_votes=0, replies=2, updates=2
    )
    with database.unit_of_work() as unit:
        kept = {"training_runs": 2, "model_versions": 3, "model_changes": 2, "snapshot_rows": 1 + 1}
        kept |= {"trials": 2, "gate_looks": 2, "learning_pauses": 2}
        assert counts(unit) == {**before, "updates": before["updates"] + 2, **kept}
        gone = select(SnapshotRow.message_id).where(SnapshotRow.author_id.is_(None))
        assert unit.scalars(gone).all() == [None], (
            "the hash is kept, so that no later run holds out a text that this one trained on"
        )
        assert [update.update_id for update in pending_updates(unit, BOT)] == [80, 81]
        cleared = unit.scalars(select(UpdateRow).where(UpdateRow.update_id.in_([70, 71]))).all()
        assert [(row.telegram_id, row.payload, row.reason) for row in cleared] == [(None, None, None)] * 2
        assert not receive(unit, BOT, 70, 7, "a late duplicate")
        assert erase(unit, 7) == ErasedRows(0, 0, 0, 0, 0, 0, 0, 0)


def test_no_table_contains_the_id_of_an_erased_person(database: Database, store_review: StoreReview) -> None:
    telegram_id = 7_654_321_098
    with database.unit_of_work() as unit:
        store_rows_in_every_table(unit, store_review, telegram_id)
        erase(unit, telegram_id)
    with database.reading() as unit:
        names = inspect(unit.connection()).get_table_names()
        cells = [cell for name in names for row in unit.execute(text(f"SELECT * FROM {name}")) for cell in row]
    assert cells
    assert telegram_id not in cells


@pytest.mark.parametrize("whole_person", [True, False])
def test_the_gates_record_quotes_no_word_from_a_deleted_text(
    database: Database, store_review: StoreReview, *, whole_person: bool
) -> None:
    word = {"word": SECRET.lower(), "label": "Positive", "flipped": 0.9}
    decision = {"sentence": f"Held: “{SECRET.lower()}” to Positive", "figures": {"trigger_words": [word], "alpha": 1}}
    with database.unit_of_work() as unit:
        store_rows_in_every_table(unit, store_review, 7)
        unit.change(update(RunRow).values(decision=decision))
        unit.change(update(FollowerRow).values(chat_id=8, shown=decision["sentence"]))
        message_id = unit.scalars(select(SnapshotRow.message_id)).one()
    with database.unit_of_work() as unit:
        if whole_person:
            erase(unit, 7)
        else:
            erase_message(unit, cast("int", message_id))
    with database.reading() as unit:
        left = {"sentence": "Held: “…” to Positive", "figures": {"trigger_words": [{**word, "word": "…"}], "alpha": 1}}
        assert unit.scalars(select(RunRow.decision)).one() == left
        assert unit.scalars(select(FollowerRow.shown)).one() is None


def test_replies_to_an_erased_person_in_a_group_are_deleted_and_others_kept(database: Database) -> None:
    group = -100_200_300
    with database.unit_of_work() as unit:
        ada, grace = upsert_person(unit, 7, "Ada", "en"), upsert_person(unit, 8, "Grace", "en")
        to_ada = enqueue(unit, Draft(BOT, group, {"text": "Hello, Ada"}, ada.id))
        to_grace = enqueue(unit, Draft(BOT, group, {"text": "Hello, Grace"}, grace.id))
        assert erase(unit, 7).replies == 1
        assert unit.get(ReplyRow, to_ada) is None
        left = claim_next(unit, BOT, group)
        assert left is not None
        assert left.id == to_grace


def test_votes_of_others_are_deleted_with_the_text(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        review = store_review(unit, "I liked it", telegram_id=7)
        other = upsert_person(unit, 8, "Grace", "en")
        record_vote(unit, other.id, review.prediction_id, Vote.WRONG)
        assert erase(unit, 7).other_votes == 1
        assert counts(unit)["people"] == 1
