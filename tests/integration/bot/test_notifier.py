"""People are notified once that a model has learned from their corrections, and the notice quotes the right texts."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import select, update

from bot.database import AsyncDatabase
from bot.incoming import Incoming, Sender, Tap
from bot.privacy.buttons import ConsentTap, parse_consent_tap
from bot.privacy.consent import PrivacyDialog
from bot.privacy.notifier import CorrectionNotifier
from bot.serving.live_model import LiveModel
from bot.texts import CONSENT_WORDING, NOTICES_WORDING, texts_for
from core.settings import Settings
from ml.serving.engine import Verdict as Prediction
from storage.chat import outbox, people
from storage.chat.outbox import Reply
from storage.db.column_types import utc_now
from storage.db.database import Database
from storage.db.states import Consent, RunKind, RunState, Trigger, Vote
from storage.db.tables import ConsentRow, RunRow, VoteRow
from storage.feedback.eligibility import EligibilityRules
from storage.feedback.votes import record_vote
from storage.models import registry
from storage.privacy import consent, erasure
from storage.privacy.consent import notification_scope
from storage.privacy.deletions import DeletionList
from storage.training import notifications, runs
from storage.training.snapshots import create_snapshot

StoreReview = Callable[..., Any]
BOT, OTHER_BOT = 900, 901
ADMIN, AUTHOR, VOTER = 1, 7, 8
TEXTS = texts_for("en")
TRAINS = EligibilityRules(quorum=2, person_rows=1_000, person_share=1.0)
NOBODY_TRAINS = EligibilityRules(quorum=2, person_rows=0, person_share=0.0)


@dataclass
class FakeModel:
    """A live model with a fixed verdict, which awaits ``while_predicting`` for each text."""

    version: str = "one"
    label: str = "Negative"
    predicted: list[str] = field(default_factory=list)
    while_predicting: Callable[[], Awaitable[None]] | None = None

    async def verdict(self, text: str) -> Prediction:
        self.predicted.append(text)
        if self.while_predicting is not None:
            await self.while_predicting()
        return Prediction(self.label, 0.94, True, 1, (1.4, -1.4), self.version)


@pytest.fixture
def store(database: Database) -> Iterator[AsyncDatabase]:
    opened = AsyncDatabase(database)
    yield opened
    opened.close()


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture
def notifier(store: AsyncDatabase, model: FakeModel) -> CorrectionNotifier:
    return CorrectionNotifier(store, cast("LiveModel", model))


def answer_consent(database: Database, telegram_id: int, scope: str, answer: Consent = Consent.GRANTED) -> None:
    with database.unit_of_work() as unit:
        person = people.upsert_person(unit, telegram_id, "Someone", "en")
        consent.record_consent(unit, person.id, answer, "1", scope)


@pytest.fixture
def opted_in(database: Database) -> None:
    """The author and the voter consented to training. The author opted in to notices."""
    for telegram_id in (AUTHOR, VOTER):
        answer_consent(database, telegram_id, consent.TRAINING)
    answer_consent(database, AUTHOR, notification_scope(BOT))


def correct(database: Database, store_review: StoreReview, *texts: str, author: int = AUTHOR) -> None:
    """Store texts that the model called positive, and that their author and the voter both labelled negative."""
    with database.unit_of_work() as unit:
        for text in texts:
            review = store_review(unit, text, telegram_id=author)
            for person in (author, VOTER):
                record_vote(
                    unit, people.upsert_person(unit, person, "Someone", "en").id, review.prediction_id, Vote.WRONG
                )


def finish_run(database: Database, version: str, rules: EligibilityRules = TRAINS, *, promoted: bool = True) -> int:
    """Run a training run from its snapshot to its end, and return its id."""
    with database.unit_of_work() as unit:
        run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN).run
        lease = runs.claim(unit, run.id, "a worker")
        assert lease is not None
        create_snapshot(unit, lease, rules, frozenset({ADMIN}), "one")
        registry.register(unit, version, version[0] * 64, version, run.id)
        if promoted:
            registry.make_live(unit, version, "the gate says so")
        runs.finish(unit, lease, RunState.PROMOTED if promoted else RunState.HELD, candidate=version)
    return run.id


def sent(database: Database, telegram_id: int = AUTHOR, bot_id: int = BOT) -> list[Reply]:
    """Send and return a bot's pending replies to a person."""
    with database.unit_of_work() as unit:
        found = []
        while (reply := outbox.claim_next(unit, bot_id, telegram_id)) is not None:
            outbox.mark_sent(unit, reply.id, 100 + reply.id)
            found.append(reply)
        return found


