"""What a notice about corrections says, and which corrections it announces."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from storage.db.column_types import utc_now
from storage.db.tables import VoteRow
from storage.feedback.eligibility import EligibilityRules
from storage.privacy.consent import notification_scope
from tests.learning_bot import BOT, VOTER, LearningBot

NOBODY_TRAINS = EligibilityRules(quorum=2, person_rows=0, person_share=0.0)


@pytest.mark.usefixtures("opted_in")
async def test_the_newest_three_texts_are_quoted_and_wrong_verdicts_are_admitted(bot: LearningBot) -> None:
    bot.correct(*[f"Bore number {number}." for number in range(5)])
    bot.finish_run("seven")
    bot.model.version, bot.model.label = "seven", "Positive"
    await bot.notifier.poll()
    (notice,) = bot.sent()
    text = notice.payload["text"]
    assert text.startswith("Model <b>seven</b> is live now, and it learned from 5 of your corrections")
    assert [line for line in text.splitlines() if "“" in line] == [f"“Bore number {number}.”" for number in (4, 3, 2)]
    assert text.count("It still says 👍 <b>Positive</b> · 94%.") == 3
    assert text.endswith("… and 2 more.")
    assert len(text) <= 4096


@pytest.mark.usefixtures("opted_in")
async def test_a_later_model_is_announced_for_later_corrections_only(bot: LearningBot) -> None:
    bot.correct("The first bore.")
    bot.go_live("seven")
    await bot.notifier.poll()
    assert len(bot.sent()) == 1
    bot.go_live("eight")
    await bot.notifier.poll()
    assert bot.sent() == [], "the correction was already announced with seven"
    bot.correct("The second bore.")
    bot.go_live("nine")
    await bot.notifier.poll()
    (notice,) = bot.sent()
    assert "second" in notice.payload["text"]
    assert "first" not in notice.payload["text"]


@pytest.mark.usefixtures("opted_in")
async def test_a_correction_in_a_model_that_never_went_live_is_announced_later(bot: LearningBot) -> None:
    bot.correct("A bore.")
    bot.finish_run("seven", promoted=False)
    await bot.notifier.poll()
    bot.go_live("eight")
    await bot.notifier.poll()
    assert len(bot.sent()) == 1


@pytest.mark.usefixtures("opted_in")
async def test_texts_beyond_a_quota_and_votes_after_the_snapshot_are_not_announced(bot: LearningBot) -> None:
    bot.correct("A bore.")
    bot.go_live("seven", NOBODY_TRAINS)
    await bot.notifier.poll()
    bot.correct("Another bore.")
    bot.finish_run("eight")
    with bot.database.unit_of_work() as unit:
        unit.change(update(VoteRow).values(created_at=utc_now() + timedelta(hours=1)))
    bot.model.version = "eight"
    await bot.notifier.poll()
    assert bot.sent() == []


@pytest.mark.usefixtures("opted_in")
async def test_a_vote_on_another_persons_text_is_announced_without_the_text(bot: LearningBot) -> None:
    bot.answer_consent(VOTER, notification_scope(BOT))
    bot.correct("A bore.")
    bot.go_live("seven")
    await bot.notifier.poll()
    (notice,) = bot.sent(VOTER)
    assert (
        notice.payload["text"]
        == "Model <b>seven</b> is live now, and it learned from your votes on other people's reviews."
    )
    (own,) = bot.sent()
    assert "other people" not in own.payload["text"]
