"""A database of every earlier revision, with rows in all tables, is upgraded and then used by the product's code."""

from collections.abc import Iterator

import pytest
from older_rows import (
    ADA,
    BEN,
    BOT,
    CHART,
    CHAT_OF_ADA,
    DECISION,
    EDITED,
    FIRST,
    PENDING,
    SPLIT,
    UPDATE,
    write_rows,
)
from sqlalchemy import select

from migrations import runner
from storage.chat import inbox, messages, outbox, people, predictions
from storage.db.database import Database, UnitOfWork
from storage.db.encryption import Cipher, new_hash_key
from storage.db.engine import parse_address, writing_engine
from storage.db.states import (
    Abstention,
    Consent,
    OfferState,
    Reason,
    ReplyState,
    RunKind,
    RunPhase,
    RunState,
    Selection,
    SnapshotPart,
    TrialState,
    Trigger,
    Vote,
)
from storage.db.tables import BotRow, PersonRow, PredictionRow, VoteRow
from storage.db.tables.base import SCHEMA_REVISION
from storage.feedback import eligibility, label_offers, votes
from storage.models import instances, looks, registry, trials
from storage.privacy.consent import consent_of, notification_scope
from storage.privacy.erasure import erase
from storage.training import followers, notifications, runs, snapshots

REVISIONS = [f"{number:04}" for number in range(1, int(SCHEMA_REVISION) + 1)]
# The revision that added training runs.
LEARNING = "0002"
OPERATING = "0004"
ASKING = "0005"
TRIALS = "0006"
ABSTAINING = "0009"


