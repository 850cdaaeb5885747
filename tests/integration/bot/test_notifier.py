"""Notices: who hears of a model that learnt from them, what, and only once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest
from sqlalchemy import select, update

from bot.database import AsyncDatabase
from bot.privacy.buttons import ConsentTap, parse_consent_tap
from bot.privacy.consent import PrivacyDialog
from bot.privacy.notifier import CorrectionNotifier
from bot.serving.live_model import LiveModel
from bot.texts import CONSENT_WORDING, NOTICES_WORDING, texts_for
from bot.transport.conversation import Incoming, Sender, Tap
from ml.serving.engine import Verdict as Reading
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
from storage.training import notifications, runs
from storage.training.snapshots import create_snapshot

Remember = Callable[..., Any]
BOT, OTHER_BOT = 900, 901
ADMIN, AUTHOR, VOTER = 1, 7, 8
TEXTS = texts_for("en")
TRAINS = EligibilityRules(quorum=2, person_rows=1_000, person_share=1.0, holdout=0.0)
MEASURES = EligibilityRules(quorum=2, person_rows=1_000, person_share=1.0, holdout=1.0)


@dataclass
class Model:
    """A live model whose word the test puts into its mouth; ``while_reading`` happens at each text."""

    version: str = "one"
    label: str = "Negative"
    read: list[str] = field(default_factory=list)
    while_reading: Callable[[], Awaitable[None]] | None = None

    async def verdict(self, text: str) -> Reading:
        self.read.append(text)
        if self.while_reading is not None:
            await self.while_reading()
        return Reading(self.label, 0.94, True, 1, (1.4, -1.4), self.version)


@pytest.fixture
def store(database: Database) -> Iterator[AsyncDatabase]:
    opened = AsyncDatabase(database)
    yield opened
    opened.close()


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def noticing(store: AsyncDatabase, model: Model) -> CorrectionNotifier:
    return CorrectionNotifier(store, cast("LiveModel", model))


def answer_consent(database: Database, telegram_id: int, scope: str, answer: Consent = Consent.GRANTED) -> None:
    with database.unit_of_work() as unit:
        person = people.upsert_person(unit, telegram_id, "Someone", "en")
        consent.record_consent(unit, person.id, answer, "1", scope)


@pytest.fixture
def asked(database: Database) -> None:
    """The author and the voter train the model; the author asked for notices."""
    for telegram_id in (AUTHOR, VOTER):
        answer_consent(database, telegram_id, consent.TRAINING)
    answer_consent(database, AUTHOR, notification_scope(BOT))


def correct(database: Database, remember: Remember, *texts: str, author: int = AUTHOR) -> None:
    """Texts that were called positive, and are negative by the word of their author and of the voter."""
    with database.unit_of_work() as unit:
        for text in texts:
            review = remember(unit, text, telegram_id=author)
            for person in (author, VOTER):
                record_vote(
                    unit, people.upsert_person(unit, person, "Someone", "en").id, review.prediction_id, Vote.WRONG
                )


def run(database: Database, version: str, rules: EligibilityRules = TRAINS, *, promoted: bool = True) -> int:
    """A training run from its snapshot to its end; its id."""
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


def owed(database: Database, telegram_id: int = AUTHOR, bot_id: int = BOT) -> list[Reply]:
    """What a bot owes a person now."""
    with database.unit_of_work() as unit:
        found = []
        while (reply := outbox.claim_next(unit, bot_id, telegram_id)) is not None:
            outbox.mark_sent(unit, reply.id, 100 + reply.id)
            found.append(reply)
        return found


def noticed(database: Database, run_id: int) -> bool:
    with database.reading() as unit:
        row = unit.get(RunRow, run_id)
        assert row is not None
        return row.noticed_at is not None


@pytest.mark.usefixtures("asked")
async def test_a_person_hears_once_what_the_new_model_says_of_a_correction(
    database: Database, remember: Remember, noticing: CorrectionNotifier, model: Model, store: AsyncDatabase
) -> None:
    correct(database, remember, "Two hours of <noise> & nothing else.")
    run_id = run(database, "seven")
    await noticing.poll()
    assert model.read == [], "the new model does not answer here yet"
    assert not noticed(database, run_id)
    model.version = "seven"
    await noticing.poll()
    (notice,) = owed(database)
    assert notice.payload["text"] == (
        "Your correction is in model <b>seven</b>, which is live now.\n\n"
        "“Two hours of &lt;noise&gt; &amp; nothing else.”\nIt now says 👎 <b>Negative</b> · 94%."
    )
    assert notice.telegram_message_id is None
    assert noticed(database, run_id)
    await noticing.poll()
    await CorrectionNotifier(store, cast("LiveModel", model)).poll()
    assert owed(database) == []
    assert owed(database, VOTER) == [], "the voter asked for nothing"


@pytest.mark.usefixtures("asked")
async def test_another_process_that_read_the_texts_meanwhile_writes_nothing(
    database: Database, remember: Remember, noticing: CorrectionNotifier, model: Model, store: AsyncDatabase
) -> None:
    correct(database, remember, "A bore.")
    run(database, "seven")
    model.version = "seven"
    other = CorrectionNotifier(store, cast("LiveModel", Model("seven")))
    model.while_reading = other.poll
    await noticing.poll()
    assert len(owed(database)) == 1


def test_a_run_is_claimed_by_one_unit_of_work(database: Database) -> None:
    run_id = run(database, "seven")
    claims = []
    for _ in range(2):
        with database.unit_of_work() as unit:
            claims.append(notifications.claim_notifications(unit, run_id))
    assert claims == [True, False]


@pytest.mark.usefixtures("asked")
async def test_a_process_that_ends_before_it_wrote_leaves_the_notices_to_the_next(
    database: Database, remember: Remember, noticing: CorrectionNotifier, model: Model, store: AsyncDatabase
) -> None:
    correct(database, remember, "A bore.")
    run_id = run(database, "seven")
    model.version = "seven"

    async def end() -> None:
        raise asyncio.CancelledError

    model.while_reading = end
    with pytest.raises(asyncio.CancelledError):
        await noticing.poll()
    assert (noticed(database, run_id), owed(database)) == (False, [])
    await CorrectionNotifier(store, cast("LiveModel", Model("seven"))).poll()
    assert len(owed(database)) == 1


@pytest.mark.usefixtures("asked")
async def test_nobody_is_told_of_a_model_that_is_not_live_any_more(
    database: Database, remember: Remember, noticing: CorrectionNotifier, model: Model
) -> None:
    correct(database, remember, "A bore.")
    run_id = run(database, "seven")
    model.version = "seven"

    async def roll_back() -> None:
        with database.unit_of_work() as unit:
            registry.make_live(unit, "one", "an admin rolled back", ADMIN)

    model.while_reading = roll_back
    await noticing.poll()
    assert (noticed(database, run_id), owed(database)) == (False, [])
    with database.unit_of_work() as unit:
        registry.make_live(unit, "seven", "an admin thought again", ADMIN)
    model.while_reading = None
    await noticing.poll()
    assert len(owed(database)) == 1


@pytest.mark.usefixtures("asked")
async def test_a_model_that_was_swapped_while_it_read_tells_nothing(
    database: Database, remember: Remember, noticing: CorrectionNotifier, model: Model
) -> None:
    correct(database, remember, "A bore.")
    run_id = run(database, "seven")
    model.version = "seven"

    async def swap() -> None:
        model.version = "one"

    model.while_reading = swap
    await noticing.poll()
    assert (noticed(database, run_id), owed(database)) == (False, [])


@pytest.mark.usefixtures("asked")
async def test_three_texts_are_quoted_the_newest_first_and_a_word_not_learnt_is_said(
    database: Database, remember: Remember, noticing: CorrectionNotifier, model: Model
) -> None:
    correct(database, remember, *[f"Bore number {number}." for number in range(5)])
    run(database, "seven")
    model.version, model.label = "seven", "Positive"
    await noticing.poll()
    (notice,) = owed(database)
    text = notice.payload["text"]
    assert text.startswith("5 of your corrections are in model <b>seven</b>")
    assert [line for line in text.splitlines() if "“" in line] == [f"“Bore number {number}.”" for number in (4, 3, 2)]
    assert text.count("It still says 👍 <b>Positive</b> · 94%.") == 3
    assert text.endswith("… and 2 more.")
    assert len(text) <= 4096


@pytest.mark.usefixtures("asked")
async def test_a_later_model_is_news_for_later_corrections_only(
    database: Database, remember: Remember, noticing: CorrectionNotifier, model: Model
) -> None:
    correct(database, remember, "The first bore.")
    run(database, "seven")
    model.version = "seven"
    await noticing.poll()
    assert len(owed(database)) == 1
    run(database, "eight")
    model.version = "eight"
    await noticing.poll()
    assert owed(database) == [], "the correction is in eight as well, which is no news"
    correct(database, remember, "The second bore.")
    run(database, "nine")
    model.version = "nine"
    await noticing.poll()
    (notice,) = owed(database)
    assert "second" in notice.payload["text"]
    assert "first" not in notice.payload["text"]


@pytest.mark.usefixtures("asked")
async def test_a_correction_in_a_model_that_never_answered_is_still_news(
    database: Database, remember: Remember, noticing: CorrectionNotifier, model: Model
) -> None:
    correct(database, remember, "A bore.")
    run(database, "seven", promoted=False)
    await noticing.poll()
    run(database, "eight")
    model.version = "eight"
    await noticing.poll()
    assert len(owed(database)) == 1


async def leave(database: Database) -> None:
    with database.unit_of_work() as unit:
        erasure.erase(unit, AUTHOR)


async def stop_training(database: Database) -> None:
    answer_consent(database, AUTHOR, consent.TRAINING, Consent.WITHDRAWN)


async def stop_notices(database: Database) -> None:
    answer_consent(database, AUTHOR, notification_scope(BOT), Consent.WITHDRAWN)


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize("change_of_mind", [leave, stop_training, stop_notices])
@pytest.mark.parametrize("meanwhile", [False, True])
async def test_who_took_it_back_hears_nothing(
    database: Database,
    remember: Remember,
    noticing: CorrectionNotifier,
    model: Model,
    *,
    change_of_mind: Callable[[Database], Awaitable[None]],
    meanwhile: bool,
) -> None:
    correct(database, remember, "A bore.")
    run_id = run(database, "seven")
    model.version = "seven"
    if meanwhile:
        model.while_reading = lambda: change_of_mind(database)
    else:
        await change_of_mind(database)
    await noticing.poll()
    assert model.read == (["A bore."] if meanwhile else [])
    assert (noticed(database, run_id), owed(database)) == (True, [])


@pytest.mark.usefixtures("asked")
async def test_a_text_that_measured_and_a_vote_after_the_snapshot_are_not_in_the_model(
    database: Database, remember: Remember, noticing: CorrectionNotifier, model: Model
) -> None:
    correct(database, remember, "A bore.")
    run(database, "seven", MEASURES)
    model.version = "seven"
    await noticing.poll()
    correct(database, remember, "Another bore.")
    run(database, "eight")
    with database.unit_of_work() as unit:
        unit.change(update(VoteRow).values(created_at=utc_now() + timedelta(hours=1)))
    model.version = "eight"
    await noticing.poll()
    assert owed(database) == []


@pytest.mark.usefixtures("asked")
async def test_a_vote_on_a_text_of_somebody_else_is_told_of_without_the_text(
    database: Database, remember: Remember, noticing: CorrectionNotifier, model: Model
) -> None:
    answer_consent(database, VOTER, notification_scope(BOT))
    correct(database, remember, "A bore.")
    run(database, "seven")
    model.version = "seven"
    await noticing.poll()
    (notice,) = owed(database, VOTER)
    assert (
        notice.payload["text"] == "Your votes on other people's reviews are in model <b>seven</b>, which is live now."
    )
    (own,) = owed(database)
    assert "other people" not in own.payload["text"]


@pytest.mark.usefixtures("asked")
async def test_the_bot_that_was_asked_last_tells_also_when_another_found_the_news(
    database: Database, remember: Remember, noticing: CorrectionNotifier, model: Model
) -> None:
    answer_consent(database, AUTHOR, notification_scope(OTHER_BOT))
    correct(database, remember, "A bore.")
    run(database, "seven")
    model.version = "seven"
    await noticing.poll()
    assert (len(owed(database)), len(owed(database, bot_id=OTHER_BOT))) == (0, 1)


async def test_people_from_a_file_are_not_written_to(
    database: Database, remember: Remember, noticing: CorrectionNotifier, model: Model
) -> None:
    for person in (-5, VOTER):
        answer_consent(database, person, consent.TRAINING)
    answer_consent(database, -5, notification_scope(BOT))
    correct(database, remember, "A bore.", author=-5)
    run_id = run(database, "seven")
    model.version = "seven"
    await noticing.poll()
    assert (noticed(database, run_id), owed(database, -5), model.read) == (True, [], [])


def buttons(reply: Reply) -> dict[str, str]:
    rows = reply.payload.get("reply_markup", {"inline_keyboard": []})["inline_keyboard"]
    return {button["text"]: button["callback_data"] for row in rows for button in row}


async def test_notices_are_asked_for_after_consent_and_stopped_by_their_button(
    database: Database, store: AsyncDatabase, noticing: CorrectionNotifier, model: Model, remember: Remember
) -> None:
    privacy = PrivacyDialog(store, 365)
    tap = Tap(Incoming(BOT, (), AUTHOR, Sender(AUTHOR, "Ada", "en")), 55)
    await privacy.ask_consent(tap.incoming)
    (question,) = owed(database)
    assert TEXTS.button_notices_yes not in buttons(question), "there is nothing to tell without consent"
    await privacy.set_consent(tap, ConsentTap(CONSENT_WORDING, granted=True))
    (granted,) = owed(database)
    data = buttons(granted)[TEXTS.button_notices_yes]
    assert data == f"notices:{NOTICES_WORDING}:yes"
    await privacy.set_notices(tap, parse_consent_tap(data))
    (thanks,) = owed(database)
    assert (thanks.payload["text"], buttons(thanks)) == (TEXTS.notices_granted, {})
    answer_consent(database, VOTER, consent.TRAINING)
    correct(database, remember, "A bore.")
    run(database, "seven")
    model.version = "seven"
    await noticing.poll()
    (notice,) = owed(database)
    await privacy.ask_consent(tap.incoming)
    (status,) = owed(database)
    assert status.payload["text"].endswith(TEXTS.notices_status)
    stop = buttons(notice)[TEXTS.button_notices_stop]
    assert buttons(status)[TEXTS.button_notices_stop] == stop
    await privacy.set_notices(tap, parse_consent_tap(stop))
    (stopped,) = owed(database)
    assert stopped.payload["text"] == TEXTS.notices_withdrawn
    with database.reading() as unit:
        lines = unit.execute(select(ConsentRow.scope, ConsentRow.consent, ConsentRow.wording)).all()
    about_notices = [tuple(line) for line in lines if line.scope == notification_scope(BOT)]
    assert about_notices == [
        ("notices:900", Consent.GRANTED, NOTICES_WORDING),
        ("notices:900", Consent.WITHDRAWN, NOTICES_WORDING),
    ]


async def test_notices_can_be_stopped_when_consent_is_withdrawn(database: Database, store: AsyncDatabase) -> None:
    answer_consent(database, AUTHOR, consent.TRAINING)
    answer_consent(database, AUTHOR, notification_scope(BOT))
    answer_consent(database, AUTHOR, consent.TRAINING, Consent.WITHDRAWN)
    await PrivacyDialog(store, 365).ask_consent(Incoming(BOT, (), AUTHOR, Sender(AUTHOR, "Ada", "en")))
    (status,) = owed(database)
    assert TEXTS.button_notices_stop in buttons(status)
