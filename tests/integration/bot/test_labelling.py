"""Labelling and the quarantine, each of which shows its questions, answers and undo in a single message."""

from collections import Counter
from typing import Any

import pytest
from labelling_chat import (
    ADMIN,
    ADMINS,
    AUTHOR,
    BOT,
    GOLD,
    LABELLER,
    OTHER,
    TEXTS,
    Chat,
    StoreReview,
    actions,
    asks,
    button_of,
    data_of,
    give_consent,
    noted,
    quarantine_actions,
    question,
    store_texts,
    votes_of,
)
from sqlalchemy import select

from bot.database import AsyncDatabase
from bot.labelling.buttons import LabelAction
from bot.labelling.gold_questions import gold_questions
from bot.texts import CONSENT_WORDING
from storage.chat import outbox, people
from storage.db.database import UnitOfWork
from storage.db.states import Consent, Selection, Vote
from storage.db.tables import OfferRow
from storage.feedback import label_offers, votes
from storage.feedback.eligibility import eligible_texts
from storage.privacy import consent, erasure


async def test_answers_are_votes_and_the_next_question_replaces_the_message(chat: Chat) -> None:
    one, two, three = await store_texts(chat, "I <3 it", "Not for me", "Tuesday at nine")
    first = await chat.label()
    assert question(first) == "I &lt;3 it"
    labels = [LabelAction.POSITIVE, LabelAction.NEGATIVE, LabelAction.NEITHER]
    assert actions(first) == [*labels, LabelAction.SKIP, LabelAction.STOP]
    answers = {"Not for me": LabelAction.NEGATIVE, "Tuesday at nine": LabelAction.NEITHER}
    second = await chat.answer(first, LabelAction.POSITIVE)
    assert second.payload["text"].startswith(noted(LabelAction.POSITIVE, 1))
    third = await chat.answer(second, answers.pop(question(second)))
    answered = answers.pop(question(third))
    end = await chat.answer(third, answered)
    assert end.payload["text"] == f"{noted(answered, 3)}\n\n{TEXTS.label_none}"
    assert actions(end) == [LabelAction.UNDO]
    assert set(await votes_of(chat)) == {
        (one.prediction_id, Vote.RIGHT, "Positive"),
        (two.prediction_id, Vote.WRONG, "Negative"),
        (three.prediction_id, Vote.NEITHER, None),
    }


async def test_a_labellers_vote_completes_the_quorum(chat: Chat) -> None:
    (review,) = await store_texts(chat, "I loved it")
    await chat.store.write(lambda unit: votes.record_vote(unit, review.person_id, review.prediction_id, Vote.WRONG))
    await chat.answer(await chat.label(), LabelAction.NEGATIVE)
    found = await chat.store.read(lambda unit: eligible_texts(unit, 2, ADMINS))
    assert [(text.voted.prediction_id, text.label) for text in found] == [(review.prediction_id, "Negative")]


async def test_a_skipped_text_gets_no_vote_and_is_not_offered_again(chat: Chat) -> None:
    await store_texts(chat, "I loved it", "I hated it")
    second = await chat.answer(await chat.label(), LabelAction.SKIP)
    assert question(second) == "I hated it"
    assert await votes_of(chat) == []
    assert question(await chat.label()) == "I hated it"


async def test_an_undone_answer_is_asked_again(chat: Chat) -> None:
    one, _ = await store_texts(chat, "I loved it", "I hated it")
    second = await chat.answer(await chat.label(), LabelAction.NEGATIVE)
    again = await chat.answer(second, LabelAction.UNDO)
    assert question(again) == "I loved it"
    assert LabelAction.UNDO not in actions(again), "there is no earlier answer"
    assert await votes_of(chat) == []
    assert question(await chat.answer(again, LabelAction.POSITIVE)) == "I hated it"
    assert await votes_of(chat) == [(one.prediction_id, Vote.RIGHT, "Positive")]


