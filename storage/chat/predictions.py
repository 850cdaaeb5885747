"""Predictions that model versions made for texts."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update

from storage.db.database import UnitOfWork
from storage.db.states import Abstention
from storage.db.tables import MessageRow, ModelVersionRow, PredictionRow
from storage.errors import UnknownModelVersion, UnknownPrediction


@dataclass(frozen=True, slots=True)
class Prediction:
    """A prediction for a text, with the text's author and chat.

    ``confidence`` is the calibrated probability of ``label``, from 0 to 1. ``windows`` is the number of overlapping
    windows into which the text was split. ``logits`` are in the order of the model's labels. ``replaces`` is the id of
    the prediction for the text before its last edit. ``corrected`` is True if the bot showed the label that people
    agreed on instead of ``label``. ``question_chance`` is the probability (0 to 1) of asking "Was that right?", or None
    if the bot did not ask. ``abstention`` is None if the text reads like a review.
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
    corrected: bool = False
    question_chance: float | None = None
    abstention: Abstention | None = None


def store_prediction(  # noqa: PLR0913, PLR0917 - one argument for each column
    unit: UnitOfWork,
    message_id: int,
    version: str,
    label: str,
    confidence: float,
    sure: bool,
    windows: int,
    logits: tuple[float, float],
    replaces: int | None = None,
    *,
    is_review: bool = True,
    words: int | None = None,
    unknown_words: int | None = None,
) -> int:
    """Store a prediction and return its id. The numbers of words are None if nobody counted them.

    Raise UnknownModelVersion if ``version`` is not in the registry, and UnknownPrediction if ``replaces`` was deleted.
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
        abstention=None if is_review else Abstention.SHOWN,
        words=words,
        unknown_words=unknown_words,
    )
    unit.add(row)
    unit.flush()
    return row.id


def newest_prediction(unit: UnitOfWork, prediction_id: int) -> int:
    """Return the prediction that replaced this one after the text's latest edit, or this one if nothing replaced it."""
    newest = prediction_id
    while (
        later := unit.scalar(select(func.max(PredictionRow.id)).where(PredictionRow.replaces == newest))
    ) is not None:
        newest = later
    return newest


def newest_shown_in_chat(unit: UnitOfWork, bot_id: int, chat_id: int) -> int | None:
    """Return the newest prediction that was shown in this chat, or None if there is none.

    A prediction is not shown if its text doesn't read like a review, unless its author says that it is one.
    """
    return unit.scalar(
        select(func.max(PredictionRow.id))
        .join(MessageRow, MessageRow.id == PredictionRow.message_id)
        .where(
            MessageRow.bot_id == bot_id,
            MessageRow.chat_id == chat_id,
            PredictionRow.abstention.is_distinct_from(Abstention.SHOWN),
        )
    )


def get_prediction(unit: UnitOfWork, prediction_id: int) -> Prediction | None:
    """Return the prediction with this id, or None if it does not exist."""
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
        corrected=row.corrected,
        question_chance=row.question_chance,
        abstention=row.abstention,
    )


def overrule_abstention(unit: UnitOfWork, prediction_id: int) -> None:
    """Record that the person called this text a review, so that the bot shows them the prediction."""
    abstained = PredictionRow.abstention == Abstention.SHOWN
    changed = update(PredictionRow).where(PredictionRow.id == prediction_id, abstained)
    unit.change(changed.values(abstention=Abstention.OVERRULED))


def mark_corrected(unit: UnitOfWork, prediction_id: int) -> None:
    """Record that the person was shown the label that people agreed on instead of this prediction."""
    unit.change(update(PredictionRow).where(PredictionRow.id == prediction_id).values(corrected=True))


def mark_asked(unit: UnitOfWork, prediction_id: int, chance: float) -> None:
    """Record that the bot asked whether this prediction was right, and how likely it was to ask (0 to 1)."""
    unit.change(update(PredictionRow).where(PredictionRow.id == prediction_id).values(question_chance=chance))


def asked_since(unit: UnitOfWork, person_id: int, moment: datetime) -> bool:
    """Return whether the person was asked about a text that they sent after ``moment``."""
    asked = (
        select(PredictionRow.id)
        .join(MessageRow, MessageRow.id == PredictionRow.message_id)
        .where(MessageRow.person_id == person_id, MessageRow.created_at > moment)
        .where(PredictionRow.question_chance.is_not(None))
        .limit(1)
    )
    return unit.scalar(asked) is not None
