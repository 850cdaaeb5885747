"""Imports votes from a file, with the texts, the predictions and the consent that go with them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.states import Consent, Vote
from storage.db.tables import ConsentRow, MessagePartRow, MessageRow, PersonRow, PredictionRow, VoteRow
from storage.feedback.eligibility import IMPORT_BOT_ID
from storage.feedback.votes import OPPOSITE
from storage.privacy.consent import TRAINING, consenting_people

# The wording recorded in the consent ledger: the operator of the bot vouches for the people in the file.
WORDING: Final = "import"
# Telegram's ids of people and groups are closer to zero, so an id below this one belongs to nobody there.
_IMPORTED_IDS_BELOW: Final = -(2**62)
# The number of ids in one statement; SQLite accepts 32,766 values.
_ID_CHUNK: Final = 10_000


@dataclass(frozen=True, slots=True)
class ImportPrediction:
    """The live model's prediction for a text; the fields are those of ``predictions.Prediction``."""

    version: str
    label: str
    confidence: float
    sure: bool
    windows: int
    logits: tuple[float, float]


@dataclass(frozen=True, slots=True)
class ImportedVote:
    """One row of the file: the person's name, the text, and the label, None for neither label."""

    person: str
    text: str
    label: str | None


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """How many texts were new, how many votes the file had, and how many of its people were needed."""

    texts: int
    votes: int
    people: int


def imported_texts(unit: UnitOfWork, texts: Collection[str]) -> set[str]:
    """Return those of ``texts`` that an earlier import stored and that still exist."""
    return set(_imported_predictions(unit, texts))


def import_votes(
    unit: UnitOfWork,
    votes: Sequence[ImportedVote],
    predictions: dict[str, ImportPrediction],
    admin: int | None = None,
) -> ImportCounts:
    """Store the votes, and each text that is new, with its prediction.

    ``predictions`` are by text, one for each new text. The author of a text is the first person in the file who voted
    on it; everybody in the file consents to training. With ``admin``, a Telegram id, the votes are stored as that
    admin's, which decide alone. A later vote replaces an earlier one by the same person.
    """
    authors: dict[str, str] = {}
    for vote in votes:
        authors.setdefault(vote.text, vote.person)
    people = _upsert_people(unit, {vote.person for vote in votes} if admin is None else set(authors.values()))
    _record_consent(unit, people.values())
    new = [text for text in authors if text in predictions]
    _store_texts(unit, [(text, people[authors[text]]) for text in new], predictions)
    voters = people if admin is None else dict.fromkeys((vote.person for vote in votes), _upsert_admin(unit, admin))
    _store_votes(unit, votes, voters)
    return ImportCounts(len(new), len(votes), len(people))


def _store_votes(unit: UnitOfWork, votes: Sequence[ImportedVote], voters: dict[str, int]) -> None:
    predictions = _imported_predictions(unit, {vote.text for vote in votes})
    rows = [
        {
            "person_id": voters[vote.person],
            "text_hash": unit.cipher.fingerprint(vote.text),
            "prediction_id": predictions[vote.text][0],
            "verdict": _vote_on(predictions[vote.text][1], vote.label),
            "label": vote.label,
            "created_at": utc_now(),
        }
        for vote in votes
    ]
    added = unit.insert(VoteRow)
    replaced = {name: added.excluded[name] for name in ("prediction_id", "verdict", "label", "created_at")}
    key = [VoteRow.person_id, VoteRow.text_hash]
    _execute(unit, added.on_conflict_do_update(index_elements=key, set_=replaced), rows)


def _vote_on(predicted: str, label: str | None) -> Vote:
    if label is None:
        return Vote.NEITHER
    return Vote.WRONG if label == OPPOSITE[predicted] else Vote.RIGHT


