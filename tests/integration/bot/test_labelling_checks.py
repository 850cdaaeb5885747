"""Labelling sessions: consent, batches and counts, and gold questions that pause careless labellers."""

from collections.abc import Callable

import pytest
from labelling_chat import (
    ADMIN,
    ADMINS,
    AUTHOR,
    GOLD,
    LABELLER,
    OTHER,
    TEXTS,
    Chat,
    actions,
    asks,
    data_of,
    give_consent,
    noted,
    question,
    store_texts,
)

from bot.labelling.buttons import LabelAction, parse_join_tap
from storage.chat import outbox
from storage.chat.outbox import Reply
from storage.db.database import UnitOfWork
from storage.db.states import Vote
from storage.feedback import labeller_pauses, votes
from storage.feedback.eligibility import eligible_texts
from storage.privacy import erasure


def many(count: int) -> list[str]:
    return [f"The {number}th evening was a fine one" for number in range(count)]


def right(text: str) -> LabelAction:
    return LabelAction.NEGATIVE if GOLD.get(text) == "Negative" else LabelAction.POSITIVE


def wrong(text: str) -> LabelAction:
    """Return a wrong answer if the text is a gold question, and any answer otherwise."""
    return LabelAction.POSITIVE if GOLD.get(text) == "Negative" else LabelAction.NEGATIVE


async def answer_gold(chat: Chat, shown: Reply, answer: Callable[[str], LabelAction], count: int) -> Reply:
    """Answer questions until ``count`` gold questions are answered, and return the message that follows."""
    while count:
        text = question(shown)
        count -= text in GOLD
        shown = await chat.answer(shown, answer(text))
    return shown


async def is_paused(chat: Chat, telegram_id: int = LABELLER) -> bool:
    return await chat.store.write(lambda unit: labeller_pauses.is_paused(unit, give_consent(unit, telegram_id)))


async def test_labelling_starts_with_a_guideline_that_is_shown_once(chat: Chat) -> None:
    await store_texts(chat, *many(2))
    first = await chat.label()
    assert first.payload["text"].startswith(TEXTS.label_guideline)
    assert TEXTS.label_guideline not in (await chat.answer(first, LabelAction.POSITIVE)).payload["text"]


async def test_the_first_question_follows_the_consent_at_once(chat: Chat) -> None:
    await store_texts(chat, *many(3))
    other = Chat(chat.store, OTHER, chat.store_review)
    asked = await other.label("2")
    tap = parse_join_tap(data_of(asked)[0])
    await other.labelling.join(other.tap(), tap)
    confirmed, first = await two_replies(other)
    assert confirmed.payload["text"].startswith(TEXTS.consent_granted)
    assert first.telegram_message_id is None
    assert question(first) == "The 0th evening was a fine one"
    await other.labelling.join(other.tap(), tap)
    assert (await other.shown()).payload == confirmed.payload, "a repeated tap does not ask again"
    second = await other.answer(first, LabelAction.POSITIVE)
    assert "1 of 2" in second.payload["text"]


async def two_replies(chat: Chat) -> list[Reply]:
    def work(unit: UnitOfWork) -> list[Reply]:
        found = []
        while reply := outbox.claim_next(unit, 900, chat.telegram_id):
            outbox.mark_sent(unit, reply.id, 60)
            found.append(reply)
        return found

    return await chat.store.write(work)


async def test_a_batch_counts_answers_and_ends(chat: Chat) -> None:
    await store_texts(chat, *many(6))
    second = await chat.answer(await chat.label("2"), LabelAction.POSITIVE)
    assert "1 of 2 · 1 today" in second.payload["text"]
    third = await chat.answer(second, LabelAction.SKIP)
    assert question(third) != question(second)
    end = await chat.answer(third, LabelAction.NEITHER)
    assert end.payload["text"].startswith(noted(LabelAction.NEITHER, 2))
    assert "number 2" in end.payload["text"]
    assert actions(end) == [LabelAction.MORE, LabelAction.UNDO]
    again = await chat.answer(end, LabelAction.UNDO)
    assert question(again) == question(third)
    end = await chat.answer(again, LabelAction.POSITIVE)
    next_batch = await chat.answer(end, LabelAction.MORE)
    assert asks(next_batch)
    assert "1 of 2 · 3 today" in (await chat.answer(next_batch, LabelAction.POSITIVE)).payload["text"]


@pytest.mark.parametrize("words", [["0"], ["101"], ["many"], ["2", "3"], ["-1"], ["9" * 30], ["٣"]])
async def test_an_invalid_batch_is_explained(chat: Chat, words: list[str]) -> None:
    await store_texts(chat, *many(2))
    assert (await chat.label(*words)).payload["text"] == TEXTS.label_usage.format(most=100)


