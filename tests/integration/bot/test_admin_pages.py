"""What admins can look up: the system's status, who voted how, a picture of the figures, and a file of all votes."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text

from bot.admin.buttons import VotersTap
from bot.admin.statistics_page import StatisticsPage, read_figures
from bot.admin.status_page import StatusPage
from bot.admin.system_status import Surroundings, read_status, status_lines
from bot.admin.voters_page import VotersPage
from bot.database import AsyncDatabase
from bot.incoming import Incoming, Sender, Tap
from bot.pictures.child import PictureFailed, draw
from bot.sending.votes_table import votes_csv
from bot.texts import texts_for
from core.settings import Settings
from storage.chat import outbox
from storage.chat.outbox import Reply
from storage.db.database import Database, UnitOfWork
from storage.db.states import Consent, RunKind, Trigger, Vote
from storage.db.tables import MessageRow, PersonRow, VoteRow
from storage.feedback.votes import record_vote
from storage.privacy.consent import record_consent
from storage.statistics import agreement, daily_figures, store_finished_days
from storage.training import learning_pauses, runs, workers

StoreReview = Callable[..., Any]
BOT, ADA, AUTHOR, OTHER = 900, 11, 7, 8
TEXTS = texts_for("en")
AROUND = Surroundings("0.1.0", None, 2, 5_000_000_000, 64_000_000_000)
PNG = b"\x89PNG\r\n\x1a\n"


def incoming() -> Incoming:
    return Incoming(BOT, (), ADA, Sender(ADA, "Ada", "en"))


async def reply(store: AsyncDatabase) -> Reply:
    found = await store.write(lambda unit: outbox.claim_next(unit, BOT, ADA))
    assert found is not None
    await store.write(lambda unit: outbox.mark_sent(unit, found.id, 55))
    return found


def test_the_status_names_everything_an_admin_asks_about(database: Database) -> None:
    with database.unit_of_work() as unit:
        request = runs.request_run(unit, RunKind.FULL_RUN, Trigger.ADMIN)
        runs.cancel(unit, request.run.id)
        workers.report(unit, "host:2", "fine-tuning housekeeping")
        learning_pauses.set_paused(unit, True, ADA)
        lines = status_lines(read_status(unit), AROUND)
        workers.sign_off(unit, "host:2")
        after = status_lines(read_status(unit), AROUND)
    assert "Worker    host:2 (fine-tuning housekeeping)" in lines
    assert "Worker    none is running" in after
    assert "Broker    messages about runs: 2" in lines
    assert "Disk      5.0 of 64.0 GB free" in lines
    assert "Errors    0 updates, 0 replies, 0 runs in the last 24 hours" in lines
    assert any(line.startswith("Last run  1, a full run: cancelled at ") for line in lines)
    assert any(line.startswith(f"Learning  paused by {ADA} since ") for line in lines)


async def test_status_is_sent_as_one_message(each_store: AsyncDatabase, tmp_path: Any) -> None:
    await StatusPage(each_store, Settings(_env_file=None, data_dir=tmp_path)).show(incoming())
    shown = (await reply(each_store)).payload["text"]
    assert shown.startswith("<pre>Version")
    assert "Updates   0 pending" in shown


async def store_votes(store: AsyncDatabase, store_review: StoreReview) -> None:
    """Store two texts by an author who consents and one by a person who doesn't. The author votes on all three."""

    def work(unit: UnitOfWork) -> None:
        mine = [store_review(unit, f"Evening {number} was <fine>", telegram_id=AUTHOR) for number in (1, 2)]
        theirs = store_review(unit, "Keep this to yourself", telegram_id=OTHER)
        record_consent(unit, mine[0].person_id, Consent.GRANTED, "1")
        for review, vote in ((mine[0], Vote.RIGHT), (mine[1], Vote.WRONG), (theirs, Vote.NEITHER)):
            record_vote(unit, mine[0].person_id, review.prediction_id, vote)

    await store.write(work)