async def test_after_undo_a_text_with_enough_votes_is_not_asked_again(chat: Chat) -> None:
    (review,) = await store_texts(chat, "I loved it")
    end = await chat.answer(await chat.label(), LabelAction.NEGATIVE)

    def agree(unit: UnitOfWork) -> None:
        for telegram_id in (AUTHOR, OTHER):
            votes.record_vote(unit, give_consent(unit, telegram_id), review.prediction_id, Vote.RIGHT)

    await chat.store.write(agree)
    assert TEXTS.label_none in (await chat.answer(end, LabelAction.UNDO)).payload["text"]
    assert await votes_of(chat) == []


async def test_a_repeated_tap_changes_nothing(chat: Chat) -> None:
    await store_texts(chat, "I loved it", "I hated it", "I liked it")
    first = await chat.label()
    second = await chat.answer(first, LabelAction.POSITIVE)
    await chat.labelling.handle_tap(chat.tap(), button_of(first, LabelAction.NEGATIVE))
    assert await chat.store.write(lambda unit: outbox.claim_next(unit, BOT, LABELLER)) is None
    assert [label for *_, label in await votes_of(chat)] == ["Positive"]
    again = await chat.answer(second, LabelAction.UNDO)
    await chat.labelling.handle_tap(chat.tap(), button_of(second, LabelAction.UNDO))
    assert await chat.store.write(lambda unit: outbox.claim_next(unit, BOT, LABELLER)) is None
    assert question(again) == "I loved it"


async def test_an_older_message_is_closed_by_a_newer_one(chat: Chat) -> None:
    await store_texts(chat, "I loved it")
    old = await chat.label()
    new = await chat.label()
    assert question(new) == "I loved it"
    assert (await chat.answer(old, LabelAction.NEGATIVE)).payload["text"] == TEXTS.label_gone
    assert await votes_of(chat) == []


async def test_a_question_that_was_left_open_is_asked_again(chat: Chat) -> None:
    await store_texts(chat, *(f"The {number}th evening was a fine one" for number in range(9)))
    drawn = await chat.answer(await chat.label(), LabelAction.POSITIVE)
    for _ in range(4):
        assert question(await chat.label()) == question(drawn), "nobody can draw until they like a text"
    stored = await chat.store.read(lambda unit: unit.scalars(select(OfferRow.selection).order_by(OfferRow.id)).all())
    assert stored == [Selection.LEAST_SURE, Selection.RANDOM]


async def test_nobody_can_answer_another_persons_offer(chat: Chat) -> None:
    await store_texts(chat, "I loved it")
    offered = await chat.label()
    await chat.store.write(lambda unit: give_consent(unit, OTHER))
    stranger = Chat(chat.store, OTHER, chat.store_review)
    assert (await stranger.answer(offered, LabelAction.NEGATIVE)).payload["text"] == TEXTS.label_gone
    assert await votes_of(chat, OTHER) == []
    assert TEXTS.label_none in (await chat.answer(offered, LabelAction.POSITIVE)).payload["text"]


@pytest.mark.parametrize("answer", [None, Consent.ASKED, Consent.WITHDRAWN])
async def test_a_person_without_consent_is_asked_for_it_first(chat: Chat, answer: Consent | None) -> None:
    await store_texts(chat, "I loved it")

    def answer_consent(unit: UnitOfWork) -> None:
        person = people.upsert_person(unit, OTHER, "Someone", "en")
        if answer is not None:
            consent.record_consent(unit, person.id, answer, CONSENT_WORDING)

    await chat.store.write(answer_consent)
    asked = await Chat(chat.store, OTHER, chat.store_review).label()
    assert asked.payload["text"].startswith(TEXTS.label_needs_consent)
    assert "I loved it" not in asked.payload["text"]
    assert data_of(asked) == [f"join:{CONSENT_WORDING}:0", f"consent:{CONSENT_WORDING}:no"]


async def test_an_answer_after_withdrawal_does_not_count(chat: Chat) -> None:
    await store_texts(chat, "I loved it")
    shown = await chat.label()
    await chat.store.write(
        lambda unit: consent.record_consent(
            unit, people.upsert_person(unit, LABELLER, "Someone", "en").id, Consent.WITHDRAWN, CONSENT_WORDING
        )
    )
    assert (await chat.answer(shown, LabelAction.POSITIVE)).payload["text"].startswith(TEXTS.label_needs_consent)
    assert await votes_of(chat) == []


