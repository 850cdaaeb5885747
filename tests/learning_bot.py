"""A bot with a fake model that learns from corrections, for tests of the notices that people get."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from bot.database import AsyncDatabase
from bot.privacy.notifier import CorrectionNotifier
from bot.serving.live_model import LiveModel
from ml.serving.engine import Verdict as Prediction
from storage.chat import outbox, people
from storage.chat.outbox import Reply
from storage.db.database import Database
from storage.db.states import Consent, RunKind, RunState, Trigger, Vote
from storage.db.tables import RunRow
from storage.feedback.eligibility import EligibilityRules
from storage.feedback.votes import record_vote
from storage.models import registry
from storage.privacy import consent
from storage.training import runs
from storage.training.snapshots import create_snapshot

StoreReview = Callable[..., Any]
BOT, OTHER_BOT = 900, 901
ADMIN, AUTHOR, VOTER = 1, 7, 8
TRAINS = EligibilityRules(quorum=2, person_rows=1_000, person_share=1.0)


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


@dataclass(frozen=True)
class LearningBot:
    """A bot with a notifier, whose live model can learn from corrections."""

    database: Database
    store: AsyncDatabase
    store_review: StoreReview
    model: FakeModel = field(default_factory=FakeModel)

    @cached_property
    def notifier(self) -> CorrectionNotifier:
        return self.another_notifier(self.model)

    def another_notifier(self, model: FakeModel) -> CorrectionNotifier:
        """Return the notifier of another process, which serves ``model``."""
        return CorrectionNotifier(self.store, cast("LiveModel", model))

    def answer_consent(self, telegram_id: int, scope: str, answer: Consent = Consent.GRANTED) -> None:
        with self.database.unit_of_work() as unit:
            person = people.upsert_person(unit, telegram_id, "Someone", "en")
            consent.record_consent(unit, person.id, answer, "1", scope)

    def correct(self, *texts: str, author: int = AUTHOR) -> None:
        """Store texts that the model called positive, and that their author and the voter both labelled negative."""
        with self.database.unit_of_work() as unit:
            for text in texts:
                review = self.store_review(unit, text, telegram_id=author)
                for telegram_id in (author, VOTER):
                    person = people.upsert_person(unit, telegram_id, "Someone", "en")
                    record_vote(unit, person.id, review.prediction_id, Vote.WRONG)

    def finish_run(self, version: str, rules: EligibilityRules = TRAINS, *, promoted: bool = True) -> int:
        """Run a training run from its snapshot to its end, and return its id."""
        with self.database.unit_of_work() as unit:
            run = runs.request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN).run
            lease = runs.claim(unit, run.id, "a worker")
            assert lease is not None
            create_snapshot(unit, lease, rules, frozenset({ADMIN}), "one")
            registry.register(unit, version, version[0] * 64, version, run.id)
            if promoted:
                registry.make_live(unit, version, "the gate says so")
            runs.finish(unit, lease, RunState.PROMOTED if promoted else RunState.HELD, candidate=version)
        return run.id

    def go_live(self, version: str, rules: EligibilityRules = TRAINS) -> int:
        """Finish a run whose model this bot then serves, and return the run's id."""
        run_id = self.finish_run(version, rules)
        self.model.version = version
        return run_id

    def sent(self, telegram_id: int = AUTHOR, bot_id: int = BOT) -> list[Reply]:
        """Send and return a bot's pending replies to a person."""
        with self.database.unit_of_work() as unit:
            found = []
            while (reply := outbox.claim_next(unit, bot_id, telegram_id)) is not None:
                outbox.mark_sent(unit, reply.id, 100 + reply.id)
                found.append(reply)
            return found

    def announced(self, run_id: int) -> bool:
        with self.database.reading() as unit:
            return unit.get_one(RunRow, run_id).noticed_at is not None