@pytest.fixture(params=REVISIONS)
def revision(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def upgraded(empty_url: str, keys: tuple[str, ...], revision: str) -> Iterator[Database]:
    """A database that was filled at an earlier revision and then upgraded."""
    runner.upgrade(empty_url, revision)
    hash_key = new_hash_key(keys)
    engine = writing_engine(parse_address(empty_url))
    with engine.connect() as connection:
        write_rows(connection, Cipher(keys, hash_key), hash_key)
    engine.dispose()
    runner.upgrade(empty_url)
    database = Database.open(empty_url, keys)
    yield database
    database.close()


def test_everything_in_an_older_database_is_there_after_the_upgrade(upgraded: Database, revision: str) -> None:
    with upgraded.reading() as unit:
        check_people(unit)
        check_chat(unit)
        check_models(unit)
        if revision >= LEARNING:
            check_learning(unit, revision)
        if revision >= TRIALS:
            check_trials(unit)
        if revision >= OPERATING:
            secrets = unit.scalars(select(BotRow.webhook_secret))
            assert [unit.cipher.decrypt(secret) for secret in secrets] == ["a-webhook-secret"]
        check_asking(unit, asked=revision >= ASKING)
        overruled = Abstention.OVERRULED if revision >= ABSTAINING else None
        assert unit.scalars(select(PredictionRow.abstention).distinct()).all() == [overruled]
    with upgraded.unit_of_work() as unit:
        use(unit, revision)
    with upgraded.unit_of_work() as unit:
        erased = erase(unit, ADA)
        assert (erased.people, erased.messages, erased.votes + erased.other_votes) == (1, 2, 2)
        assert votes.vote_of(unit, 1, 2) is None
        assert people.find_person(unit, BEN) == 2


def check_people(unit: UnitOfWork) -> None:
    names = unit.execute(select(PersonRow.telegram_id, PersonRow.name).order_by(PersonRow.id))
    assert [(row.telegram_id, unit.cipher.decrypt(row.name)) for row in names] == [(ADA, "Ada"), (BEN, "Ben")]
    assert consent_of(unit, 1) is Consent.GRANTED
    assert consent_of(unit, 1, notification_scope(BOT)) is Consent.GRANTED
    assert consent_of(unit, 2) is Consent.WITHDRAWN


def check_chat(unit: UnitOfWork) -> None:
    assert messages.get_texts(unit, [1, 2, 3]) == {1: FIRST, 2: EDITED, 3: "\n".join(SPLIT)}
    edited = messages.find_by_part(unit, BOT, CHAT_OF_ADA, 11)
    assert edited is not None
    assert (edited.id, edited.text, edited.prediction_id) == (2, EDITED, 2)
    prediction = predictions.get_prediction(unit, 2)
    assert prediction is not None
    assert (prediction.version, prediction.label, prediction.replaces) == ("shipped", "Positive", 1)
    assert predictions.newest_prediction(unit, 1) == 2
    vote = votes.vote_of(unit, 1, 2)
    assert vote is not None
    assert (vote.vote, vote.label) == (Vote.WRONG, "Negative")
    (voted,) = eligibility.eligible_texts(unit, 1, frozenset())
    assert (voted.label, voted.voted.message_id) == ("Negative", 2)
    assert [update.payload for update in inbox.pending_updates(unit, BOT)] == [UPDATE]
    states = [outbox.reply_status(unit, reply_id) for reply_id in (1, 2, 3)]
    expected = [ReplyState.SENT, ReplyState.UNCERTAIN, ReplyState.PENDING]
    assert [status.state for status in states if status is not None] == expected


def check_models(unit: UnitOfWork) -> None:
    live = registry.live_model(unit)
    assert live is not None
    assert (live.version, live.location) == ("trained", "run1-trained")
    assert {model.version for model in registry.versions(unit)} == {"shipped", "trained"}
    assert registry.get_version(unit, "shipped").removed_at is None


def check_learning(unit: UnitOfWork, revision: str) -> None:
    run = runs.get_run(unit, 1)
    assert (run.state, run.champion, run.candidate, run.decision) == (RunState.PROMOTED, "shipped", "trained", DECISION)
    assert runs.chart_of(unit, 1) == CHART
    assert runs.unclaimed_runs(unit) == [2]
    (text,) = snapshots.labelled_texts(unit, 1, SnapshotPart.TRAIN)
    assert (text.text, text.label) == (EDITED, "Negative")
    assert snapshots.versions_that_saw(unit, 1) == ["trained"]
    assert [follower.run_id for follower in followers.active_followers(unit, BOT)] == [2]
    announced = notifications.unannounced_run(unit)
    assert announced is not None
    assert (announced.run_id, announced.version) == (1, "trained")
    changes = [(change.from_version, change.to_version, change.who) for change in registry.changes(unit)]
    assert changes == [("shipped", "trained", ADA), (None, "shipped", None)]
    assert [model.version for model in registry.rollback_targets(unit)] == ["shipped"]
    (instance,) = instances.live_instances(unit)
    assert (instance.process, instance.version) == ("host:1", "trained")
    offer = label_offers.find_offer(unit, 2, 1)
    assert offer is not None
    assert (offer.prediction_id, offer.state) == (2, OfferState.SHOWN)
    assert offer.selection is (Selection.RANDOM if revision >= ASKING else None)
    (score,) = label_offers.gold_scores(unit)
    assert (score.person_id, score.answered, score.right) == (2, 1, 1)


def check_asking(unit: UnitOfWork, asked: bool) -> None:
    rows = unit.execute(select(PredictionRow.corrected, PredictionRow.question_chance).distinct()).all()
    assert rows == [(True, 0.1) if asked else (False, None)]
    assert unit.scalars(select(VoteRow.reason).distinct()).all() == [Reason.SARCASM if asked else None]


def check_trials(unit: UnitOfWork) -> None:
    (trial,) = trials.trials(unit)
    assert (trial.version, trial.champion, trial.state) == ("trained", "shipped", TrialState.CONFIRMED)
    assert [(look.texts, look.alpha) for look in looks.looks(unit)] == [(40, 0.00625), (50, 0.003)]
    assert runs.get_run(unit, 1).phase is RunPhase.REVIEWS


def use(unit: UnitOfWork, revision: str) -> None:
    """Use the database as a bot and a worker would."""
    assert not inbox.receive(unit, BOT, 1, ADA, "{}")
    reply = outbox.claim_next(unit, BOT, CHAT_OF_ADA)
    assert reply is not None
    assert (reply.id, reply.payload, reply.telegram_message_id) == (3, PENDING, 12)
    assert people.upsert_person(unit, ADA, "Ada", "en").id == 1
    again = messages.store_message(unit, 1, BOT, CHAT_OF_ADA, [messages.MessagePart(31, FIRST)])
    later = predictions.store_prediction(unit, again, "trained", "Negative", 0.8, True, 1, (1.0, -1.0))
    assert votes.record_vote(unit, 1, later, Vote.RIGHT) is None
    known = messages.store_message(unit, 2, BOT, BEN, [messages.MessagePart(32, EDITED)])
    equal = predictions.store_prediction(unit, known, "trained", "Negative", 0.8, True, 1, (1.0, -1.0))
    assert votes.record_vote(unit, 1, equal, Vote.RIGHT) is Vote.WRONG  # the text's fingerprint is as before
    if revision < LEARNING:
        runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN, ADA)
    (waiting,) = runs.unclaimed_runs(unit)
    assert runs.claim(unit, waiting, "a test") is not None
    registry.make_live(unit, "shipped", "a test says so", instead_of="trained")