async def test_who_voted_how_is_paged_and_hides_texts_without_consent(
    each_store: AsyncDatabase, store_review: StoreReview
) -> None:
    await store_votes(each_store, store_review)
    page = VotersPage(each_store)
    await page.start(incoming(), [])
    assert (
        f"<code>{AUTHOR}</code> · votes: 3 (1 right, 1 wrong, 1 neither)" in (await reply(each_store)).payload["text"]
    )
    await page.start(incoming(), [str(AUTHOR)])
    newest = (await reply(each_store)).payload
    assert TEXTS.voters_private in newest["text"]
    assert "to yourself" not in newest["text"]
    assert newest["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == f"who:{AUTHOR}:1"
    await page.handle_tap(Tap(incoming(), 55), VotersTap(AUTHOR, 1))
    older = await reply(each_store)
    assert older.telegram_message_id == 55
    assert "Evening 2 was &lt;fine&gt;" in older.payload["text"]
    assert "said Positive · they said ❌ Wrong" in older.payload["text"]


@pytest.mark.parametrize(("words", "expected"), [(["Ada"], "voters_usage"), (["1", "2"], "voters_usage")])
async def test_an_invalid_id_is_explained(each_store: AsyncDatabase, words: list[str], expected: str) -> None:
    await VotersPage(each_store).start(incoming(), words)
    assert (await reply(each_store)).payload["text"] == getattr(TEXTS, expected)


async def test_the_figures_are_sent_as_a_picture_that_another_process_draws(
    each_store: AsyncDatabase, store_review: StoreReview
) -> None:
    await store_votes(each_store, store_review)
    await StatisticsPage(each_store).show(incoming())
    sent = (await reply(each_store)).payload
    assert "(UTC): 3, 3 of them today" in sent["caption"]
    png = await draw("statistics", await each_store.read(read_figures))
    assert png.startswith(PNG)


async def test_a_picture_that_cannot_be_drawn_raises_its_reason() -> None:
    with pytest.raises(PictureFailed, match="KeyError"):
        await draw("unknown", {})


async def test_a_bot_loads_no_library_for_charts() -> None:
    import asyncio

    program = "import bot.main, bot.application, sys; print({'matplotlib', 'pandas'} & set(sys.modules))"
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    output, _ = await child.communicate()
    assert output.strip() == b"set()"


async def test_the_file_has_the_same_votes_as_the_command(each_store: AsyncDatabase, store_review: StoreReview) -> None:
    await store_votes(each_store, store_review)
    await StatisticsPage(each_store).export(incoming())
    assert (await reply(each_store)).payload["votes_file"].endswith(".csv")
    rows = (await each_store.read(lambda unit: votes_csv(unit, 2, frozenset()))).decode().splitlines()
    assert rows[0] == "text,label,person,state,reason"
    assert [row.split(",")[:2] for row in rows[1:]] == [
        ["Evening 1 was <fine>", "Positive"],
        ["Evening 2 was <fine>", "Negative"],
    ] or sorted(row.split(",")[1] for row in rows[1:]) == ["Negative", "Positive"]
    assert "to yourself" not in "".join(rows)


def test_figures_come_from_stored_days_and_an_index(database: Database, store_review: StoreReview) -> None:
    now = datetime.now(UTC)
    with database.unit_of_work() as unit:
        store_review(unit, "A fine evening", telegram_id=AUTHOR)
        people = [
            unit.scalars(insert(PersonRow).values(telegram_id=100 + n, name=b"").returning(PersonRow.id)).one()
            for n in range(50)
        ]
        rows = [
            {
                "person_id": people[n % 50],
                "bot_id": BOT,
                "chat_id": 1,
                "text_hash": n.to_bytes(32, "big"),
                "created_at": now - timedelta(hours=n % (24 * 60)),
            }
            for n in range(28_800)
        ]
        unit.execute(insert(MessageRow), rows)
        store_finished_days(unit, 30)
    with database.reading() as unit:
        started = time.perf_counter()
        days, found = daily_figures(unit, 30), agreement(unit)
        seconds = time.perf_counter() - started
        plan = _plan(unit)
    assert found == []
    assert len(days) == 30
    assert days[-2].messages == days[-3].messages == 24 * 20
    assert seconds < 0.2, f"{seconds:.3f} s"
    assert "ix_messages_created_at" in plan


def _plan(unit: UnitOfWork) -> str:
    """Return the database's query plan for counting today's messages."""
    explain = "EXPLAIN QUERY PLAN" if unit.get_bind().dialect.name == "sqlite" else "EXPLAIN"
    if explain == "EXPLAIN":
        unit.execute(text("SET LOCAL enable_seqscan = off"))
    query = "SELECT count(*), count(DISTINCT person_id) FROM messages WHERE created_at >= '2100-01-01'"
    return "\n".join(str(row) for row in unit.execute(text(f"{explain} {query}")))


def test_stored_days_stay_and_agreement_follows_the_newest_votes(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        right = store_review(unit, "Fine", telegram_id=AUTHOR, version="one")
        wrong = store_review(unit, "Finer", telegram_id=AUTHOR, version="two")
        record_vote(unit, right.person_id, right.prediction_id, Vote.RIGHT)
        record_vote(unit, right.person_id, wrong.prediction_id, Vote.WRONG)
        found = [(one.version, one.right, one.wrong, one.share) for one in agreement(unit)]
        assert found == [("two", 0, 1, 0.0), ("one", 1, 0, 1.0)]
        assert unit.get(VoteRow, 1) is not None
        store_finished_days(unit, 3)
        assert [(day.messages, day.people) for day in daily_figures(unit, 3)] == [(0, 0), (0, 0), (2, 1)]
