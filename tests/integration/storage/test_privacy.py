"""Consent, encryption at rest, deletion and retention."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from paths import ROOT
from sqlalchemy import delete, func, inspect, select, text, update
from sqlalchemy.orm import Session

from storage.chat.inbox import MAX_ATTEMPTS, fail, finish, pending_updates, receive
from storage.chat.messages import MessagePart, find_by_part, get_message, store_message
from storage.chat.outbox import Draft, claim_next, enqueue, mark_failed, mark_sent, mark_uncertain
from storage.chat.people import upsert_person
from storage.chat.predictions import get_prediction
from storage.db.column_types import EncryptedString
from storage.db.database import Database, UnitOfWork
from storage.db.engine import parse_address
from storage.db.key_rotation import rotate_keys
from storage.db.states import Consent, ReplyState, RunKind, RunState, TrialState, Trigger, UpdateState, Vote
from storage.db.tables import (
    Base,
    BlockedPersonRow,
    BotRow,
    ConsentRow,
    DayRow,
    FollowerRow,
    InstanceRow,
    LearningPauseRow,
    LookRow,
    MessageRow,
    OfferRow,
    PausedLabellerRow,
    PersonRow,
    ReplyRow,
    ReportedTroubleRow,
    SnapshotRow,
    TrialRow,
    TrialTextRow,
    UpdateRow,
    VoteRow,
    WorkerRow,
)
from storage.feedback.eligibility import EligibilityRules
from storage.feedback.votes import record_vote
from storage.models.registry import make_live, register
from storage.privacy.consent import consent_of, record_consent
from storage.privacy.erasure import ErasedRows, erase
from storage.privacy.retention import PurgedRows, purge
from storage.training import runs
from storage.training.runs import claim, request_run
from storage.training.snapshots import create_snapshot

StoreReview = Callable[..., Any]
BOT = 900
SECRET = "Zanzibarquokka"


def counts(unit: Session) -> dict[str, int]:
    tables = Base.metadata.tables.values()
    return {table.name: unit.scalars(select(func.count()).select_from(table)).one() for table in tables}


def test_the_newest_line_of_the_consent_ledger_is_in_effect(database: Database) -> None:
    with database.unit_of_work() as unit:
        ada, grace = upsert_person(unit, 7, "Ada", "en"), upsert_person(unit, 8, "Grace", "en")
        assert consent_of(unit, ada.id) is Consent.NEVER_ASKED
        for consent in (Consent.ASKED, Consent.GRANTED, Consent.WITHDRAWN, Consent.GRANTED, Consent.WITHDRAWN):
            record_consent(unit, ada.id, consent, "2026-01")
            assert consent_of(unit, ada.id) is consent
        assert consent_of(unit, grace.id) is Consent.NEVER_ASKED
        lines = unit.execute(select(ConsentRow.scope, ConsentRow.wording, ConsentRow.created_at)).all()
    assert len(lines) == 5
    assert all((scope, wording) == ("training", "2026-01") and at.tzinfo for scope, wording, at in lines)


def test_never_asked_cannot_be_recorded(database: Database) -> None:
    with database.unit_of_work() as unit:
        person = upsert_person(unit, 7, "Ada", "en")
        with pytest.raises(ValueError, match="NEVER_ASKED"):
            record_consent(unit, person.id, Consent.NEVER_ASKED, "1")


def test_upserting_a_person_updates_name_and_language(database: Database) -> None:
    with database.unit_of_work() as unit:
        first = upsert_person(unit, 2**42, "Ada", "en")
    with database.unit_of_work() as unit:
        again = upsert_person(unit, 2**42, "Ada L.", None)
        row = unit.scalars(select(PersonRow)).one()
        assert (again.id, unit.cipher.decrypt(row.name), row.language) == (first.id, "Ada L.", None)


def store_rows_in_every_table(unit: UnitOfWork, store_review: StoreReview, telegram_id: int) -> None:
    """Store a person's rows in every table, with ``SECRET`` wherever text is stored."""
    review = store_review(unit, f"{SECRET} is a good film, said {telegram_id}", telegram_id=telegram_id)
    person = upsert_person(unit, telegram_id, f"{SECRET} Smith", "en")
    old = store_message(
        unit, person.id, BOT, telegram_id, [MessagePart(1, SECRET), MessagePart(2, f"the {SECRET} end")]
    )
    store_message(unit, person.id, BOT, telegram_id, [MessagePart(1, f"{SECRET}, edited")], revises=old)
    record_vote(unit, person.id, review.prediction_id, Vote.WRONG)
    record_consent(unit, person.id, Consent.GRANTED, "1")
    receive(unit, BOT, telegram_id * 10, telegram_id, f'{{"text": "{SECRET}"}}')
    receive(unit, BOT, telegram_id * 10 + 1, telegram_id, f'{{"text": "{SECRET}"}}')
    fail(unit, BOT, telegram_id * 10 + 1, f"ValueError: {SECRET}")
    enqueue(unit, Draft(BOT, telegram_id, {"text": SECRET}, person.id, review.prediction_id))
    mark_failed(unit, enqueue(unit, Draft(BOT, telegram_id, {"text": SECRET})), SECRET)
    train_and_promote(unit, review, telegram_id)