async def test_gold_questions_are_mixed_in_and_their_answers_are_not_votes(chat: Chat) -> None:
    texts = [f"The {number}th evening was a fine one" for number in range(24)]
    await store_texts(chat, *texts)
    shown, asked = await chat.label(), []
    while asks(shown):
        text = question(shown)
        asked.append(text)
        shown = await chat.answer(shown, LabelAction.POSITIVE if GOLD.get(text) != "Negative" else LabelAction.NEGATIVE)
    gold = [text for text in asked if text in GOLD]
    others = [text for text in asked if text not in GOLD]
    assert sorted(others) == sorted(texts)
    for number in range(0, len(others), 2):
        assert others[number] == next(text for text in texts if text not in others[:number]), "the least sure"
    assert [asked.index(text) for text in gold] == [3, 11, 19]
    assert len(set(gold)) == 3
    cast = await votes_of(chat)
    assert len(cast) == len(texts)
    (score,) = await chat.store.read(label_offers.gold_scores)
    assert (score.answered, score.right) == (3, 3)


async def test_a_gold_answer_can_be_undone(chat: Chat) -> None:
    await store_texts(chat, *(f"The {number}th evening was a fine one" for number in range(6)))
    shown = await chat.label()
    while question(shown) not in GOLD:
        shown = await chat.answer(shown, LabelAction.POSITIVE)
    gold = question(shown)
    after = await chat.answer(shown, LabelAction.POSITIVE if GOLD[gold] == "Positive" else LabelAction.NEGATIVE)
    again = await chat.answer(after, LabelAction.UNDO)
    assert question(again) == gold
    assert await chat.store.read(label_offers.gold_scores) == []


async def test_gold_questions_are_offered_only_while_texts_are_waiting(chat: Chat) -> None:
    await store_texts(chat, "One", "Two", "Three")
    shown = await chat.label()
    for _ in range(3):
        shown = await chat.answer(shown, LabelAction.SKIP)
    assert "You skipped 3" in shown.payload["text"]


async def test_a_long_text_shows_its_beginning_and_end(chat: Chat) -> None:
    middle = "It went on and on. " * 200
    await store_texts(chat, f"First of all, I loved it. {middle}In the end I still did.")
    shown = question(await chat.label())
    assert shown.startswith("First of all")
    assert shown.endswith("In the end I still did.")
    assert "[…]" in shown
    assert len(shown) < 2_000


async def test_a_pending_question_is_deleted_with_the_author(chat: Chat) -> None:
    await store_texts(chat, "I loved it")
    await chat.labelling.start(chat.incoming(), [])
    await chat.store.write(lambda unit: erasure.erase(unit, AUTHOR))
    assert await chat.store.write(lambda unit: outbox.claim_next(unit, BOT, LABELLER)) is None


async def store_disputed(chat: Chat, *texts: str) -> list[Any]:
    """Store texts with two votes each: the author voted "right", and a second person voted "neither"."""
    reviews = await store_texts(chat, *texts)

    def work(unit: UnitOfWork) -> None:
        other = give_consent(unit, OTHER)
        for review in reviews:
            votes.record_vote(unit, review.person_id, review.prediction_id, Vote.RIGHT)
            votes.record_vote(unit, other, review.prediction_id, Vote.NEITHER)

    await chat.store.write(work)
    return reviews


@pytest.fixture
def admins(each_store: AsyncDatabase, store_review: StoreReview) -> Chat:
    """The chat of an admin."""
    return Chat(each_store, ADMIN, store_review)


