"""Before a run, the bot forecasts what the votes can prove."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from bot.admin.forecast import Forecast, read_forecast, render_forecast
from bot.texts import texts_for
from core.settings import Settings
from storage.db.database import Database
from storage.db.states import Consent, RunKind, Trigger, Vote
from storage.feedback.votes import record_vote
from storage.models import looks, registry
from storage.models.looks import Look
from storage.privacy.consent import record_consent
from storage.training import runs

ADMIN = 7
SETTINGS = Settings(_env_file=None, admin_ids=(ADMIN,))
TEXTS = texts_for("en")


def test_the_forecast_follows_the_votes_and_earlier_looks(database: Database, store_review: Callable[..., Any]) -> None:
    with database.unit_of_work() as unit:
        for number in range(200):
            review = store_review(unit, f"Review {number}.", telegram_id=ADMIN)
            record_vote(unit, review.person_id, review.prediction_id, Vote.RIGHT)
        record_consent(unit, review.person_id, Consent.GRANTED, "test")
        registry.make_live(unit, "one", "a test begins")
        found = read_forecast(unit, SETTINGS)
        assert (found.usable, found.next_look) == (200, 0)
        assert found.provable_gain is not None
        assert 0.06 < found.provable_gain < 0.09, "200 votes"
        run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN).run
        looks.record(unit, Look(datetime.now(UTC), "one", 200, 0.00625, run_id=run.id))
        assert read_forecast(unit, SETTINGS).next_look == 300


def test_each_forecast_says_what_can_be_done() -> None:
    assert "nothing to learn from" in render_forecast(TEXTS, Forecast(0, None, 0), 2)
    assert "not enough to prove" in render_forecast(TEXTS, Forecast(12, None, 0), 2)
    assert "due at 600" in render_forecast(TEXTS, Forecast(400, 0.07, 600), 2)
    assert "Usable votes: 1,400." in render_forecast(TEXTS, Forecast(1400, 0.035, 0), 2)
    assert "a gain of about 3.5 points" in render_forecast(TEXTS, Forecast(1400, 0.035, 0), 2)
