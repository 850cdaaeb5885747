"""The votes on a trial model's verdicts, which compare the model with the one that it replaced.

Only votes that may be used for training count. A vote stops counting once its text is deleted, or once the voter or the
text's author withdraws consent.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from storage.db.database import UnitOfWork
from storage.db.tables import MessageRow, ModelVersionRow, PredictionRow, SnapshotRow, TrialTextRow, VoteRow
from storage.feedback.eligibility import EligibilityRules, eligible_texts
from storage.models.trials import Trial


@dataclass(frozen=True, slots=True)
class TrialVote:
    """A text with its correct label, the label from the model on trial, and the champion's label.

    ``champion_label`` is None if the champion has not read the text yet.
    """

    text_hash: bytes
    message_id: int
    label: str
    trial_label: str
    champion_label: str | None


@dataclass(frozen=True, slots=True)
class ChampionLabel:
    """The champion's label for a text."""

    text_hash: bytes
    message_id: int
    label: str


def trial_votes(unit: UnitOfWork, trial: Trial, rules: EligibilityRules, admins: frozenset[int]) -> list[TrialVote]:
    """Return the texts with usable votes on verdicts that the model on trial has shown since the trial started.

    Texts that either model's run used are left out, because that model may have memorised them.
    """
    shown = (
        select(MessageRow.text_hash, PredictionRow.label)
        .join(PredictionRow, PredictionRow.message_id == MessageRow.id)
        .join(VoteRow, VoteRow.prediction_id == PredictionRow.id)
        .where(PredictionRow.version == trial.version, PredictionRow.created_at >= trial.started_at)
    )
    trial_labels: dict[bytes, str] = dict(unit.execute(shown).all())
    if not trial_labels:
        return []
    of_either = ModelVersionRow.version.in_((trial.version, trial.champion))
    runs = select(ModelVersionRow.run_id).where(of_either, ModelVersionRow.run_id.is_not(None))
    known = set(unit.scalars(select(SnapshotRow.text_hash).where(SnapshotRow.run_id.in_(runs))))
    read = select(TrialTextRow.text_hash, TrialTextRow.champion_label).where(TrialTextRow.trial_id == trial.id)
    champion_labels: dict[bytes, str] = dict(unit.execute(read).all())
    return [
        TrialVote(
            text_hash=text.voted.text_hash,
            message_id=text.voted.message_id,
            label=text.label,
            trial_label=trial_labels[text.voted.text_hash],
            champion_label=champion_labels.get(text.voted.text_hash),
        )
        for text in eligible_texts(unit, rules.quorum, admins)
        if text.voted.text_hash in trial_labels and text.voted.text_hash not in known
    ]


def record_champion_labels(unit: UnitOfWork, trial_id: int, labels: Sequence[ChampionLabel]) -> None:
    """Record the champion's labels, except for texts that have been deleted in the meantime."""
    kept = set(unit.scalars(select(MessageRow.id).where(MessageRow.id.in_([label.message_id for label in labels]))))
    rows = [
        {
            "trial_id": trial_id,
            "text_hash": label.text_hash,
            "message_id": label.message_id,
            "champion_label": label.label,
        }
        for label in labels
        if label.message_id in kept
    ]
    if rows:
        unit.execute(unit.insert(TrialTextRow).values(rows).on_conflict_do_nothing())