def train_and_promote(unit: UnitOfWork, review: Any, telegram_id: int) -> None:
    """Store a run that the person requested and followed as an admin, the model it made live, and a label offer."""
    run_id = request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN, telegram_id).run.id
    lease = claim(unit, run_id, "a worker")
    assert lease is not None
    create_snapshot(unit, lease, EligibilityRules(1, 20, 0.1), frozenset({telegram_id}), "one")
    unit.add(FollowerRow(run_id=run_id, bot_id=BOT, chat_id=telegram_id, reply_id=1, language="en"))
    runs.finish(unit, lease, RunState.PROMOTED)
    version = f"of {run_id}"
    register(unit, version, "0" * 64, "models/two", run_id=run_id)
    make_live(unit, version, "it is better", who=telegram_id)
    unit.execute(
        unit.insert(InstanceRow).values(process="1", bot_id=BOT, version=version).on_conflict_do_nothing(),
    )
    text_hash = unit.get_one(MessageRow, review.message_id).text_hash
    unit.add(OfferRow(person_id=review.person_id, text_hash=text_hash, prediction_id=review.prediction_id))
    trial = TrialRow(run_id=run_id, version=version, champion="one", started_by=telegram_id, ended_by=telegram_id)
    trial.state = TrialState.CONFIRMED
    unit.add(trial)
    unit.flush()
    texts = {"text_hash": text_hash, "message_id": review.message_id, "champion_label": "Positive"}
    unit.add(TrialTextRow(trial_id=trial.id, **texts))
    unit.add(LookRow(run_id=run_id, champion="one", texts=50, alpha=0.01))
    unit.add(PausedLabellerRow(person_id=review.person_id))
    unit.add(LearningPauseRow(paused=False, who=telegram_id))
    unit.flush()


def test_nothing_that_a_person_wrote_is_readable_on_disk(
    request: pytest.FixtureRequest, database: Database, database_url: str, store_review: StoreReview
) -> None:
    with database.unit_of_work() as unit:
        store_rows_in_every_table(unit, store_review, 7)
        unit.add(BotRow(bot_id=BOT, webhook_secret=unit.cipher.encrypt(SECRET)))
        unit.add(ReportedTroubleRow(bot_id=BOT, kind="failed update"))
        unit.add(BlockedPersonRow(person_hash=bytes(32)))
        unit.add(DayRow(day=date(2026, 1, 1), messages=1, people=1))
        unit.add(WorkerRow(process="1", queues="cpu"))
        unit.flush()
        assert all(counts(unit)[table.name] for table in Base.metadata.tables.values())
    if database_url.startswith("sqlite"):
        file = Path(parse_address(database_url).database or "")
        with database.reading():
            raw = b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
        plain = b"models/one"
    else:
        server = request.getfixturevalue("postgres_server")
        address = parse_address(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
        # Plain text, with byte strings as characters instead of hexadecimal digits.
        raw = subprocess.run(
            [server.bin_path / "pg_dump", "--inserts", address],
            env={"PGOPTIONS": "-c bytea_output=escape"},
            check=True,
            capture_output=True,
        ).stdout
        plain = b"'models/one'"
    assert plain in raw
    assert SECRET.encode() not in raw
    assert SECRET.encode("utf-16-le") not in raw
    assert SECRET.encode().hex().encode() not in raw


def test_every_column_of_bytes_is_encrypted_or_a_hash() -> None:
    plain = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.type.python_type is bytes and not isinstance(column.type, EncryptedString)
    }
    hashes = {
        f"{table}.text_hash" for table in ("messages", "judgements", "snapshot_rows", "label_offers", "trial_texts")
    }
    hashes.add("blocked_people.person_hash")
    assert plain == hashes | {"training_runs.card"}, "the card is a chart and contains no text"


