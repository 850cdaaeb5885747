"""The pages about models show the running bots' reports, and admins are notified once if a bot refuses a model."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import pytest
from telegram import Bot

from bot.admin.models_page import model_page, models_page
from bot.admin.refusal_notices import RefusalNotices
from bot.database import AsyncDatabase
from bot.sending.outbox import Outbox
from bot.sending.troubles import Troubles
from bot.texts import texts_for
from ml.serving.artifact import Manifest
from storage.chat import outbox, people
from storage.db.database import Database
from storage.models import instances, registry

BOT, ADMIN, OTHER_ADMIN = 900, 7, 8
TEXTS = texts_for("en")
MANIFEST = Manifest("one", "", "small", 16, 4, 1.0, 0.7, {}, {}, {}, {}, [], {})


@pytest.fixture
def models(database: Database) -> Database:
    """A database with the models "one" and "two". Model "two" is promoted."""
    with database.unit_of_work() as unit:
        for version in ("one", "two"):
            registry.register(unit, version, version[0] * 64, version)
        registry.make_live(unit, "one", "a test begins")
        registry.make_live(unit, "two", "a test says so")
    return database


def serve(database: Database, process: str, version: str, refused: str | None = None) -> None:
    with database.unit_of_work() as unit:
        instances.acknowledge(unit, process, BOT, version)
        if refused is not None:
            instances.refuse(unit, process, refused, "The model is <broken>.")


def pages(database: Database) -> tuple[str, str]:
    with database.reading() as unit:
        return model_page(unit, TEXTS, MANIFEST, BOT), models_page(unit, TEXTS)[0]


def test_a_model_that_no_bot_answers_with_is_not_called_live(models: Database) -> None:
    for page in pages(models):
        assert "0 of 0 bots" in page
        assert "live since" not in page
        assert "· live" not in page
    serve(models, "host:1", "two")
    serve(models, "host:2", "one")
    model, all_models = pages(models)
    assert "1 of 2 bots are using it" in model
    assert "⏳ <b>two</b>" in all_models
    assert all_models.count("1 of 2 bots are using it") == 2


def test_a_model_that_all_running_bots_answer_with_is_live(models: Database) -> None:
    serve(models, "host:1", "two")
    serve(models, "host:2", "two")
    model, all_models = pages(models)
    assert "Model <b>two</b> has been live since" in model
    assert "▶️ <b>two</b>" in all_models
    assert "bots are using" not in all_models


def test_a_refused_model_is_shown_with_the_reason(models: Database) -> None:
    serve(models, "host:1", "one", refused="two")
    refusal = "host:1 refused two: The model is &lt;broken&gt;."
    model, all_models = pages(models)
    assert refusal in model
    assert refusal in all_models
    assert "⚠️ <b>two</b>" in all_models
    assert "live since" not in model


def test_the_changes_read_as_sentences_and_name_the_admin(models: Database) -> None:
    with models.unit_of_work() as unit:
        registry.make_live(unit, "one", "an admin chose it in the list of models", ADMIN)
    lines = pages(models)[1].splitlines()
    assert lines[-3].endswith("one went live. Admin 7 chose it in the list of models.")
    assert lines[-2].endswith("two went live. A test says so.")


def test_only_models_that_were_not_rolled_back_from_are_offered_for_a_rollback(models: Database) -> None:
    with models.unit_of_work() as unit:
        registry.register(unit, "three", "3" * 64, "three")
        registry.make_live(unit, "three", "a test says so")
    assert offered(models) == ["Roll back to two", "Roll back to one"]
    with models.unit_of_work() as unit:
        registry.make_live(unit, "two", "an admin chose it in the list of models", ADMIN)
    assert offered(models) == ["Promote three", "Roll back to one"]


def test_the_model_to_roll_back_to_is_offered_even_if_it_is_too_old_for_the_list(models: Database) -> None:
    with models.unit_of_work() as unit:
        for number in range(11):
            registry.register(unit, f"held-{number}", f"{number:064}", f"held-{number}")
    assert "Roll back to one" in offered(models)


def offered(database: Database) -> list[str]:
    """Return the labels of the buttons under /models."""
    with database.reading() as unit:
        keyboard = models_page(unit, TEXTS)[1]
    return [button["text"] for row in (keyboard or {"inline_keyboard": []})["inline_keyboard"] for button in row]


@pytest.fixture
def notices(models: Database) -> Iterator[RefusalNotices]:
    store = AsyncDatabase(models)
    telegram = cast("Bot", SimpleNamespace(id=BOT))
    troubles = Troubles(telegram, store, Outbox(telegram, store), {ADMIN, OTHER_ADMIN})
    yield RefusalNotices(store, troubles, BOT)
    store.close()


def notified(database: Database) -> list[tuple[int, str]]:
    """Return each new message with its chat."""
    found = []
    with database.unit_of_work() as unit:
        for chat in outbox.pending_chats(unit, BOT):
            while (reply := outbox.claim_next(unit, BOT, chat)) is not None:
                found.append((chat, reply.payload["text"]))
    return found


async def test_admins_are_notified_of_a_refused_model_once(models: Database, notices: RefusalNotices) -> None:
    serve(models, "host:1", "one", refused="two")
    await notices.poll()
    assert notified(models) == []  # no admin has written to the bot yet
    with models.unit_of_work() as unit:
        people.upsert_person(unit, ADMIN, "Ada", "en")
    await notices.poll()
    ((chat, text),) = notified(models)
    assert chat == ADMIN
    assert "I couldn't load the promoted model <b>two</b>: The model is &lt;broken&gt;." in text
    assert "I'm using one instead." in text
    serve(models, "host:2", "one", refused="two")  # the bot started again
    await notices.poll()
    assert notified(models) == []


async def test_another_bot_s_refusal_is_not_this_bot_s(models: Database, notices: RefusalNotices) -> None:
    with models.unit_of_work() as unit:
        people.upsert_person(unit, ADMIN, "Ada", "en")
        instances.acknowledge(unit, "host:3", BOT + 1, "one")
        instances.refuse(unit, "host:3", "two", "The model is broken.")
    await notices.poll()
    assert notified(models) == []