async def test_an_admin_decides_disputed_texts_one_by_one(admins: Chat) -> None:
    one, two, _ = await store_disputed(admins, "So & so", "Hard to say", "It depends")
    first = await admins.quarantine()
    text = first.payload["text"]
    assert text.startswith("Reviews to settle: 3.")
    assert TEXTS.quarantine_disagreement in text
    assert "So &amp; so" in text
    assert "Positive 1 · Negative 0 · Neither 1" in text
    second = await admins.decide(first, LabelAction.NEGATIVE)
    assert "Hard to say" in second.payload["text"]
    third = await admins.decide(second, LabelAction.NEITHER)
    assert "It depends" in third.payload["text"]
    end = await admins.decide(third, LabelAction.SKIP)
    assert end.payload["text"] == TEXTS.quarantine_end
    found = await admins.store.read(lambda unit: eligible_texts(unit, 2, ADMINS))
    assert [(text.voted.prediction_id, text.label) for text in found] == [(one.prediction_id, "Negative")]
    assert [prediction for prediction, *_ in await votes_of(admins, ADMIN)] == [one.prediction_id, two.prediction_id]
    assert "It depends" in (await admins.quarantine()).payload["text"], "skipped texts are shown again"


async def test_skipped_texts_stay_behind_while_later_ones_are_decided(admins: Chat) -> None:
    await store_disputed(admins, "One", "Two", "Three")
    shown = await admins.decide(await admins.quarantine(), LabelAction.SKIP)
    assert "Two" in shown.payload["text"]
    shown = await admins.decide(shown, LabelAction.POSITIVE)
    assert "Three" in shown.payload["text"]
    await admins.decide(shown, LabelAction.POSITIVE)
    assert "One" in (await admins.quarantine()).payload["text"]


async def test_an_admin_takes_back_a_decision(admins: Chat) -> None:
    one, two = await store_disputed(admins, "One", "Two")
    shown = await admins.decide(await admins.quarantine(), LabelAction.NEGATIVE)
    assert "Two" in shown.payload["text"]
    shown = await admins.decide(shown, LabelAction.UNDO)
    assert "One" in shown.payload["text"]
    assert await votes_of(admins, ADMIN) == []
    assert LabelAction.UNDO not in quarantine_actions(shown), "nothing is left to undo"
    last = await admins.decide(await admins.decide(shown, LabelAction.POSITIVE), LabelAction.POSITIVE)
    assert last.payload["text"] == TEXTS.quarantine_none
    assert [prediction for prediction, *_ in await votes_of(admins, ADMIN)] == [one.prediction_id, two.prediction_id]
    shown = await admins.decide(last, LabelAction.UNDO)
    assert "Two" in shown.payload["text"]
    assert [prediction for prediction, *_ in await votes_of(admins, ADMIN)] == [one.prediction_id]


async def test_the_last_decision_after_a_skip_can_be_taken_back(admins: Chat) -> None:
    await store_disputed(admins, "One", "Two")
    shown = await admins.decide(await admins.quarantine(), LabelAction.SKIP)
    assert LabelAction.UNDO not in quarantine_actions(shown), "a skipped text has no decision"
    end = await admins.decide(shown, LabelAction.POSITIVE)
    assert end.payload["text"] == TEXTS.quarantine_end
    assert "Two" in (await admins.decide(end, LabelAction.UNDO)).payload["text"]


async def test_without_disputed_texts_the_quarantine_says_so(admins: Chat) -> None:
    shown = await admins.quarantine()
    assert shown.payload["text"] == TEXTS.quarantine_none
    assert "reply_markup" not in shown.payload


async def test_an_admin_who_withdrew_consent_cannot_decide(admins: Chat) -> None:
    await store_disputed(admins, "One")

    def answer_consent(unit: UnitOfWork) -> None:
        person = people.upsert_person(unit, ADMIN, "Admin", "en")
        consent.record_consent(unit, person.id, Consent.WITHDRAWN, CONSENT_WORDING)

    await admins.store.write(answer_consent)
    assert TEXTS.quarantine_withdrawn in (await admins.quarantine()).payload["text"]


async def test_a_deleted_disputed_text_is_skipped(admins: Chat) -> None:
    await store_disputed(admins, "One")
    shown = await admins.quarantine()
    await admins.store.write(lambda unit: erasure.erase(unit, AUTHOR))
    assert (await admins.decide(shown, LabelAction.POSITIVE)).payload["text"] == TEXTS.quarantine_none
    assert await votes_of(admins, ADMIN) == []


def test_gold_questions_are_clear_and_differ() -> None:
    labels = Counter(question.label for question in gold_questions())
    assert labels["Positive"] == labels["Negative"] >= 8
    assert len(GOLD) == labels.total()
