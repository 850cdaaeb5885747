"""Watches the model on trial: compares it with the champion on new votes, and confirms it or rolls it back.

The model's own verdicts are in the database. This module runs the champion once on each text with votes, and stores
only the champion's label.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from core.settings import Settings
from ml.evaluation.alpha_spending import alpha_for_trial
from ml.serving.artifact import holds_model, require_registered
from ml.serving.chunked import logits_in_chunks
from ml.serving.engine import Classifier
from ml.text.labels import LABELS
from storage.chat import messages
from storage.db.database import Database, UnitOfWork
from storage.feedback.eligibility import EligibilityRules
from storage.models import looks, registry, trials
from storage.models.artifact_store import ArtifactStore
from storage.models.looks import Look
from storage.models.registry import ModelVersion
from storage.models.trials import Trial
from storage.training import runs
from storage.training.trial_votes import ChampionLabel, TrialVote, record_champion_labels, trial_votes
from worker.gate import explanation
from worker.gate.measurements import VoteEvidence
from worker.gate.trial import TrialEvidence, TrialStep, next_step, votes_since

logger = logging.getLogger(__name__)


def check_trial(database: Database, settings: Settings) -> TrialStep | None:
    """Take the running trial's next step and return it, or return None if no model is on trial.

    Raise UnusableArtifact, NotInTheStore, StoreUnusable or ModelFolderUnusable if the champion cannot be loaded.
    """
    with database.reading() as unit:
        trial = trials.running_trial(unit)
        if trial is None:
            return None
        unread = [vote for vote in _votes(unit, trial, settings) if vote.champion_label is None]
        texts = messages.get_texts(unit, [vote.message_id for vote in unread])
        champion = registry.get_version(unit, trial.champion)
    if texts:
        labels = _champion_labels(settings, champion, [vote for vote in unread if vote.message_id in texts], texts)
        with database.unit_of_work() as unit:
            record_champion_labels(unit, trial.id, labels)
    with database.unit_of_work() as unit:
        looks.lock(unit)
        current = trials.get_trial(unit, trial.id)
        return _take_step(unit, current, settings) if current is not None and current.running else None


def _votes(unit: UnitOfWork, trial: Trial, settings: Settings) -> list[TrialVote]:
    return trial_votes(unit, trial, EligibilityRules.from_settings(settings), frozenset(settings.admin_ids))


def _champion_labels(
    settings: Settings, champion: ModelVersion, votes: Sequence[TrialVote], texts: dict[int, str]
) -> list[ChampionLabel]:
    with _champion_files(settings, champion) as folder:
        engine = Classifier.load(folder, settings.serving_threads).engine
        logits = logits_in_chunks(engine, [texts[vote.message_id] for vote in votes], lambda _: None)
    return [
        ChampionLabel(vote.text_hash, vote.message_id, LABELS[index])
        for vote, index in zip(votes, logits.argmax(axis=1), strict=True)
    ]


def _champion_files(settings: Settings, champion: ModelVersion) -> AbstractContextManager[Path]:
    # The same model may have a different path on the machine that registered it.
    if holds_model(settings.model, champion.manifest_sha256):
        return nullcontext(settings.model)
    return _fetched(settings, champion)


@contextmanager
def _fetched(settings: Settings, champion: ModelVersion) -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        files = ArtifactStore.open(settings.store_address).fetch(champion.location, Path(folder) / "champion")
        require_registered(files, champion.version, champion.manifest_sha256)
        yield files


def _take_step(unit: UnitOfWork, trial: Trial, settings: Settings) -> TrialStep:
    votes = [vote for vote in _votes(unit, trial, settings) if vote.champion_label is not None]
    before = _evidence_before(unit, trial)
    since = votes_since(
        np.array([vote.champion_label == vote.label for vote in votes], np.bool_),
        np.array([vote.trial_label == vote.label for vote in votes], np.bool_),
        None if before is None else before.mistake_ratio,
    )
    trials.record_evidence(unit, trial.id, {} if since is None else asdict(since))
    if since is None:
        return TrialStep.CONTINUE
    earlier = looks.looks(unit)
    looked_at = max((look.texts for look in earlier if look.trial_id == trial.id), default=0)
    evidence, alpha = TrialEvidence(before, since, looked_at), 0.0
    if evidence.look_is_due:
        now = unit.now()
        per_year = settings.gate_wrong_promotions_per_year
        alpha = alpha_for_trial(earlier, per_year, now, last=evidence.last_look)
        looks.record(unit, Look(now, trial.champion, since.texts, alpha, trial_id=trial.id))
    step = next_step(evidence, alpha)
    if step is not TrialStep.CONTINUE:
        _end(unit, trial, step, explanation.trial_sentence(step, since, last_look=evidence.last_look))
    return step


def _evidence_before(unit: UnitOfWork, trial: Trial) -> VoteEvidence | None:
    """Return the run's evidence, or None if the run had no votes or compared the model with a different champion."""
    run = runs.get_run(unit, trial.run_id)
    votes = (run.decision or {}).get("figures", {}).get("judgements")
    return None if votes is None or run.champion != trial.champion else VoteEvidence.read(votes)


def _end(unit: UnitOfWork, trial: Trial, step: TrialStep, why: str) -> None:
    if step is TrialStep.CONFIRM:
        registry.confirm(unit, trial, f"the trial of {trial.version} confirmed it: {why}")
    else:
        registry.roll_back(unit, trial, f"the trial of {trial.version} ended: {why}")
    logger.info("Trial %d of model %s: %s, because %s", trial.id, trial.version, step, why)