def announced(database: Database, run_id: int) -> bool:
    with database.reading() as unit:
        row = unit.get(RunRow, run_id)
        assert row is not None
        return row.noticed_at is not None


@pytest.mark.usefixtures("opted_in")
async def test_a_person_is_notified_once_with_the_new_verdict_on_a_correction(
    database: Database, store_review: StoreReview, notifier: CorrectionNotifier, model: FakeModel, store: AsyncDatabase
) -> None:
    correct(database, store_review, "Two hours of <noise> & nothing else.")
    run_id = finish_run(database, "seven")
    await notifier.poll()
    assert model.predicted == [], "this instance does not serve the new model yet"
    assert not announced(database, run_id)
    model.version = "seven"
    await notifier.poll()
    (notice,) = sent(database)
    assert notice.payload["text"] == (
        "Model <b>seven</b> is live now, and it learned from your correction.\n\n"
        "“Two hours of &lt;noise&gt; &amp; nothing else.”\nIt now says 👎 <b>Negative</b> · 94%."
    )
    assert notice.telegram_message_id is None
    assert announced(database, run_id)
    await notifier.poll()
    await CorrectionNotifier(store, cast("LiveModel", model)).poll()
    assert sent(database) == []
    assert sent(database, VOTER) == [], "the voter did not opt in"


@pytest.mark.usefixtures("opted_in")
async def test_a_process_that_loses_the_race_enqueues_nothing(
    database: Database, store_review: StoreReview, notifier: CorrectionNotifier, model: FakeModel, store: AsyncDatabase
) -> None:
    correct(database, store_review, "A bore.")
    finish_run(database, "seven")
    model.version = "seven"
    other = CorrectionNotifier(store, cast("LiveModel", FakeModel("seven")))
    model.while_predicting = other.poll
    await notifier.poll()
    assert len(sent(database)) == 1


def test_a_run_is_claimed_by_one_unit_of_work(database: Database) -> None:
    run_id = finish_run(database, "seven")
    claims = []
    for _ in range(2):
        with database.unit_of_work() as unit:
            claims.append(notifications.claim_notifications(unit, run_id))
    assert claims == [True, False]


@pytest.mark.usefixtures("opted_in")
async def test_a_process_that_ends_before_its_commit_leaves_the_notices_to_the_next(
    database: Database, store_review: StoreReview, notifier: CorrectionNotifier, model: FakeModel, store: AsyncDatabase
) -> None:
    correct(database, store_review, "A bore.")
    run_id = finish_run(database, "seven")
    model.version = "seven"

    async def end() -> None:
        raise asyncio.CancelledError

    model.while_predicting = end
    with pytest.raises(asyncio.CancelledError):
        await notifier.poll()
    assert (announced(database, run_id), sent(database)) == (False, [])
    await CorrectionNotifier(store, cast("LiveModel", FakeModel("seven"))).poll()
    assert len(sent(database)) == 1


@pytest.mark.usefixtures("opted_in")
async def test_nobody_is_notified_of_a_model_that_is_no_longer_live(
    database: Database, store_review: StoreReview, notifier: CorrectionNotifier, model: FakeModel
) -> None:
    correct(database, store_review, "A bore.")
    run_id = finish_run(database, "seven")
    model.version = "seven"

    async def roll_back() -> None:
        with database.unit_of_work() as unit:
            registry.make_live(unit, "one", "an admin rolled back", ADMIN)

    model.while_predicting = roll_back
    await notifier.poll()
    assert (announced(database, run_id), sent(database)) == (False, [])
    with database.unit_of_work() as unit:
        registry.make_live(unit, "seven", "an admin thought again", ADMIN)
    model.while_predicting = None
    await notifier.poll()
    assert len(sent(database)) == 1


@pytest.mark.usefixtures("opted_in")
async def test_a_swap_during_the_predictions_enqueues_nothing(
    database: Database, store_review: StoreReview, notifier: CorrectionNotifier, model: FakeModel
) -> None:
    correct(database, store_review, "A bore.")
    run_id = finish_run(database, "seven")
    model.version = "seven"

    async def swap() -> None:
        model.version = "one"

    model.while_predicting = swap
    await notifier.poll()
    assert (announced(database, run_id), sent(database)) == (False, [])