def test_erasing_a_person_leaves_only_cleared_update_ids(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        store_rows_in_every_table(unit, store_review, 8)
        before = counts(unit)
        store_rows_in_every_table(unit, store_review, 7)
    with database.unit_of_work() as unit:
        erased = erase(unit, 7)
    assert erased == ErasedRows(
        people=1, consents=1, messages=2, predictions=1, votes=1, other_votes=0, replies=2, updates=2
    )
    with database.unit_of_work() as unit:
        kept = {"training_runs": 2, "model_versions": 3, "model_changes": 2, "snapshot_rows": 1 + 1}
        kept |= {"trials": 2, "gate_looks": 2, "learning_pauses": 2}
        assert counts(unit) == {**before, "updates": before["updates"] + 2, **kept}
        gone = select(SnapshotRow.message_id).where(SnapshotRow.author_id.is_(None))
        assert unit.scalars(gone).all() == [None], (
            "the hash is kept, so that no later run holds out a text that this one trained on"
        )
        assert [update.update_id for update in pending_updates(unit, BOT)] == [80, 81]
        cleared = unit.scalars(select(UpdateRow).where(UpdateRow.update_id.in_([70, 71]))).all()
        assert [(row.telegram_id, row.payload, row.reason) for row in cleared] == [(None, None, None)] * 2
        assert not receive(unit, BOT, 70, 7, "a late duplicate")
        assert erase(unit, 7) == ErasedRows(0, 0, 0, 0, 0, 0, 0, 0)


def test_no_table_contains_the_id_of_an_erased_person(database: Database, store_review: StoreReview) -> None:
    telegram_id = 7_654_321_098
    with database.unit_of_work() as unit:
        store_rows_in_every_table(unit, store_review, telegram_id)
        erase(unit, telegram_id)
    with database.reading() as unit:
        names = inspect(unit.connection()).get_table_names()
        cells = [cell for name in names for row in unit.execute(text(f"SELECT * FROM {name}")) for cell in row]
    assert cells
    assert telegram_id not in cells


def test_replies_to_an_erased_person_in_a_group_are_deleted_and_others_kept(database: Database) -> None:
    group = -100_200_300
    with database.unit_of_work() as unit:
        ada, grace = upsert_person(unit, 7, "Ada", "en"), upsert_person(unit, 8, "Grace", "en")
        to_ada = enqueue(unit, Draft(BOT, group, {"text": "Hello, Ada"}, ada.id))
        to_grace = enqueue(unit, Draft(BOT, group, {"text": "Hello, Grace"}, grace.id))
        assert erase(unit, 7).replies == 1
        assert unit.get(ReplyRow, to_ada) is None
        left = claim_next(unit, BOT, group)
        assert left is not None
        assert left.id == to_grace


def test_votes_of_others_are_deleted_with_the_text(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        review = store_review(unit, "I liked it", telegram_id=7)
        other = upsert_person(unit, 8, "Grace", "en")
        record_vote(unit, other.id, review.prediction_id, Vote.WRONG)
        assert erase(unit, 7).other_votes == 1
        assert counts(unit)["people"] == 1


def after(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def test_old_messages_are_deleted_with_everything_that_refers_to_them(
    database: Database, store_review: StoreReview
) -> None:
    with database.unit_of_work() as unit:
        review = store_review(unit, "I liked it")
        record_vote(unit, review.person_id, review.prediction_id, Vote.RIGHT)
        enqueue(unit, Draft(BOT, 7, {"text": "Positive"}, review.person_id, review.prediction_id))
        assert purge(unit, after(364), message_days=365, inbox_days=7) == PurgedRows(0, 0, 0)
        assert purge(unit, after(366), message_days=365, inbox_days=7).messages == 1
        left = counts(unit)
    assert {name for name, count in left.items() if count} == {"people", "model_versions", "secrets"}


@pytest.mark.parametrize(
    ("ledger", "has_vote", "kept"),
    [
        ([Consent.GRANTED], True, True),
        ([Consent.GRANTED], False, False),
        ([], True, False),
        ([Consent.ASKED], True, False),
        ([Consent.GRANTED, Consent.WITHDRAWN], True, False),
        ([Consent.WITHDRAWN, Consent.GRANTED], True, True),
    ],
)
def test_only_messages_with_a_vote_and_consent_are_kept(
    database: Database, store_review: StoreReview, ledger: list[Consent], has_vote: bool, kept: bool
) -> None:
    with database.unit_of_work() as unit:
        review = store_review(unit, "I liked it", telegram_id=7)
        bystander = store_review(unit, "Another one", telegram_id=8)
        record_consent(unit, bystander.person_id, Consent.GRANTED, "1")
        for consent in ledger:
            record_consent(unit, review.person_id, consent, "1")
        if has_vote:
            record_vote(unit, review.person_id, review.prediction_id, Vote.WRONG)
        purge(unit, after(366), message_days=365, inbox_days=7)
    with database.reading() as unit:
        assert (get_prediction(unit, review.prediction_id) is not None) == kept
        assert get_message(unit, bystander.message_id) is None


@pytest.mark.parametrize("consent", [Consent.GRANTED, Consent.WITHDRAWN])
def test_old_votes_of_people_who_withdrew_are_deleted(
    database: Database, store_review: StoreReview, consent: Consent
) -> None:
    with database.unit_of_work() as unit:
        review = store_review(unit, "I liked it", telegram_id=7)
        voter = upsert_person(unit, 8, "Ben", "en")
        record_consent(unit, review.person_id, Consent.GRANTED, "1")
        record_consent(unit, voter.id, consent, "1")
        record_vote(unit, voter.id, review.prediction_id, Vote.WRONG)
        purge(unit, after(364), message_days=365, inbox_days=7)
        assert counts(unit)["judgements"] == 1
        purge(unit, after(366), message_days=365, inbox_days=7)
        assert counts(unit)["judgements"] == (consent is Consent.GRANTED)


def test_a_revision_is_kept_when_its_original_is_deleted(database: Database, store_review: StoreReview) -> None:
    with database.unit_of_work() as unit:
        person = upsert_person(unit, 7, "Ada", "en")
        old = store_message(unit, person.id, BOT, 7, [MessagePart(1, "I liked it")])
        new = store_review(unit, "I loved it", telegram_id=7)
        unit.get_one(MessageRow, new.message_id).revises = old
        record_vote(unit, person.id, new.prediction_id, Vote.RIGHT)
        record_consent(unit, person.id, Consent.GRANTED, "1")
        assert purge(unit, after(366), message_days=365, inbox_days=7).messages == 1
    with database.reading() as unit:
        assert get_message(unit, old) is None
        assert unit.get_one(MessageRow, new.message_id).revises is None
        revision = get_message(unit, new.message_id)
        assert revision is not None
        assert find_by_part(unit, BOT, 7, revision.parts[0].telegram_message_id) == revision


def test_finished_updates_are_purged_except_the_newest(database: Database) -> None:
    with database.unit_of_work() as unit:
        for update_id in (1, 2, 3, 4):
            receive(unit, BOT, update_id, 7, "payload")
        receive(unit, BOT + 1, 1, 7, "payload")
        for _ in range(MAX_ATTEMPTS):
            fail(unit, BOT, 1, "ValueError")
        for bot_id, update_id in ((BOT, 2), (BOT, 4), (BOT + 1, 1)):
            finish(unit, bot_id, update_id)
        assert purge(unit, after(6), message_days=365, inbox_days=7).updates == 0
        assert purge(unit, after(8), message_days=365, inbox_days=7).updates == 2
        left = unit.execute(
            select(UpdateRow.bot_id, UpdateRow.update_id).order_by(UpdateRow.bot_id, UpdateRow.update_id)
        )
        assert [tuple(row) for row in left] == [(BOT, 3), (BOT, 4), (BOT + 1, 1)]


def test_only_replies_in_a_final_state_are_purged(database: Database) -> None:
    with database.unit_of_work() as unit:
        sending, pending, sent, uncertain, failed = [enqueue(unit, Draft(BOT, 7, {"text": "Hello"})) for _ in range(5)]
        claim_next(unit, BOT, 7)
        mark_sent(unit, sent, 5)
        mark_uncertain(unit, uncertain, "ReadTimeout")
        mark_failed(unit, failed, "Forbidden")
        assert purge(unit, after(6), message_days=365, inbox_days=7).replies == 0
        assert purge(unit, after(8), message_days=365, inbox_days=7).replies == 3
        assert unit.scalars(select(ReplyRow.id).order_by(ReplyRow.id)).all() == [sending, pending]


def encrypted_values(unit: UnitOfWork, kept: tuple[str, ...] = ()) -> set[bytes]:
    """Return the ciphertexts in every table except those in ``kept``."""
    columns = [
        column
        for table in Base.metadata.sorted_tables
        if table.name not in kept
        for column in table.columns
        if isinstance(column.type, EncryptedString)
    ]
    return {value for column in columns for value in unit.scalars(select(column)) if value is not None}


def bytes_of(database_url: str) -> bytes:
    """Return the contents of the SQLite file and its write-ahead log."""
    file = Path(parse_address(database_url).database or "")
    return b"".join(path.read_bytes() for path in sorted(file.parent.glob(f"{file.name}*")))


def erase_person(unit: UnitOfWork) -> None:
    erase(unit, 7)


def purge_all(unit: UnitOfWork) -> None:
    # The update with the highest id is kept, so add an update from another person after it.
    receive(unit, BOT, 999, 8, "{}")
    unit.change(delete(VoteRow))
    unit.change(update(ReplyRow).values(state=ReplyState.SENT))
    unit.change(update(UpdateRow).where(UpdateRow.telegram_id == 7).values(state=UpdateState.FAILED))
    unit.change(update(UpdateRow).where(UpdateRow.telegram_id == 7).values(finished_at=datetime.now(UTC)))
    purge(unit, after(366), message_days=365, inbox_days=7)


def rotate(unit: UnitOfWork) -> None:
    rotate_keys(unit)


@pytest.mark.parametrize("reader", [False, True])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("delete_texts", "kept"), [(erase_person, ("secrets",)), (purge_all, ("secrets", "people")), (rotate, ())]
)
def test_no_ciphertext_of_what_was_deleted_stays_in_the_file_or_its_log(
    database: Database,
    database_url: str,
    keys: tuple[str, ...],
    store_review: StoreReview,
    *,
    delete_texts: Callable[[UnitOfWork], None],
    kept: tuple[str, ...],
    reader: bool,
) -> None:
    with database.unit_of_work() as unit:
        store_rows_in_every_table(unit, store_review, 7)
        # A text that fills several database pages, which are freed.
        store_message(unit, 1, BOT, 7, [MessagePart(77, "A long review. " * 2_000)])
    with database.reading() as unit:
        noted = encrypted_values(unit, kept)
    before = bytes_of(database_url)
    assert len(noted) > 5
    assert all(ciphertext in before for ciphertext in noted if len(ciphertext) < 1_000)
    other = Database.open(database_url, keys)
    try:
        with ExitStack() as stack:
            if reader:  # in another process, which has a snapshot that prevents the log from being truncated
                stack.enter_context(other.reading()).scalar(select(func.count()).select_from(PersonRow))
            with database.unit_of_work() as unit:
                delete_texts(unit)
        if reader:
            with database.unit_of_work() as unit:
                upsert_person(unit, 9, "Somebody else", "en")
        found = bytes_of(database_url)
        # A long ciphertext spans several pages, so search for its pieces.
        pieces = {ciphertext[at : at + 64] for ciphertext in noted for at in range(0, len(ciphertext) - 63, 512)}
        assert not [piece for piece in pieces if piece in found]
    finally:
        other.close()


def test_the_documented_commands_remove_deleted_ciphertexts_from_the_files_of_postgresql(
    request: pytest.FixtureRequest, keys: tuple[str, ...], store_review: StoreReview
) -> None:
    page = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    commands = page.partition("```sql\nVACUUM FULL;")[2].partition("```")[0].split(";")
    server = request.getfixturevalue("postgres_server")
    with request.getfixturevalue("postgres_databases")(request.getfixturevalue("migrated_postgres")) as url:
        database = Database.open(url, keys)
        with database.unit_of_work() as unit:
            store_rows_in_every_table(unit, store_review, 7)
        with database.unit_of_work() as unit:
            noted = encrypted_values(unit, ("secrets",))
            erase(unit, 7)
        database.close()
        address = parse_address(url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as admin:
            admin.execute("CHECKPOINT")
            assert any(found_in_files(server.pgdata, noted)), "the test would notice if they stayed"
            for command in ("VACUUM FULL", *filter(None, map(str.strip, commands))):
                admin.execute(command.encode())
            assert not any(found_in_files(server.pgdata, noted))
            admin.execute("ALTER SYSTEM RESET wal_recycle")
            admin.execute("SELECT pg_reload_conf()")


def found_in_files(folder: Path, ciphertexts: set[bytes]) -> Iterator[bool]:
    """Yield, for each table file and log file, whether it contains one of the ciphertexts."""
    for part in ("base", "pg_wal"):
        for path in (folder / part).rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            yield any(ciphertext in content for ciphertext in ciphertexts)
