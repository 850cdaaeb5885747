"""New votes decide whether a model on trial stays live, and every way that a trial can end is recorded."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.settings import Settings
from ml.evaluation.paired_counts import PairedCounts
from storage.db.database import Database, UnitOfWork
from storage.db.states import Consent, RunKind, RunState, TrialState, Trigger, Vote
from storage.errors import LiveModelChanged
from storage.feedback.votes import record_vote
from storage.models import looks, registry, trials
from storage.models.looks import Look
from storage.models.registry import ModelVersion, Promotion
from storage.models.trials import Trial
from storage.privacy.consent import record_consent
from storage.privacy.erasure import erase
from storage.training import notifications, runs
from storage.training.runs import Lease
from storage.training.trial_votes import ChampionLabel, TrialVote
from worker.gate.decision import GateBounds, decide
from worker.gate.measurements import Measurements, VoteEvidence
from worker.gate.trial import TrialStep
from worker.runs import trial_check
from worker.runs.job_builder import take_snapshot
from worker.runs.looks import take_look
from worker.runs.trial_check import check_trial

StoreReview = Callable[..., Any]
ADMIN, OTHER = 7, 8
FEW = VoteEvidence.equally_weighted(PairedCounts(12, 6, 9, 0, 3))
MEASURED = Measurements(None, FEW, {}, {}, ())
BOUNDS = GateBounds(0.003, 0.95, 0.02, 0.02, auto_promote=True)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path / "var", admin_ids=(ADMIN, OTHER))


@pytest.fixture(autouse=True)
def champion_reads(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Make the champion call every text Positive without loading a model, and count the texts that it reads."""
    read = {"texts": 0}

    def labels(
        _settings: Settings, champion: ModelVersion, votes: Sequence[TrialVote], _texts: dict[int, str]
    ) -> list[ChampionLabel]:
        assert champion.version == "champion"
        read["texts"] += len(votes)
        return [ChampionLabel(vote.text_hash, vote.message_id, "Positive") for vote in votes]

    monkeypatch.setattr(trial_check, "_champion_labels", labels)
    return read


@pytest.fixture
def held(database: Database) -> Database:
    """A database in which a run's candidate was held, with the decision shown on its card."""
    with database.unit_of_work() as unit:
        registry.register(unit, "champion", "0" * 64, "run0-champion")
        registry.make_live(unit, "champion", "a test begins")
        lease = claim(unit)
        registry.register(unit, "candidate", "0" * 64, "run1-candidate", lease.run.id)
        decision = decide(MEASURED, BOUNDS).record()
        runs.finish(unit, lease, RunState.HELD, candidate="candidate", decision=decision)
    return database


def claim(unit: UnitOfWork) -> Lease:
    run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN, ADMIN).run
    lease = runs.claim(unit, run.id, "a test")
    assert lease is not None
    runs.record_snapshot(unit, lease, "champion")
    return replace(lease, run=runs.get_run(unit, run.id))


def start(database: Database) -> Trial:
    with database.unit_of_work() as unit:
        done = registry.start_trial(unit, "candidate", "an admin promoted run 1's model on trial", ADMIN, "champion")
        assert done is Promotion.DONE
    with database.reading() as unit:
        trial = trials.running_trial(unit)
    assert trial is not None
    return trial


def live(database: Database) -> str:
    with database.reading() as unit:
        version = registry.live_model(unit)
    assert version is not None
    return version.version


def last_trial(database: Database) -> Trial:
    with database.reading() as unit:
        return trials.trials(unit, 1)[0]


def vote(database: Database, store_review: StoreReview, votes: dict[str, tuple[str, Vote]], **given: Any) -> None:
    """Store texts with the candidate's labels, and the admin's votes on them."""
    with database.unit_of_work() as unit:
        for text, (label, vote) in votes.items():
            review = store_review(unit, text, **{"telegram_id": ADMIN, "version": "candidate", **given}, label=label)
            record_vote(unit, review.person_id, review.prediction_id, vote)
        record_consent(unit, review.person_id, Consent.GRANTED, "test")


def against(count: int, name: str = "Lovely") -> dict[str, tuple[str, Vote]]:
    """Return votes that say that the candidate is wrong and the champion is right."""
    return {f"{name}, number {number}.": ("Negative", Vote.WRONG) for number in range(count)}