@pytest.mark.usefixtures("opted_in")
async def test_the_newest_three_texts_are_quoted_and_wrong_verdicts_are_admitted(
    database: Database, store_review: StoreReview, notifier: CorrectionNotifier, model: FakeModel
) -> None:
    correct(database, store_review, *[f"Bore number {number}." for number in range(5)])
    finish_run(database, "seven")
    model.version, model.label = "seven", "Positive"
    await notifier.poll()
    (notice,) = sent(database)
    text = notice.payload["text"]
    assert text.startswith("Model <b>seven</b> is live now, and it learned from 5 of your corrections")
    assert [line for line in text.splitlines() if "“" in line] == [f"“Bore number {number}.”" for number in (4, 3, 2)]
    assert text.count("It still says 👍 <b>Positive</b> · 94%.") == 3
    assert text.endswith("… and 2 more.")
    assert len(text) <= 4096


@pytest.mark.usefixtures("opted_in")
async def test_a_later_model_is_announced_for_later_corrections_only(
    database: Database, store_review: StoreReview, notifier: CorrectionNotifier, model: FakeModel
) -> None:
    correct(database, store_review, "The first bore.")
    finish_run(database, "seven")
    model.version = "seven"
    await notifier.poll()
    assert len(sent(database)) == 1
    finish_run(database, "eight")
    model.version = "eight"
    await notifier.poll()
    assert sent(database) == [], "the correction was already announced with seven"
    correct(database, store_review, "The second bore.")
    finish_run(database, "nine")
    model.version = "nine"
    await notifier.poll()
    (notice,) = sent(database)
    assert "second" in notice.payload["text"]
    assert "first" not in notice.payload["text"]


@pytest.mark.usefixtures("opted_in")
async def test_a_correction_in_a_model_that_never_went_live_is_announced_later(
    database: Database, store_review: StoreReview, notifier: CorrectionNotifier, model: FakeModel
) -> None:
    correct(database, store_review, "A bore.")
    finish_run(database, "seven", promoted=False)
    await notifier.poll()
    finish_run(database, "eight")
    model.version = "eight"
    await notifier.poll()
    assert len(sent(database)) == 1


async def leave(database: Database) -> None:
    with database.unit_of_work() as unit:
        erasure.erase(unit, AUTHOR)


async def stop_training(database: Database) -> None:
    answer_consent(database, AUTHOR, consent.TRAINING, Consent.WITHDRAWN)


async def stop_notices(database: Database) -> None:
    answer_consent(database, AUTHOR, notification_scope(BOT), Consent.WITHDRAWN)


@pytest.mark.usefixtures("opted_in")
@pytest.mark.parametrize("change_of_mind", [leave, stop_training, stop_notices])
@pytest.mark.parametrize("meanwhile", [False, True])
async def test_a_person_who_withdrew_is_not_notified(
    database: Database,
    store_review: StoreReview,
    notifier: CorrectionNotifier,
    model: FakeModel,
    *,
    change_of_mind: Callable[[Database], Awaitable[None]],
    meanwhile: bool,
) -> None:
    correct(database, store_review, "A bore.")
    run_id = finish_run(database, "seven")
    model.version = "seven"
    if meanwhile:
        model.while_predicting = lambda: change_of_mind(database)
    else:
        await change_of_mind(database)
    await notifier.poll()
    assert model.predicted == (["A bore."] if meanwhile else [])
    assert (announced(database, run_id), sent(database)) == (True, [])


@pytest.mark.usefixtures("opted_in")
async def test_texts_beyond_a_quota_and_votes_after_the_snapshot_are_not_announced(
    database: Database, store_review: StoreReview, notifier: CorrectionNotifier, model: FakeModel
) -> None:
    correct(database, store_review, "A bore.")
    finish_run(database, "seven", NOBODY_TRAINS)
    model.version = "seven"
    await notifier.poll()
    correct(database, store_review, "Another bore.")
    finish_run(database, "eight")
    with database.unit_of_work() as unit:
        unit.change(update(VoteRow).values(created_at=utc_now() + timedelta(hours=1)))
    model.version = "eight"
    await notifier.poll()
    assert sent(database) == []


@pytest.mark.usefixtures("opted_in")
async def test_a_vote_on_another_persons_text_is_announced_without_the_text(
    database: Database, store_review: StoreReview, notifier: CorrectionNotifier, model: FakeModel
) -> None:
    answer_consent(database, VOTER, notification_scope(BOT))
    correct(database, store_review, "A bore.")
    finish_run(database, "seven")
    model.version = "seven"
    await notifier.poll()
    (notice,) = sent(database, VOTER)
    assert (
        notice.payload["text"]
        == "Model <b>seven</b> is live now, and it learned from your votes on other people's reviews."
    )
    (own,) = sent(database)
    assert "other people" not in own.payload["text"]


