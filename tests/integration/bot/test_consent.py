"""After a withdrawal or deletion, a person's texts vanish from other chats. The bot names the models that used them."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.database import AsyncDatabase
from bot.incoming import Incoming, Sender, Tap
from bot.privacy.buttons import ConsentTap
from bot.privacy.consent import PrivacyDialog
from bot.texts import CONSENT_WORDING, texts_for
from core.settings import Settings
from storage.chat import outbox, people
from storage.chat.outbox import Draft
from storage.db.database import Database, UnitOfWork
from storage.db.states import Consent, RunKind, RunState, Trigger, Vote
from storage.feedback.eligibility import EligibilityRules
from storage.feedback.votes import record_vote
from storage.models.registry import register
from storage.privacy import consent
from storage.privacy.deletions import DeletionList
from storage.training import runs, snapshots

BOT, PERSON, MESSAGE = 900, 7, 55
RULES = EligibilityRules(quorum=1, person_rows=1_000, person_share=1.0)
TEXTS = texts_for("en")
TAP = Tap(Incoming(BOT, (), PERSON, Sender(PERSON, "Someone", "en")), MESSAGE)
SETTINGS = Settings(_env_file=None)
NO = ConsentTap(CONSENT_WORDING, granted=False)


@pytest.fixture
def store(database: Database, store_review: Callable[..., Any]) -> AsyncDatabase:
    """A database with a person who consented and voted on their own text."""
    with database.unit_of_work() as unit:
        review = store_review(unit, "A joy to watch.", telegram_id=PERSON)
        consent.record_consent(unit, review.person_id, Consent.GRANTED, CONSENT_WORDING)
        record_vote(unit, review.person_id, review.prediction_id, Vote.RIGHT)
    return AsyncDatabase(database)


def train(unit: UnitOfWork, version: str) -> None:
    """Finish a run that trains a model on the votes."""
    run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN).run
    lease = runs.claim(unit, run.id, "a test")
    assert lease is not None
    snapshots.create_snapshot(unit, lease, RULES, frozenset(), "one")
    register(unit, version, "0" * 64, version, run.id)
    runs.finish(unit, lease, RunState.HELD, candidate=version)


async def test_a_deleted_text_is_removed_from_labellers_chats(
    store: AsyncDatabase, deletions: DeletionList, store_review: Callable[..., Any]
) -> None:
    labeller, another = 8, 9

    def ask(unit: UnitOfWork) -> None:
        text = store_review(unit, "A text to label.", telegram_id=PERSON)
        for chat, message_id in ((labeller, 70), (another, 71)):
            people.upsert_person(unit, chat, "Somebody", "en")
            draft = Draft(BOT, chat, {"text": "A text to label."}, prediction_id=text.prediction_id)
            outbox.mark_sent(unit, outbox.enqueue(unit, draft), message_id)
        later = outbox.enqueue(unit, Draft(BOT, another, {"text": "Thank you."}, edits=71))
        outbox.mark_sent(unit, later, 71)

    await store.write(ask)
    await PrivacyDialog(store, deletions, SETTINGS).delete(TAP, confirmed=True)
    pending = await store.write(lambda unit: outbox.claim_next(unit, BOT, labeller))
    assert pending is not None
    assert (pending.telegram_message_id, pending.payload["text"]) == (70, TEXTS.text_withdrawn)
    assert await store.read(lambda unit: outbox.is_pending(unit, BOT, another)) is False, (
        "that message shows another text now"
    )


async def shown(store: AsyncDatabase) -> str:
    reply = await store.write(lambda unit: outbox.claim_next(unit, BOT, PERSON))
    assert reply is not None
    assert reply.telegram_message_id == MESSAGE
    return str(reply.payload["text"])


async def test_no_model_is_named_if_none_learned_from_the_person(store: AsyncDatabase, deletions: DeletionList) -> None:
    privacy = PrivacyDialog(store, deletions, SETTINGS)
    await privacy.set_consent(TAP, NO)
    assert await shown(store) == TEXTS.consent_withdrawn
    await privacy.delete(TAP, confirmed=True)
    assert "models" not in await shown(store)


async def test_withdrawal_and_deletion_name_the_models_that_learned(
    store: AsyncDatabase, deletions: DeletionList
) -> None:
    for version in ("v-1", "v-2"):
        await store.write(lambda unit, name=version: train(unit, name))  # type: ignore[misc]
    privacy = PrivacyDialog(store, deletions, SETTINGS)
    await privacy.set_consent(TAP, NO)
    text = await shown(store)
    assert text.startswith(TEXTS.consent_withdrawn)
    assert "v-2, v-1. Later models won't use them." in text
    await privacy.delete(TAP, confirmed=True)
    assert "v-2, v-1. Later models" in await shown(store)
    await privacy.delete(TAP, confirmed=True)
    assert "v-2" not in await shown(store), "the person's data is gone"


async def test_only_the_newest_models_are_named(store: AsyncDatabase, deletions: DeletionList) -> None:
    for number in range(23):
        await store.write(lambda unit, name=f"v-{number}": train(unit, name))  # type: ignore[misc]
    await PrivacyDialog(store, deletions, SETTINGS).set_consent(TAP, NO)
    text = await shown(store)
    assert "v-22, v-21" in text
    assert "v-3 and 3 older models. Later" in text
