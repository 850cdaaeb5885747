"""Judgements: one a person and text."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from storage.chat.people import meet
from storage.db.database import Database
from storage.db.states import Verdict
from storage.db.tables import JudgementRow
from storage.errors import UnknownPrediction
from storage.feedback.votes import judge, judgement_of, undo

Remember = Callable[..., Any]


@pytest.mark.parametrize(
    ("predicted", "verdict", "true"),
    [
        ("Positive", Verdict.RIGHT, "Positive"),
        ("Positive", Verdict.WRONG, "Negative"),
        ("Negative", Verdict.WRONG, "Positive"),
        ("Negative", Verdict.NEITHER, None),
    ],
)
def test_a_verdict_names_the_true_label(
    database: Database, remember: Remember, predicted: str, verdict: Verdict, true: str | None
) -> None:
    with database.unit_of_work() as unit:
        review = remember(unit, "I liked it", label=predicted)
        assert judge(unit, review.person_id, review.prediction_id, verdict) is None
    with database.reading() as unit:
        judgement = judgement_of(unit, review.person_id, review.prediction_id)
    assert judgement is not None
    assert (judgement.verdict, judgement.label) == (verdict, true)
    assert (judgement.person_id, judgement.prediction_id) == (review.person_id, review.prediction_id)
    assert judgement.created_at.tzinfo is not None


def test_a_second_tap_changes_the_vote_and_never_doubles_it(database: Database, remember: Remember) -> None:
    with database.unit_of_work() as unit:
        review = remember(unit, "I liked it")
        assert judge(unit, review.person_id, review.prediction_id, Verdict.RIGHT) is None
    with database.unit_of_work() as unit:
        assert judge(unit, review.person_id, review.prediction_id, Verdict.WRONG) is Verdict.RIGHT
        assert judge(unit, review.person_id, review.prediction_id, Verdict.WRONG) is Verdict.WRONG
    with database.reading() as unit:
        assert unit.scalars(select(func.count()).select_from(JudgementRow)).one() == 1
        judgement = judgement_of(unit, review.person_id, review.prediction_id)
    assert judgement is not None
    assert (judgement.verdict, judgement.label) == (Verdict.WRONG, "Negative")


def test_the_same_text_under_a_newer_prediction_replaces_the_vote(database: Database, remember: Remember) -> None:
    with database.unit_of_work() as unit:
        old = remember(unit, "I liked it", label="Negative")
        judge(unit, old.person_id, old.prediction_id, Verdict.WRONG)
        new = remember(unit, "I liked it", label="Positive", version="two")
        assert judge(unit, new.person_id, new.prediction_id, Verdict.RIGHT) is Verdict.WRONG
        under_old = judgement_of(unit, old.person_id, old.prediction_id)
        assert under_old == judgement_of(unit, new.person_id, new.prediction_id)
        assert under_old is not None
        assert (under_old.prediction_id, under_old.label) == (new.prediction_id, "Positive")


def test_other_people_and_other_texts_have_votes_of_their_own(database: Database, remember: Remember) -> None:
    with database.unit_of_work() as unit:
        mine = remember(unit, "I liked it", telegram_id=7)
        other_text = remember(unit, "I liked it!", telegram_id=7)
        theirs = remember(unit, "I liked it", telegram_id=8)
        bystander = meet(unit, 9, "Grace", "en")
        for person_id, review in [(mine.person_id, mine), (mine.person_id, other_text), (theirs.person_id, theirs)]:
            assert judge(unit, person_id, review.prediction_id, Verdict.RIGHT) is None
        assert judge(unit, bystander.id, mine.prediction_id, Verdict.WRONG) is None
        assert unit.scalars(select(func.count()).select_from(JudgementRow)).one() == 4


def test_a_vote_can_be_taken_back(database: Database, remember: Remember) -> None:
    with database.unit_of_work() as unit:
        review = remember(unit, "I liked it")
        assert undo(unit, review.person_id, review.prediction_id) is None
        judge(unit, review.person_id, review.prediction_id, Verdict.NEITHER)
    with database.unit_of_work() as unit:
        assert undo(unit, review.person_id, review.prediction_id) is Verdict.NEITHER
        assert judgement_of(unit, review.person_id, review.prediction_id) is None
        assert judge(unit, review.person_id, review.prediction_id, Verdict.RIGHT) is None


def test_a_prediction_that_is_gone_cannot_be_judged(database: Database) -> None:
    with database.unit_of_work() as unit:
        person = meet(unit, 7, "Ada", "en")
        with pytest.raises(UnknownPrediction, match="12345"):
            judge(unit, person.id, 12345, Verdict.RIGHT)
        assert undo(unit, person.id, 12345) is None
        assert judgement_of(unit, person.id, 12345) is None