@pytest.mark.usefixtures("opted_in")
async def test_the_bot_that_the_person_opted_in_to_last_sends_the_notice(
    database: Database, store_review: StoreReview, notifier: CorrectionNotifier, model: FakeModel
) -> None:
    answer_consent(database, AUTHOR, notification_scope(OTHER_BOT))
    correct(database, store_review, "A bore.")
    finish_run(database, "seven")
    model.version = "seven"
    await notifier.poll()
    assert (len(sent(database)), len(sent(database, bot_id=OTHER_BOT))) == (0, 1)


async def test_imported_people_are_not_notified(
    database: Database, store_review: StoreReview, notifier: CorrectionNotifier, model: FakeModel
) -> None:
    for person in (-5, VOTER):
        answer_consent(database, person, consent.TRAINING)
    answer_consent(database, -5, notification_scope(BOT))
    correct(database, store_review, "A bore.", author=-5)
    run_id = finish_run(database, "seven")
    model.version = "seven"
    await notifier.poll()
    assert (announced(database, run_id), sent(database, -5), model.predicted) == (True, [], [])


def buttons(reply: Reply) -> dict[str, str]:
    rows = reply.payload.get("reply_markup", {"inline_keyboard": []})["inline_keyboard"]
    return {button["text"]: button["callback_data"] for row in rows for button in row}


async def test_notices_are_offered_after_consent_and_stopped_by_their_button(
    database: Database,
    store: AsyncDatabase,
    *,
    deletions: DeletionList,
    notifier: CorrectionNotifier,
    model: FakeModel,
    store_review: StoreReview,
) -> None:
    privacy = PrivacyDialog(store, deletions, Settings(_env_file=None))
    tap = Tap(Incoming(BOT, (), AUTHOR, Sender(AUTHOR, "Ada", "en")), 55)
    await privacy.ask_consent(tap.incoming)
    (question,) = sent(database)
    assert TEXTS.button_notices_yes not in buttons(question), "without consent there is nothing to notify about"
    await privacy.set_consent(tap, ConsentTap(CONSENT_WORDING, granted=True))
    (granted,) = sent(database)
    data = buttons(granted)[TEXTS.button_notices_yes]
    assert data == f"notices:{NOTICES_WORDING}:yes"
    await privacy.set_notices(tap, parse_consent_tap(data))
    (thanks,) = sent(database)
    assert (thanks.payload["text"], buttons(thanks)) == (TEXTS.notices_granted, {})
    answer_consent(database, VOTER, consent.TRAINING)
    correct(database, store_review, "A bore.")
    finish_run(database, "seven")
    model.version = "seven"
    await notifier.poll()
    (notice,) = sent(database)
    await privacy.ask_consent(tap.incoming)
    (status,) = sent(database)
    assert status.payload["text"].endswith(TEXTS.notices_status)
    stop = buttons(notice)[TEXTS.button_notices_stop]
    assert buttons(status)[TEXTS.button_notices_stop] == stop
    await privacy.set_notices(tap, parse_consent_tap(stop))
    (stopped,) = sent(database)
    assert stopped.payload["text"] == TEXTS.notices_withdrawn
    with database.reading() as unit:
        lines = unit.execute(select(ConsentRow.scope, ConsentRow.consent, ConsentRow.wording)).all()
    about_notices = [tuple(line) for line in lines if line.scope == notification_scope(BOT)]
    assert about_notices == [
        ("notices:900", Consent.GRANTED, NOTICES_WORDING),
        ("notices:900", Consent.WITHDRAWN, NOTICES_WORDING),
    ]


async def test_notices_can_be_stopped_when_consent_is_withdrawn(
    database: Database, store: AsyncDatabase, deletions: DeletionList
) -> None:
    answer_consent(database, AUTHOR, consent.TRAINING)
    answer_consent(database, AUTHOR, notification_scope(BOT))
    answer_consent(database, AUTHOR, consent.TRAINING, Consent.WITHDRAWN)
    await PrivacyDialog(store, deletions, Settings(_env_file=None)).ask_consent(
        Incoming(BOT, (), AUTHOR, Sender(AUTHOR, "Ada", "en"))
    )
    (status,) = sent(database)
    assert TEXTS.button_notices_stop in buttons(status)
