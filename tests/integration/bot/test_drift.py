"""What people send is compared with the training data: on demand, and once a week if something moved."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from conversation import PERSON, conversation
from sqlalchemy import select, update
from typer.testing import CliRunner

from bot.admin import drift
from bot.admin.drift import FIRST_WEEKS, WEEK, Moved, read_drift
from bot.admin.drift_notices import DriftNotices
from bot.admin.drift_page import DriftPage
from bot.database import AsyncDatabase
from bot.incoming import Incoming, Sender
from bot.sending.outbox import Outbox
from bot.serving.live_model import LiveModel
from cli.main import app
from core.input_profile import InputProfile
from storage.chat import outbox
from storage.chat.outbox import Reply
from storage.chat.people import upsert_person
from storage.db.database import Database, UnitOfWork
from storage.db.tables import MessageRow, PredictionRow
from storage.input_profiles import first_counted, profile_between
from storage.privacy.erasure import erase
from tests.inbox_parts import ADMIN, BOT, BOT_ID

StoreReview = Callable[..., Any]
TRAINING = InputProfile(texts=2_500, positive=0.5, confidence=0.9, words=10.0, unknown=0.1)
NOW = datetime.now(UTC)
MONDAY = (NOW - timedelta(days=NOW.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture(autouse=True)
def _few_texts_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "LEAST_TEXTS", 10)


def fill(unit: UnitOfWork, store_review: StoreReview, at: datetime, count: int = 10, **columns: Any) -> None:
    """Store texts that were sent ``at`` this time and match the training data, except for these columns."""
    for number in range(count):
        label = "Positive" if number % 2 else "Negative"
        review = store_review(unit, f"Text {number} of {at}", telegram_id=PERSON, label=label)
        counts = {"words": 10, "unknown_words": 1, **columns}
        unit.change(update(PredictionRow).where(PredictionRow.id == review.prediction_id).values(counts))
        unit.change(update(MessageRow).where(MessageRow.id == review.message_id).values(created_at=at))


def incoming() -> Incoming:
    return Incoming(BOT_ID, (), ADMIN, Sender(ADMIN, "Ada", "en"))


async def replies(store: AsyncDatabase) -> list[Reply]:
    def work(unit: UnitOfWork) -> list[Reply]:
        found = []
        while (reply := outbox.claim_next(unit, BOT_ID, ADMIN)) is not None:
            found.append(reply)
        return found

    return await store.write(work)


class Model:
    """A live model whose manifest may record what its training data looks like."""

    version = "one"

    def __init__(self, training: InputProfile | None) -> None:
        self.manifest = type("Manifest", (), {"inputs": training})


def live(training: InputProfile | None = TRAINING) -> LiveModel:
    return cast("LiveModel", Model(training))


def notices(store: AsyncDatabase, training: InputProfile | None = TRAINING) -> DriftNotices:
    return DriftNotices(store, Outbox(BOT, store), live(training), BOT_ID, [ADMIN])


def test_the_profile_of_a_period_counts_only_its_texts_and_none_of_deleted_people(
    database: Database, store_review: StoreReview
) -> None:
    with database.unit_of_work() as unit:
        fill(unit, store_review, MONDAY, 4, confidence=0.75, words=3)
        fill(unit, store_review, MONDAY - WEEK, 4, words=30)
        store_review(unit, "An imported text has no counts")
        found = profile_between(unit, MONDAY, MONDAY + WEEK)
        assert found == InputProfile(texts=4, positive=0.5, confidence=0.75, words=3.0, unknown=pytest.approx(1 / 3))
        assert first_counted(unit) == MONDAY
        erase(unit, PERSON)
        assert profile_between(unit, MONDAY - WEEK, MONDAY + WEEK) is None
        assert first_counted(unit) is None


def test_without_figures_about_the_training_data_the_first_four_weeks_are_the_reference(
    database: Database, store_review: StoreReview
) -> None:
    start = NOW - (FIRST_WEEKS + 1) * WEEK
    with database.unit_of_work() as unit:
        fill(unit, store_review, start)
        fill(unit, store_review, NOW - timedelta(days=1), words=30)
        early = read_drift(unit, "one", None, NOW - timedelta(hours=1))
        late = read_drift(unit, "one", None, NOW)
        trained = read_drift(unit, "one", TRAINING, NOW)
    assert early.reference is None
    assert late.reference is not None
    assert (late.reference.words, late.from_training, late.moved()) == (10.0, False, {Moved.WORDS, Moved.UNKNOWN})
    assert (trained.reference, trained.from_training) == (TRAINING, True)


async def test_drift_is_shown_on_demand_as_a_picture_with_one_sentence(
    each_store: AsyncDatabase, store_review: StoreReview
) -> None:
    page = DriftPage(each_store, live())
    await page.show(incoming())
    (empty,) = await replies(each_store)
    assert "too few to compare" in empty.payload["text"]
    await each_store.write(lambda unit: fill(unit, store_review, NOW - timedelta(days=1), unknown_words=4))
    await page.show(incoming())
    (shown,) = await replies(each_store)
    assert shown.payload["caption"] == (
        "The 10 texts of the last seven days differ from the training data: "
        "40% of their words aren't in the model's vocabulary, instead of 10%."
    )
    assert shown.payload["photo"]


async def test_admins_are_notified_once_in_the_week_after_something_moved(
    each_store: AsyncDatabase, store_review: StoreReview
) -> None:
    await each_store.write(lambda unit: upsert_person(unit, ADMIN, "Ada", "en"))
    await each_store.write(lambda unit: fill(unit, store_review, MONDAY - timedelta(days=3), words=30, unknown_words=3))
    await notices(each_store).poll()
    (notice,) = await replies(each_store)
    assert "they had 30 words on average, instead of 10" in notice.payload["caption"]
    await notices(each_store).poll()
    assert await replies(each_store) == []


@pytest.mark.parametrize(
    ("last_week", "week_before"),
    [(10, 10), (30, 30), (10, 30)],
    ids=["nothing moved", "it moved earlier", "it moved back"],
)
async def test_admins_are_not_notified_if_nothing_new_moved(
    each_store: AsyncDatabase, store_review: StoreReview, last_week: int, week_before: int
) -> None:
    def work(unit: UnitOfWork) -> None:
        upsert_person(unit, ADMIN, "Ada", "en")
        for days, words in ((3, last_week), (10, week_before)):
            counts = {"words": words, "unknown_words": words // 10}
            fill(unit, store_review, MONDAY - timedelta(days=days), **counts)

    await each_store.write(work)
    await notices(each_store).poll()
    assert await replies(each_store) == []


async def test_nothing_is_compared_before_an_admin_has_written(
    each_store: AsyncDatabase, store_review: StoreReview
) -> None:
    await each_store.write(lambda unit: fill(unit, store_review, MONDAY - timedelta(days=3), words=30))
    await notices(each_store).poll()
    await each_store.write(lambda unit: upsert_person(unit, ADMIN, "Ada", "en"))
    await notices(each_store).poll()
    assert len(await replies(each_store)) == 1


async def test_the_bot_stores_the_numbers_of_words_with_its_verdict(database: Database, tmp_path: Path) -> None:
    async with conversation(database, tmp_path) as chat:
        await chat.write("A fine quokkazzle")
        stored = select(PredictionRow.words, PredictionRow.unknown_words)
        assert await chat.database.read(lambda unit: unit.execute(stored).one()) == (3, 1)


def test_the_command_prints_the_sentence_or_all_figures(
    database_url: str, keys: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("ENCRYPTION_KEY", keys[0])
    printed = CliRunner().invoke(app, ["drift"])
    assert printed.exit_code == 0, printed.output
    assert printed.stdout.startswith("There's nothing to compare people's texts with yet: ")
    found = json.loads(CliRunner().invoke(app, ["drift", "--json"]).stdout)
    assert (found["sentence"], found["reference"], len(found["weeks"])) == (printed.stdout.strip(), None, 12)
