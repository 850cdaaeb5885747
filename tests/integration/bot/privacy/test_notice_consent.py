"""Only people who opted in are notified, by the bot that they chose, until they change their mind."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import select

from bot.incoming import Incoming, Sender, Tap
from bot.privacy.buttons import ConsentTap, parse_consent_tap
from bot.privacy.consent import PrivacyDialog
from bot.texts import CONSENT_WORDING, NOTICES_WORDING, texts_for
from core.settings import Settings
from storage.chat.outbox import Reply
from storage.db.states import Consent
from storage.db.tables import ConsentRow
from storage.privacy import consent, erasure
from storage.privacy.consent import notification_scope
from storage.privacy.deletions import DeletionList
from tests.learning_bot import AUTHOR, BOT, OTHER_BOT, VOTER, LearningBot

TEXTS = texts_for("en")


async def leave(bot: LearningBot) -> None:
    with bot.database.unit_of_work() as unit:
        erasure.erase(unit, AUTHOR)


async def stop_training(bot: LearningBot) -> None:
    bot.answer_consent(AUTHOR, consent.TRAINING, Consent.WITHDRAWN)


async def stop_notices(bot: LearningBot) -> None:
    bot.answer_consent(AUTHOR, notification_scope(BOT), Consent.WITHDRAWN)


@pytest.mark.usefixtures("opted_in")
@pytest.mark.parametrize("change_of_mind", [leave, stop_training, stop_notices])
@pytest.mark.parametrize("meanwhile", [False, True])
async def test_a_person_who_withdrew_is_not_notified(
    bot: LearningBot,
    *,
    change_of_mind: Callable[[LearningBot], Awaitable[None]],
    meanwhile: bool,
) -> None:
    bot.correct("A bore.")
    run_id = bot.go_live("seven")
    if meanwhile:
        bot.model.while_predicting = lambda: change_of_mind(bot)
    else:
        await change_of_mind(bot)
    await bot.notifier.poll()
    assert bot.model.predicted == (["A bore."] if meanwhile else [])
    assert (bot.announced(run_id), bot.sent()) == (True, [])


@pytest.mark.usefixtures("opted_in")
async def test_the_bot_that_the_person_opted_in_to_last_sends_the_notice(bot: LearningBot) -> None:
    bot.answer_consent(AUTHOR, notification_scope(OTHER_BOT))
    bot.correct("A bore.")
    bot.go_live("seven")
    await bot.notifier.poll()
    assert (len(bot.sent()), len(bot.sent(bot_id=OTHER_BOT))) == (0, 1)


async def test_imported_people_are_not_notified(bot: LearningBot) -> None:
    for person in (-5, VOTER):
        bot.answer_consent(person, consent.TRAINING)
    bot.answer_consent(-5, notification_scope(BOT))
    bot.correct("A bore.", author=-5)
    run_id = bot.go_live("seven")
    await bot.notifier.poll()
    assert (bot.announced(run_id), bot.sent(-5), bot.model.predicted) == (True, [], [])


def buttons(reply: Reply) -> dict[str, str]:
    rows = reply.payload.get("reply_markup", {"inline_keyboard": []})["inline_keyboard"]
    return {button["text"]: button["callback_data"] for row in rows for button in row}


async def test_notices_are_offered_after_consent_and_stopped_by_their_button(
    bot: LearningBot, deletions: DeletionList
) -> None:
    privacy = PrivacyDialog(bot.store, deletions, Settings(_env_file=None))
    tap = Tap(Incoming(BOT, (), AUTHOR, Sender(AUTHOR, "Ada", "en")), 55)
    await privacy.ask_consent(tap.incoming)
    (question,) = bot.sent()
    assert TEXTS.button_notices_yes not in buttons(question), "without consent there is nothing to notify about"
    await privacy.set_consent(tap, ConsentTap(CONSENT_WORDING, granted=True))
    (granted,) = bot.sent()
    data = buttons(granted)[TEXTS.button_notices_yes]
    assert data == f"notices:{NOTICES_WORDING}:yes"
    await privacy.set_notices(tap, parse_consent_tap(data))
    (thanks,) = bot.sent()
    assert (thanks.payload["text"], buttons(thanks)) == (TEXTS.notices_granted, {})
    bot.answer_consent(VOTER, consent.TRAINING)
    bot.correct("A bore.")
    bot.go_live("seven")
    await bot.notifier.poll()
    (notice,) = bot.sent()
    await privacy.ask_consent(tap.incoming)
    (status,) = bot.sent()
    assert status.payload["text"].endswith(TEXTS.notices_status)
    stop = buttons(notice)[TEXTS.button_notices_stop]
    assert buttons(status)[TEXTS.button_notices_stop] == stop
    await privacy.set_notices(tap, parse_consent_tap(stop))
    (stopped,) = bot.sent()
    assert stopped.payload["text"] == TEXTS.notices_withdrawn
    with bot.database.reading() as unit:
        lines = unit.execute(select(ConsentRow.scope, ConsentRow.consent, ConsentRow.wording)).all()
    about_notices = [tuple(line) for line in lines if line.scope == notification_scope(BOT)]
    assert about_notices == [
        ("notices:900", Consent.GRANTED, NOTICES_WORDING),
        ("notices:900", Consent.WITHDRAWN, NOTICES_WORDING),
    ]


async def test_notices_can_be_stopped_when_consent_is_withdrawn(bot: LearningBot, deletions: DeletionList) -> None:
    bot.answer_consent(AUTHOR, consent.TRAINING)
    bot.answer_consent(AUTHOR, notification_scope(BOT))
    bot.answer_consent(AUTHOR, consent.TRAINING, Consent.WITHDRAWN)
    await PrivacyDialog(bot.store, deletions, Settings(_env_file=None)).ask_consent(
        Incoming(BOT, (), AUTHOR, Sender(AUTHOR, "Ada", "en"))
    )
    (status,) = bot.sent()
    assert TEXTS.button_notices_stop in buttons(status)