def _upsert_people(unit: UnitOfWork, names: Iterable[str]) -> dict[str, int]:
    """Find or add the people with these names, and return their ids by name."""
    telegram_ids = {name: _import_id(unit.cipher.fingerprint(f"person of a file: {name}")) for name in sorted(names)}
    rows = [{"telegram_id": number, "name": unit.cipher.encrypt(name)} for name, number in telegram_ids.items()]
    _execute(unit, unit.insert(PersonRow).on_conflict_do_nothing(), rows)
    ids: dict[int, int] = {}
    for chunk in _chunks(list(telegram_ids.values())):
        found = select(PersonRow.telegram_id, PersonRow.id).where(PersonRow.telegram_id.in_(chunk))
        ids.update(unit.execute(found).all())
    return {name: ids[number] for name, number in telegram_ids.items()}


def _upsert_admin(unit: UnitOfWork, telegram_id: int) -> int:
    """Find the person with this Telegram id, or add them without a name, and return their id."""
    unnamed = {"telegram_id": telegram_id, "name": unit.cipher.encrypt("")}
    unit.execute(unit.insert(PersonRow).values(unnamed).on_conflict_do_nothing())
    return unit.scalars(select(PersonRow.id).where(PersonRow.telegram_id == telegram_id)).one()


def _import_id(digest: bytes) -> int:
    """Return a 64-bit id that no Telegram user or group has."""
    return _IMPORTED_IDS_BELOW - (int.from_bytes(digest[:8], "big") >> 2)


def _record_consent(unit: UnitOfWork, people: Collection[int]) -> None:
    granted = set(unit.scalars(consenting_people()))
    line = {"scope": TRAINING, "consent": Consent.GRANTED, "wording": WORDING}
    rows = [{"person_id": person, **line} for person in sorted(people) if person not in granted]
    if rows:
        unit.execute(insert(ConsentRow), rows)


def _store_texts(unit: UnitOfWork, texts: Sequence[tuple[str, int]], predictions: dict[str, ImportPrediction]) -> None:
    """Store texts, given with their authors' ids, as messages with one prediction each."""
    messages = [
        {
            "person_id": author,
            "bot_id": IMPORT_BOT_ID,
            "chat_id": IMPORT_BOT_ID,
            "text_hash": unit.cipher.fingerprint(text),
        }
        for text, author in texts
    ]
    if not messages:
        return
    ids = unit.scalars(insert(MessageRow).returning(MessageRow.id, sort_by_parameter_order=True), messages).all()
    part_rows, prediction_rows = [], []
    for message_id, (text, _) in zip(ids, texts, strict=True):
        part = {"message_id": message_id, "position": 0, "telegram_message_id": 0}
        part_rows.append({**part, "text": unit.cipher.encrypt(text)})
        prediction_rows.append({"message_id": message_id, **_columns(predictions[text])})
    unit.execute(insert(MessagePartRow), part_rows)
    unit.execute(insert(PredictionRow), prediction_rows)


def _columns(prediction: ImportPrediction) -> dict[str, Any]:
    names = ("version", "label", "confidence", "sure", "windows")
    logit_0, logit_1 = prediction.logits
    return {**{name: getattr(prediction, name) for name in names}, "logit_0": logit_0, "logit_1": logit_1}


def _imported_predictions(unit: UnitOfWork, texts: Collection[str]) -> dict[str, tuple[int, str]]:
    """Return the id and the label of the first prediction of each imported text, by text."""
    text_by_hash = {unit.cipher.fingerprint(text): text for text in texts}
    first = (
        select(MessageRow.text_hash, func.min(PredictionRow.id).label("prediction_id"))
        .join(PredictionRow, PredictionRow.message_id == MessageRow.id)
        .where(MessageRow.bot_id == IMPORT_BOT_ID)
        .group_by(MessageRow.text_hash)
        .subquery()
    )
    rows = unit.execute(
        select(first.c.text_hash, PredictionRow.id, PredictionRow.label).join(
            first, first.c.prediction_id == PredictionRow.id
        )
    )
    return {text_by_hash[row.text_hash]: (row.id, row.label) for row in rows if row.text_hash in text_by_hash}


def _execute(unit: UnitOfWork, statement: "sqlite.Insert | postgresql.Insert", rows: list[dict[str, Any]]) -> None:
    if rows:
        unit.execute(statement, rows)


def _chunks(values: list[int]) -> Iterable[list[int]]:
    return (values[start : start + _ID_CHUNK] for start in range(0, len(values), _ID_CHUNK))
