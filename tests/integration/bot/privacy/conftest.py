"""Fixtures for notices about corrections."""

from collections.abc import Iterator

import pytest

from bot.database import AsyncDatabase
from storage.db.database import Database
from storage.privacy import consent
from storage.privacy.consent import notification_scope
from tests.learning_bot import AUTHOR, BOT, VOTER, LearningBot, StoreReview


@pytest.fixture
def bot(database: Database, store_review: StoreReview) -> Iterator[LearningBot]:
    store = AsyncDatabase(database)
    yield LearningBot(database, store, store_review)
    store.close()


@pytest.fixture
def opted_in(bot: LearningBot) -> None:
    """The author and the voter consented to training. The author opted in to notices."""
    for telegram_id in (AUTHOR, VOTER):
        bot.answer_consent(telegram_id, consent.TRAINING)
    bot.answer_consent(AUTHOR, notification_scope(BOT))
