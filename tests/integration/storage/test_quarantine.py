"""The texts that admins are asked to look at."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import update

from storage.chat.people import meet
from storage.db.database import Database, Unit
from storage.db.states import Consent, Verdict
from storage.db.tables import PredictionRow
from storage.feedback.eligibility import usable
from storage.feedback.quarantine import Reason, count_quarantined, quarantined
from storage.feedback.votes import judge
from storage.privacy.consent import record_consent

Remember = Callable[..., Any]
ADMIN = 1
ADMINS = frozenset({ADMIN})
AUTHOR, SECOND = 7, 8


def vote(unit: Unit, prediction_id: int, telegram_id: int, verdict: Verdict) -> None:
    person = meet(unit, telegram_id, "Someone", "en")
    record_consent(unit, person.id, Consent.GRANTED, "1")
    judge(unit, person.id, prediction_id, verdict)


def voted(unit: Unit, remember: Remember, text: str, own: Verdict, other: Verdict) -> Any:
    review = remember(unit, text, telegram_id=AUTHOR)
    vote(unit, review.prediction_id, AUTHOR, own)
    vote(unit, review.prediction_id, SECOND, other)
    return review


def test_a_disagreement_is_shown_until_an_admin_decides(database: Database, remember: Remember) -> None:
    with database.unit_of_work() as unit:
        voted(unit, remember, "Both like it", Verdict.RIGHT, Verdict.RIGHT)
        review = voted(unit, remember, "Nobody knows", Verdict.RIGHT, Verdict.NEITHER)
        later = voted(unit, remember, "Nobody knows either", Verdict.RIGHT, Verdict.WRONG)
        shown = quarantined(unit, 2, ADMINS, 10)
        assert [text.text for text in shown] == ["Nobody knows", "Nobody knows either"]
        first = shown[0]
        assert (first.prediction_id, first.author_id) == (review.prediction_id, review.person_id)
        assert (first.votes, first.reason) == (((None, 1), ("Positive", 1)), Reason.DISAGREEMENT)
        assert quarantined(unit, 2, ADMINS, 1) == shown[:1]
        vote(unit, review.prediction_id, ADMIN, Verdict.WRONG)
        assert [text.prediction_id for text in quarantined(unit, 2, ADMINS, 10)] == [later.prediction_id]
        labels = {text.judged.prediction_id: text.label for text in usable(unit, 2, ADMINS)}
        assert labels[review.prediction_id] == "Negative"


def test_an_unlikely_label_is_shown_last_and_counts_meanwhile(database: Database, remember: Remember) -> None:
    with database.unit_of_work() as unit:
        odd = voted(unit, remember, "Surely bad", Verdict.WRONG, Verdict.WRONG)
        voted(unit, remember, "Perhaps bad", Verdict.WRONG, Verdict.WRONG)
        certain = update(PredictionRow).where(PredictionRow.id == odd.prediction_id).values(confidence=0.995)
        unit.change(certain)
        voted(unit, remember, "Nobody knows", Verdict.RIGHT, Verdict.WRONG)
        assert [(text.text, text.reason) for text in quarantined(unit, 2, ADMINS, 10)] == [
            ("Nobody knows", Reason.DISAGREEMENT),
            ("Surely bad", Reason.UNLIKELY),
        ]
        assert count_quarantined(unit, 2, ADMINS) == {Reason.DISAGREEMENT: 1, Reason.UNLIKELY: 1}
        assert "Negative" in {text.label for text in usable(unit, 2, ADMINS)}
        vote(unit, odd.prediction_id, ADMIN, Verdict.WRONG)
        assert count_quarantined(unit, 2, ADMINS) == {Reason.DISAGREEMENT: 1}
