"""Measures the models on the votes that the candidate trains on, with fold models that did not train on those votes.

A fold model is a head on the anchor's frozen features, fitted on the votes in the other folds and the replayed texts.
The fold models' predictions stand in for the candidate's. The live model makes its own predictions, except on votes
that it trained on. The live model has memorised those, so fold models fitted on other votes that it trained on stand in
for it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.serving.chunked import Phases, logits_in_chunks
from ml.serving.engine import Classifier
from ml.text.labels import LABELS
from ml.training.correction_head import HeadExamples
from ml.training.cross_fit import assign_folds, cross_fit
from ml.training.frozen_features import FrozenEncoder
from ml.training.training_set import TrainingExamples
from storage.db.states import RunPhase
from worker.gate.vote_rows import VoteRow

_POSITIVE = LABELS.index("Positive")
Rows = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class CrossFit:
    """Inputs for fold models: the anchor's frozen encoder, and the texts that a round replays."""

    encoder: FrozenEncoder
    replay: TrainingExamples


def measure_cross_fitted(
    voted: pd.DataFrame, setting: CrossFit, champion: Classifier, phases: Phases
) -> tuple[VoteRow, ...]:
    """Return a row for each text in ``voted`` that is ``measured``.

    ``voted`` has the columns ``message_id``, ``text``, ``label`` (index into LABELS), ``group`` (see ``LabelledText``),
    ``measured``, ``trained`` (whether the round trains on the text) and ``known`` (whether the champion trained on it).
    """
    if not voted["measured"].any():
        return ()
    known, measured = voted["known"].to_numpy(np.bool_), voted["measured"].to_numpy(np.bool_)
    unknown = measured & ~known
    texts = [*voted["text"], *setting.replay.texts]
    phases.begin(RunPhase.VOTES, len(texts) + int(unknown.sum()))
    features = setting.encoder.read(texts, phases.advance)
    positive: Rows = voted["label"].to_numpy() == _POSITIVE
    targets = np.concatenate([positive, setting.replay.targets[:, _POSITIVE]]).astype(np.float64)
    examples = HeadExamples(features.standardised(), features.margins, targets)
    folds = assign_folds(voted["group"].tolist())
    candidate = cross_fit(examples, folds, voted["trained"].to_numpy(np.bool_)) > 0
    before = cross_fit(examples, folds, known) > 0 if known.any() else np.zeros(len(voted), np.bool_)
    logits = logits_in_chunks(champion.engine, voted.loc[unknown, "text"].tolist(), phases.advance)
    before[unknown] = logits.argmax(axis=1) == _POSITIVE
    return _rows(voted, before == positive, candidate == positive)


def _rows(voted: pd.DataFrame, champion: Rows, candidate: Rows) -> tuple[VoteRow, ...]:
    columns = (voted["message_id"].tolist(), voted["label"].tolist(), champion.tolist(), candidate.tolist())
    measured = zip(voted["measured"].tolist(), *columns, strict=True)
    return tuple(VoteRow(number, LABELS[label], *correct) for counts, number, label, *correct in measured if counts)