def in_favour(count: int) -> dict[str, tuple[str, Vote]]:
    """Return votes that say that the candidate is right and the champion is wrong."""
    return {f"Dreadful, number {number}.": ("Negative", Vote.RIGHT) for number in range(count)}


def same(count: int) -> dict[str, tuple[str, Vote]]:
    """Return votes on verdicts on which both models agree."""
    return {f"Fine, number {number}.": ("Positive", Vote.RIGHT) for number in range(count)}


def test_a_trial_replaces_the_champion_but_candidates_are_still_compared_with_it(
    held: Database, settings: Settings
) -> None:
    trial = start(held)
    assert (trial.version, trial.champion, trial.started_by, trial.run_id) == ("candidate", "champion", ADMIN, 1)
    with held.reading() as unit:
        change, baseline = registry.changes(unit, 1)[0], registry.baseline(unit)
        assert notifications.unannounced_run(unit) is None, "people are told only of a model that stays"
    assert live(held) == "candidate"
    assert baseline is not None
    assert baseline.version == "champion"
    assert (change.who, change.from_version, change.to_version) == (ADMIN, "champion", "candidate")
    with held.unit_of_work() as unit:
        run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN, ADMIN).run
        lease = runs.claim(unit, run.id, "a test")
        assert registry.start_trial(unit, "candidate", "again", ADMIN, "champion") is Promotion.CHANGED
        assert lease is not None
    assert take_snapshot(held, settings, lease).run.champion == "champion"


def test_votes_against_the_model_bring_the_champion_back(
    held: Database, settings: Settings, store_review: StoreReview, champion_reads: dict[str, int]
) -> None:
    assert check_trial(held, settings) is None
    start(held)
    assert check_trial(held, settings) is TrialStep.CONTINUE
    vote(held, store_review, against(4))
    assert check_trial(held, settings) is TrialStep.CONTINUE
    assert last_trial(held).votes.texts == 4
    vote(held, store_review, against(5))
    assert check_trial(held, settings) is TrialStep.ROLL_BACK
    assert champion_reads["texts"] == 5, "the champion reads each text once"
    assert live(held) == "champion"
    trial = last_trial(held)
    assert (trial.state, trial.ended_by) == (TrialState.ROLLED_BACK, None)
    assert trial.reason == (
        "The trial of candidate ended: the votes go against it: on 5 texts with new votes, it was right 0 times and "
        "the earlier model 5 times."
    )
    with held.reading() as unit:
        assert registry.changes(unit, 1)[0].reason == trial.reason
    assert check_trial(held, settings) is None


def test_only_votes_on_verdicts_from_the_trial_count(
    held: Database, settings: Settings, store_review: StoreReview
) -> None:
    vote(held, store_review, against(9, "Early"))
    start(held)
    vote(held, store_review, against(9, "Elsewhere"), version="champion")
    assert check_trial(held, settings) is TrialStep.CONTINUE
    assert last_trial(held).votes.texts == 0


def test_deleted_texts_and_withdrawn_consent_no_longer_count(
    held: Database, settings: Settings, store_review: StoreReview
) -> None:
    start(held)
    vote(held, store_review, against(2))
    vote(held, store_review, against(2, "Other"), telegram_id=OTHER)
    assert check_trial(held, settings) is TrialStep.CONTINUE
    assert last_trial(held).votes.texts == 4
    with held.unit_of_work() as unit:
        erase(unit, OTHER)
    vote(held, store_review, against(1, "Later"))
    assert check_trial(held, settings) is TrialStep.CONTINUE
    assert last_trial(held).votes.texts == 3
    with held.unit_of_work() as unit:
        review = store_review(unit, "Anything.", telegram_id=ADMIN)
        record_consent(unit, review.person_id, Consent.WITHDRAWN, "test")
    assert check_trial(held, settings) is TrialStep.CONTINUE
    assert last_trial(held).votes.texts == 0


