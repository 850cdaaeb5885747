"""Messages, their revisions, and the predictions made for them."""

from collections.abc import Callable
from typing import Any

import pytest

from storage.chat.messages import MessagePart, StoredMessage, find_by_part, get_message, store_message
from storage.chat.people import upsert_person
from storage.chat.predictions import Prediction, get_prediction, store_prediction
from storage.db.database import Database
from storage.errors import ModelVersionTaken, UnknownMessage, UnknownModelVersion, UnknownPrediction
from storage.models.registry import live_model, make_live, register
from storage.privacy.erasure import erase

BOT = 900
CHAT = 7
BEGINNING = MessagePart(100, "The first hour is slow,")
END = MessagePart(101, "but the last one is a joy.")


def test_a_split_text_is_found_by_each_of_its_parts(database: Database) -> None:
    with database.unit_of_work() as unit:
        person = upsert_person(unit, CHAT, "Ada", "en")
        message_id = store_message(unit, person.id, BOT, CHAT, [BEGINNING, END])
    expected = StoredMessage(message_id, person.id, CHAT, (BEGINNING, END), None)
    with database.reading() as unit:
        assert find_by_part(unit, BOT, CHAT, 100) == find_by_part(unit, BOT, CHAT, 101) == expected
        assert get_message(unit, message_id) == expected
        assert expected.text == "The first hour is slow,\nbut the last one is a joy."
        assert find_by_part(unit, BOT, CHAT, 102) is None
        assert find_by_part(unit, BOT, CHAT + 1, 100) is None
        assert find_by_part(unit, BOT + 1, CHAT, 100) is None


def test_an_edit_is_a_new_row_that_all_parts_belong_to(database: Database) -> None:
    better = MessagePart(101, "and so is the last one.")
    with database.unit_of_work() as unit:
        person = upsert_person(unit, CHAT, "Ada", "en")
        old = store_message(unit, person.id, BOT, CHAT, [BEGINNING, END])
        new = store_message(unit, person.id, BOT, CHAT, [BEGINNING, better], revises=old)
        newest = store_message(unit, person.id, BOT, CHAT, [better], revises=new)
    with database.reading() as unit:
        for number in (100, 101):
            assert find_by_part(unit, BOT, CHAT, number) == StoredMessage(newest, person.id, CHAT, (better,), None)
        assert get_message(unit, old) == StoredMessage(old, person.id, CHAT, (BEGINNING, END), None)


def test_a_late_part_joins_the_text(database: Database) -> None:
    with database.unit_of_work() as unit:
        person = upsert_person(unit, CHAT, "Ada", "en")
        first = store_message(unit, person.id, BOT, CHAT, [BEGINNING])
        joined = store_message(unit, person.id, BOT, CHAT, [BEGINNING, END], revises=first)
        found = [find_by_part(unit, BOT, CHAT, number) for number in (100, 101)]
    assert [message.id for message in found if message] == [joined, joined]


def test_editing_a_deleted_text_raises_an_error(database: Database, store_review: Callable[..., Any]) -> None:
    with database.unit_of_work() as unit:
        review = store_review(unit, "I liked it", telegram_id=CHAT)
        erase(unit, CHAT)
    with database.unit_of_work() as unit:
        person = upsert_person(unit, CHAT, "Ada", "en")
        with pytest.raises(UnknownMessage, match="deleted"):
            store_message(unit, person.id, BOT, CHAT, [END], revises=review.message_id)


def test_a_prediction_is_read_back_unchanged(database: Database) -> None:
    with database.unit_of_work() as unit:
        person = upsert_person(unit, CHAT, "Ada", "en")
        register(unit, "one", "0" * 64, "models/one")
        message_id = store_message(unit, person.id, BOT, CHAT, [END])
        first = store_prediction(unit, message_id, "one", "Negative", 0.51, False, 3, (0.1, 0.0625))
        second = store_prediction(unit, message_id, "one", "Positive", 0.9, True, 1, (-1.5, 0.7), replaces=first)
    with database.reading() as unit:
        assert get_prediction(unit, second) == Prediction(
            id=second,
            message_id=message_id,
            person_id=person.id,
            chat_id=CHAT,
            version="one",
            label="Positive",
            confidence=0.9,
            sure=True,
            windows=1,
            replaces=first,
            logits=(-1.5, 0.7),
        )
        found = find_by_part(unit, BOT, CHAT, END.telegram_message_id)
        assert found is not None
        assert found.prediction_id == second
        assert get_prediction(unit, second + 1) is None


def test_a_prediction_needs_a_registered_model_and_an_existing_predecessor(
    database: Database, store_review: Callable[..., Any]
) -> None:
    with database.unit_of_work() as unit:
        review = store_review(unit, "I liked it")
        with pytest.raises(UnknownModelVersion, match="two"):
            store_prediction(unit, review.message_id, "two", "Positive", 0.9, True, 1, (0.0, 1.0))
        with pytest.raises(UnknownPrediction, match="12345"):
            store_prediction(unit, review.message_id, "one", "Positive", 0.9, True, 1, (0.0, 1.0), replaces=12345)


def test_ids_of_deleted_rows_are_not_reused(database: Database, store_review: Callable[..., Any]) -> None:
    with database.unit_of_work() as unit:
        old = store_review(unit, "I liked it")
        erase(unit, old.telegram_id)
    with database.unit_of_work() as unit:
        new = store_review(unit, "I liked it not", telegram_id=8)
    assert new.prediction_id > old.prediction_id
    assert new.message_id > old.message_id
    assert new.person_id > old.person_id


def test_one_model_is_live_at_a_time(database: Database) -> None:
    with database.unit_of_work() as unit:
        assert live_model(unit) is None
        register(unit, "one", "1" * 64, "models/one")
        register(unit, "two", "2" * 64, "models/two")
        assert live_model(unit) is None
        make_live(unit, "one", "a test")
    with database.unit_of_work() as unit:
        make_live(unit, "two", "a test")
        make_live(unit, "two", "a test")
    with database.reading() as unit:
        live = live_model(unit)
    assert live is not None
    assert (live.version, live.manifest_sha256, live.location) == ("two", "2" * 64, "models/two")


def test_an_unregistered_model_cannot_go_live(database: Database) -> None:
    with database.unit_of_work() as unit:
        register(unit, "one", "1" * 64, "models/one")
        make_live(unit, "one", "a test")

    def make_unknown_live() -> None:
        with database.unit_of_work() as unit:
            make_live(unit, "two", "a test")

    with pytest.raises(UnknownModelVersion, match="two"):
        make_unknown_live()
    with database.reading() as unit:
        live = live_model(unit)
    assert live is not None
    assert live.version == "one"


def test_a_version_keeps_its_contents_but_may_move(database: Database) -> None:
    with database.unit_of_work() as unit:
        register(unit, "one", "1" * 64, "models/one")
        make_live(unit, "one", "a test")
        register(unit, "one", "1" * 64, "elsewhere/one")
        live = live_model(unit)
        assert live is not None
        assert live.location == "elsewhere/one"
        with pytest.raises(ModelVersionTaken, match="one"):
            register(unit, "one", "2" * 64, "models/one")
