"""What a model version said of a text."""

from dataclasses import dataclass

from sqlalchemy import func, select

from storage.db.database import UnitOfWork
from storage.db.tables import MessageRow, ModelVersionRow, PredictionRow
from storage.errors import UnknownModelVersion, UnknownPrediction


@dataclass(frozen=True, slots=True)
class Prediction:
    """One prediction, and whose text in which chat it is about.

    ``confidence`` is the probability of ``label`` after calibration, 0 to 1; ``windows`` is how many overlapping
    windows the text was read in; ``logits`` are in the order of the model's labels; ``replaces`` is the prediction
    that this one follows after an edit.
    """

    id: int
    message_id: int
    person_id: int
    chat_id: int
    version: str
    label: str
    confidence: float
    sure: bool
    windows: int
    replaces: int | None
    logits: tuple[float, float]


def store_prediction(  # noqa: PLR0913, PLR0917 - one argument a fact
    unit: UnitOfWork,
    message_id: int,
    version: str,
    label: str,
    confidence: float,
    sure: bool,
    windows: int,
    logits: tuple[float, float],
    replaces: int | None = None,
) -> int:
    """Keep a prediction and give its id.

    Raises UnknownModelVersion when ``version`` is not in the registry, UnknownPrediction when ``replaces`` is gone.
    """
    if unit.get(ModelVersionRow, version) is None:
        raise UnknownModelVersion(version=version)
    if replaces is not None and unit.get(PredictionRow, replaces) is None:
        raise UnknownPrediction(prediction_id=replaces)
    row = PredictionRow(
        message_id=message_id,
        version=version,
        label=label,
        confidence=confidence,
        sure=sure,
        windows=windows,
        logit_0=logits[0],
        logit_1=logits[1],
        replaces=replaces,
    )
    unit.add(row)
    unit.flush()
    return row.id


def newest_prediction(unit: UnitOfWork, prediction_id: int) -> int:
    """The prediction that stands now where this one did: the newest after the text's edits, or this one."""
    newest = prediction_id
    while (
        later := unit.scalar(select(func.max(PredictionRow.id)).where(PredictionRow.replaces == newest))
    ) is not None:
        newest = later
    return newest


def get_prediction(unit: UnitOfWork, prediction_id: int) -> Prediction | None:
    """Find the prediction with this id, None when there is none (any more)."""
    found = unit.execute(
        select(PredictionRow, MessageRow.person_id, MessageRow.chat_id)
        .join(MessageRow, MessageRow.id == PredictionRow.message_id)
        .where(PredictionRow.id == prediction_id)
    ).one_or_none()
    if found is None:
        return None
    row, person_id, chat_id = found
    return Prediction(
        id=row.id,
        message_id=row.message_id,
        person_id=person_id,
        chat_id=chat_id,
        version=row.version,
        label=row.label,
        confidence=row.confidence,
        sure=row.sure,
        windows=row.windows,
        replaces=row.replaces,
        logits=(row.logit_0, row.logit_1),
    )
