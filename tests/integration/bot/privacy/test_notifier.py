"""People are notified once, even if processes race, die or swap models."""

import asyncio

import pytest

from storage.models import registry
from storage.training import notifications
from tests.learning_bot import ADMIN, VOTER, FakeModel, LearningBot


@pytest.mark.usefixtures("opted_in")
async def test_a_person_is_notified_once_with_the_new_verdict_on_a_correction(bot: LearningBot) -> None:
    bot.correct("Two hours of <noise> & nothing else.")
    run_id = bot.finish_run("seven")
    await bot.notifier.poll()
    assert bot.model.predicted == [], "this instance does not serve the new model yet"
    assert not bot.announced(run_id)
    bot.model.version = "seven"
    await bot.notifier.poll()
    (notice,) = bot.sent()
    assert notice.payload["text"] == (
        "Model <b>seven</b> is live now, and it learned from your correction.\n\n"
        "“Two hours of &lt;noise&gt; &amp; nothing else.”\nIt now says 👎 <b>Negative</b> · 94%."
    )
    assert notice.telegram_message_id is None
    assert bot.announced(run_id)
    await bot.notifier.poll()
    await bot.another_notifier(bot.model).poll()
    assert bot.sent() == []
    assert bot.sent(VOTER) == [], "the voter did not opt in"


@pytest.mark.usefixtures("opted_in")
async def test_a_process_that_loses_the_race_enqueues_nothing(bot: LearningBot) -> None:
    bot.correct("A bore.")
    bot.go_live("seven")
    other = bot.another_notifier(FakeModel("seven"))
    bot.model.while_predicting = other.poll
    await bot.notifier.poll()
    assert len(bot.sent()) == 1


def test_a_run_is_claimed_by_one_unit_of_work(bot: LearningBot) -> None:
    run_id = bot.finish_run("seven")
    claims = []
    for _ in range(2):
        with bot.database.unit_of_work() as unit:
            claims.append(notifications.claim_notifications(unit, run_id))
    assert claims == [True, False]


@pytest.mark.usefixtures("opted_in")
async def test_a_process_that_ends_before_its_commit_leaves_the_notices_to_the_next(bot: LearningBot) -> None:
    bot.correct("A bore.")
    run_id = bot.go_live("seven")

    async def end() -> None:
        raise asyncio.CancelledError

    bot.model.while_predicting = end
    with pytest.raises(asyncio.CancelledError):
        await bot.notifier.poll()
    assert (bot.announced(run_id), bot.sent()) == (False, [])
    await bot.another_notifier(FakeModel("seven")).poll()
    assert len(bot.sent()) == 1


@pytest.mark.usefixtures("opted_in")
async def test_nobody_is_notified_of_a_model_that_is_no_longer_live(bot: LearningBot) -> None:
    bot.correct("A bore.")
    run_id = bot.go_live("seven")

    async def roll_back() -> None:
        with bot.database.unit_of_work() as unit:
            registry.make_live(unit, "one", "an admin rolled back", ADMIN)

    bot.model.while_predicting = roll_back
    await bot.notifier.poll()
    assert (bot.announced(run_id), bot.sent()) == (False, [])
    with bot.database.unit_of_work() as unit:
        registry.make_live(unit, "seven", "an admin thought again", ADMIN)
    bot.model.while_predicting = None
    await bot.notifier.poll()
    assert len(bot.sent()) == 1


@pytest.mark.usefixtures("opted_in")
async def test_a_swap_during_the_predictions_enqueues_nothing(bot: LearningBot) -> None:
    bot.correct("A bore.")
    run_id = bot.go_live("seven")

    async def swap() -> None:
        bot.model.version = "one"

    bot.model.while_predicting = swap
    await bot.notifier.poll()
    assert (bot.announced(run_id), bot.sent()) == (False, [])