async def test_the_first_missed_check_is_mentioned_once_and_cannot_be_undone(chat: Chat) -> None:
    await store_texts(chat, *many(40))
    after = await answer_gold(chat, await chat.label(), wrong, 1)
    assert "we already knew" in after.payload["text"]
    assert LabelAction.UNDO not in actions(after)
    after = await answer_gold(chat, after, wrong, 1)
    assert "we already knew" not in after.payload["text"]
    assert LabelAction.UNDO in actions(after)
    assert "today" in after.payload["text"], "checks count like other questions"


async def test_votes_of_a_careless_labeller_count_again_once_they_pass(chat: Chat) -> None:
    (review, *_) = await store_texts(chat, *many(90))

    def agreed(unit: UnitOfWork) -> int:
        votes.record_vote(unit, give_consent(unit, OTHER), review.prediction_id, Vote.RIGHT)
        votes.record_vote(unit, give_consent(unit, LABELLER), review.prediction_id, Vote.RIGHT)
        return len(eligible_texts(unit, 2, ADMINS))

    assert await chat.store.write(agreed) == 1
    after = await answer_gold(chat, await chat.label(), wrong, 4)
    assert not await is_paused(chat), "four answers are too few"
    after = await answer_gold(chat, after, wrong, 1)
    assert "don't count for now" in after.payload["text"]
    assert await chat.store.write(agreed) == 0, "a paused labeller's earlier votes don't count either"
    after = await answer_gold(chat, after, right, 6)
    assert await is_paused(chat), "6 of the newest 10 are right"
    after = await answer_gold(chat, after, right, 1)
    assert TEXTS.label_resumed in after.payload["text"]
    assert await chat.store.write(agreed) == 1


async def test_an_admin_is_never_paused(chat: Chat) -> None:
    await store_texts(chat, *many(60))
    await chat.store.write(lambda unit: give_consent(unit, ADMIN))
    admin = Chat(chat.store, ADMIN, chat.store_review)
    after = await answer_gold(admin, await admin.label(), wrong, 6)
    assert "don't count" not in after.payload["text"]
    assert not await is_paused(chat, ADMIN)


async def test_texts_that_an_admin_decided_on_serve_as_checks_and_get_no_vote(chat: Chat) -> None:
    (settled, *_) = await store_texts(chat, "It was what it was", *many(12))

    def decide(unit: UnitOfWork) -> None:
        votes.record_vote(unit, give_consent(unit, ADMIN), settled.prediction_id, Vote.WRONG)

    await chat.store.write(decide)
    shown = await chat.label()
    for _ in range(3):
        shown = await chat.answer(shown, LabelAction.POSITIVE)
    assert question(shown) == "It was what it was"
    again = await chat.answer(await chat.answer(shown, LabelAction.NEGATIVE), LabelAction.UNDO)
    assert question(again) == "It was what it was"
    after = await chat.answer(again, LabelAction.POSITIVE)
    assert f"it's {TEXTS.button_negative}" in after.payload["text"]

    def check(unit: UnitOfWork) -> None:
        assert votes.vote_of(unit, give_consent(unit, LABELLER), settled.prediction_id) is None
        assert labeller_pauses.newest_answers(unit, give_consent(unit, LABELLER)) == [False]
        erasure.erase(unit, AUTHOR)
        assert labeller_pauses.newest_answers(unit, give_consent(unit, LABELLER)) == []

    await chat.store.write(check)


async def test_a_paused_labeller_who_is_deleted_leaves_no_trace(chat: Chat) -> None:
    await store_texts(chat, *many(60))
    await answer_gold(chat, await chat.label(), wrong, 5)

    def erase(unit: UnitOfWork) -> list[int]:
        erasure.erase(unit, LABELLER)
        return list(unit.scalars(labeller_pauses.paused_people()))

    assert await chat.store.write(erase) == []


async def test_a_person_whose_share_is_used_up_is_told(chat: Chat) -> None:
    agreed = await store_texts(chat, *many(22))

    def vote(unit: UnitOfWork) -> None:
        other = give_consent(unit, OTHER)
        for review in agreed:
            votes.record_vote(unit, review.person_id, review.prediction_id, Vote.RIGHT)
            votes.record_vote(unit, other, review.prediction_id, Vote.RIGHT)

    await chat.store.write(vote)
    await store_texts(chat, "It was fine", author=LABELLER)
    author = Chat(chat.store, AUTHOR, chat.store_review)
    shown = await author.label("1")
    assert shown.payload["text"].startswith(TEXTS.label_over_quota.format(rows=20, waiting=2))
    assert TEXTS.label_over_quota[:20] not in (await chat.label()).payload["text"], (
        "only if it is about their own votes"
    )
