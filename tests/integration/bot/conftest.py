"""Fixtures for the bot's dialogs on real databases."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import cast

import pytest
from labelling_chat import LABELLER, Chat, StoreReview, give_consent
from telegram.ext import ApplicationBuilder
from weighted_engine import weighted_classifier

from bot.access import Access
from bot.database import AsyncDatabase
from bot.receiving import inbox
from bot.receiving.inbox import Inbox
from bot.reviews.answers import ReviewResponder
from bot.reviews.explanations import ExplanationResponder
from bot.reviews.handlers import ReviewHandlers
from bot.reviews.verdict_messages import VerdictMessages
from bot.reviews.votes import VoteRecorder
from bot.serving.live_model import LiveModel
from core.settings import Settings
from storage.db.database import Database
from storage.privacy.deletions import FILE_NAME, DeletionList
from tests.inbox_parts import BOT, Responder, admit_all, make_failures


@pytest.fixture
def deletions(tmp_path: Path) -> DeletionList:
    """A new, empty list of deletions."""
    return DeletionList(tmp_path / FILE_NAME)


@pytest.fixture
def store(migrated_sqlite: Path, tmp_path: Path, keys: tuple[str, ...]) -> Iterator[AsyncDatabase]:
    shutil.copy(migrated_sqlite, tmp_path / "thumbs.db")
    opened = AsyncDatabase(Database.open(f"sqlite:///{tmp_path / 'thumbs.db'}", keys))
    yield opened
    opened.close()


@pytest.fixture
def each_store(database: Database) -> Iterator[AsyncDatabase]:
    """An empty database on each engine."""
    opened = AsyncDatabase(database)
    yield opened
    opened.close()


@pytest.fixture
async def box(each_store: AsyncDatabase, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Inbox]:
    """A running inbox that passes its updates through python-telegram-bot's application to the real handlers."""
    monkeypatch.setattr(inbox, "SWEEP_SECONDS", 0.01)
    failures = make_failures(each_store)
    application = ApplicationBuilder().bot(BOT).updater(None).build()
    responder = cast("ReviewResponder", Responder(each_store))
    verdicts = VerdictMessages(Settings(_env_file=None))
    model = LiveModel(weighted_classifier()[0])
    handlers = ReviewHandlers(
        Access([]),
        each_store,
        responder,
        VoteRecorder(each_store, verdicts),
        ExplanationResponder(each_store, model, verdicts),
    )
    application.add_handlers(handlers.handlers())
    application.add_error_handler(failures.on_error)
    await application.initialize()
    started = Inbox(BOT, each_store, application.process_update, failures, admit_all)
    started.start()
    yield started
    await started.stop()
    model.close()


@pytest.fixture
async def chat(each_store: AsyncDatabase, store_review: StoreReview) -> Chat:
    """The chat of a labeller who consented."""
    await each_store.write(lambda unit: give_consent(unit, LABELLER))
    return Chat(each_store, LABELLER, store_review)