def test_enough_votes_for_the_model_confirm_it(held: Database, settings: Settings, store_review: StoreReview) -> None:
    start(held)
    vote(held, store_review, {**in_favour(10), **same(39)})
    assert check_trial(held, settings) is TrialStep.CONTINUE
    vote(held, store_review, {"One more.": ("Positive", Vote.RIGHT)})
    assert check_trial(held, settings) is TrialStep.CONFIRM
    assert live(held) == "candidate"
    assert last_trial(held).state is TrialState.CONFIRMED
    with held.reading() as unit:
        change, found = registry.changes(unit, 1)[0], looks.looks(unit)
        announced = notifications.unannounced_run(unit)
    assert change.confirms
    assert change.reason.startswith("The trial of candidate confirmed it: the votes prove that it is better")
    assert [(look.texts, look.champion, look.run_id) for look in found] == [(50, "champion", None)]
    assert found[0].alpha == pytest.approx(0.00625)
    assert announced is not None
    assert announced.version == "candidate"


@pytest.mark.parametrize(
    ("version", "state"),
    [("candidate", TrialState.CONFIRMED), ("champion", TrialState.ROLLED_BACK), ("newer", TrialState.ENDED)],
)
def test_a_change_by_hand_or_a_newer_promotion_ends_the_trial(held: Database, version: str, state: TrialState) -> None:
    start(held)
    with held.unit_of_work() as unit:
        registry.register(unit, "newer", "0" * 64, "run2-newer")
        assert registry.promote(unit, version, "an admin says so", ADMIN, "champion") is Promotion.DONE
    trial = last_trial(held)
    assert (trial.state, trial.ended_by, trial.reason) == (state, ADMIN, f"Admin {ADMIN} says so.")
    assert live(held) == version


def test_a_second_trial_replaces_the_first_but_not_the_champion(held: Database) -> None:
    start(held)
    with held.unit_of_work() as unit:
        lease = claim(unit)
        registry.register(unit, "second", "0" * 64, "run2-second", lease.run.id)
        runs.finish(unit, lease, RunState.HELD, candidate="second")
        assert registry.start_trial(unit, "second", "an admin says so", ADMIN, "champion") is Promotion.DONE
        second, first = trials.trials(unit)
        assert (first.state, second.state, second.champion) == (TrialState.ENDED, TrialState.RUNNING, "champion")
        assert registry.roll_back(unit, second, "the votes say so") is Promotion.DONE
    assert live(held) == "champion"


def test_the_champion_is_kept_while_a_trial_may_bring_it_back(held: Database) -> None:
    start(held)
    with held.unit_of_work() as unit, pytest.raises(LiveModelChanged):
        registry.mark_removed(unit, "champion")


def test_an_admin_who_is_deleted_is_no_longer_named(held: Database, store_review: StoreReview) -> None:
    trial = start(held)
    with held.unit_of_work() as unit:
        store_review(unit, "A text.", telegram_id=ADMIN)
        erase(unit, ADMIN)
    with held.reading() as unit:
        found = trials.get_trial(unit, trial.id)
    assert found is not None
    assert found.started_by is None


def test_a_look_is_paid_for_once_and_a_run_soon_after_does_not_look_again(held: Database, settings: Settings) -> None:
    proven = VoteEvidence.equally_weighted(PairedCounts(100, 60, 75, 0, 15))
    with held.unit_of_work() as unit:
        lease = claim(unit)
    first = take_look(held, settings, lease.run, proven)
    assert first.alpha == pytest.approx(0.00625)
    assert take_look(held, settings, lease.run, proven) == first, "another attempt at the run"
    with held.unit_of_work() as unit:
        runs.finish(unit, lease, RunState.HELD, candidate="candidate")
        later = claim(unit)
    soon = take_look(held, settings, later.run, proven)
    assert (soon.alpha, soon.next_texts) == (0.0, 150)
    sentence = decide(Measurements(None, proven, {}, {}, ()), BOUNDS, soon).sentence
    assert "the votes were tested recently, and will be tested again once there are 150" in sentence
    with held.reading() as unit:
        assert len(looks.looks(unit)) == 1


def test_the_alpha_of_a_year_is_read_from_the_database(held: Database, settings: Settings) -> None:
    with held.unit_of_work() as unit:
        looks.record(unit, Look(datetime.now(UTC) - timedelta(minutes=1), "champion", 30, 0.0125, run_id=1))
        lease = claim(unit)
    proven = VoteEvidence.equally_weighted(PairedCounts(100, 60, 75, 0, 15))
    assert take_look(held, settings, lease.run, proven).alpha < 1e-6
