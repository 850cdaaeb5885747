"""Judged texts that an admin brings in a file: texts, predictions, judgements, and the consent that goes with them."""

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

# The version of the ledger's question: who runs the bot vouches for the people of the file.
WORDING: Final = "import"
# Telegram's ids of people and of groups lie nearer to zero, so an id below this is nobody's there.
_NOBODY_BELOW: Final = -(2**62)
# Ids in a statement; SQLite takes 32,766 values.
_IDS_AT_ONCE: Final = 10_000


@dataclass(frozen=True, slots=True)
class ImportPrediction:
    """What the model says of a text; the fields are those of ``predictions.Prediction``."""

    version: str
    label: str
    confidence: float
    sure: bool
    windows: int
    logits: tuple[float, float]


@dataclass(frozen=True, slots=True)
class ImportedVote:
    """What a person of a file says of a text: ``label``, or None for neither sentiment. People go by their names."""

    person: str
    text: str
    label: str | None


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """How many texts were new, how many judgements there were, and how many people of the file were needed."""

    texts: int
    votes: int
    people: int


def imported_texts(unit: UnitOfWork, texts: Collection[str]) -> set[str]:
    """Those of ``texts`` that a file brought before, and that are still there with their predictions."""
    return set(_predictions(unit, texts))


def import_votes(
    unit: UnitOfWork, said: Sequence[ImportedVote], predicted: dict[str, ImportPrediction], admin: int | None = None
) -> ImportCounts:
    """Keep what people say, with a prediction for each text that is not known; their newest word holds.

    A text is its first person's, who consents to training as everybody in the file does. With ``admin``, a Telegram id,
    the judgements are that admin's instead, whose word is final.
    """
    authors: dict[str, str] = {}
    for one in said:
        authors.setdefault(one.text, one.person)
    people = _meet(unit, {one.person for one in said} if admin is None else set(authors.values()))
    _consent(unit, people.values())
    new = [text for text in authors if text in predicted]
    _store(unit, [(text, people[authors[text]]) for text in new], predicted)
    judges = people if admin is None else dict.fromkeys((one.person for one in said), _met(unit, admin))
    _judge(unit, said, judges)
    return ImportCounts(len(new), len(said), len(people))


def _judge(unit: UnitOfWork, said: Sequence[ImportedVote], judges: dict[str, int]) -> None:
    predictions = _predictions(unit, {one.text for one in said})
    rows = [
        {
            "person_id": judges[one.person],
            "text_hash": unit.cipher.fingerprint(one.text),
            "prediction_id": predictions[one.text][0],
            "verdict": _verdict(predictions[one.text][1], one.label),
            "label": one.label,
            "created_at": utc_now(),
        }
        for one in said
    ]
    added = unit.insert(VoteRow)
    fresh = {name: added.excluded[name] for name in ("prediction_id", "verdict", "label", "created_at")}
    key = [VoteRow.person_id, VoteRow.text_hash]
    _execute(unit, added.on_conflict_do_update(index_elements=key, set_=fresh), rows)


def _verdict(predicted: str, label: str | None) -> Vote:
    if label is None:
        return Vote.NEITHER
    return Vote.WRONG if label == OPPOSITE[predicted] else Vote.RIGHT


def _meet(unit: UnitOfWork, names: Iterable[str]) -> dict[str, int]:
    """The people with these names, found or added, by name."""
    ids = {name: _nobody(unit.cipher.fingerprint(f"person of a file: {name}")) for name in sorted(names)}
    rows = [{"telegram_id": number, "name": unit.cipher.encrypt(name)} for name, number in ids.items()]
    _execute(unit, unit.insert(PersonRow).on_conflict_do_nothing(), rows)
    found: dict[int, int] = {}
    for some in _chunks(list(ids.values())):
        met = select(PersonRow.telegram_id, PersonRow.id).where(PersonRow.telegram_id.in_(some))
        found.update(unit.execute(met).all())
    return {name: found[number] for name, number in ids.items()}


def _met(unit: UnitOfWork, telegram_id: int) -> int:
    """The person with this Telegram id, found or added without a name."""
    empty = {"telegram_id": telegram_id, "name": unit.cipher.encrypt("")}
    unit.execute(unit.insert(PersonRow).values(empty).on_conflict_do_nothing())
    return unit.scalars(select(PersonRow.id).where(PersonRow.telegram_id == telegram_id)).one()


def _nobody(digest: bytes) -> int:
    """An id that fits 64 bits and is no Telegram user's or group's."""
    return _NOBODY_BELOW - (int.from_bytes(digest[:8], "big") >> 2)


def _consent(unit: UnitOfWork, people: Collection[int]) -> None:
    granted = set(unit.scalars(consenting_people()))
    line = {"scope": TRAINING, "consent": Consent.GRANTED, "wording": WORDING}
    rows = [{"person_id": person, **line} for person in sorted(people) if person not in granted]
    if rows:
        unit.execute(insert(ConsentRow), rows)


def _store(unit: UnitOfWork, texts: Sequence[tuple[str, int]], predicted: dict[str, ImportPrediction]) -> None:
    """Add texts, each with its author, as messages with one prediction each."""
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
    parts, predictions = [], []
    for message_id, (text, _) in zip(ids, texts, strict=True):
        part = {"message_id": message_id, "position": 0, "telegram_message_id": 0}
        parts.append({**part, "text": unit.cipher.encrypt(text)})
        predictions.append({"message_id": message_id, **_columns(predicted[text])})
    unit.execute(insert(MessagePartRow), parts)
    unit.execute(insert(PredictionRow), predictions)


def _columns(predicted: ImportPrediction) -> dict[str, Any]:
    names = ("version", "label", "confidence", "sure", "windows")
    logit_0, logit_1 = predicted.logits
    return {**{name: getattr(predicted, name) for name in names}, "logit_0": logit_0, "logit_1": logit_1}


def _predictions(unit: UnitOfWork, texts: Collection[str]) -> dict[str, tuple[int, str]]:
    """The first prediction of each text that a file brought: its id and its label, by text."""
    wanted = {unit.cipher.fingerprint(text): text for text in texts}
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
    return {wanted[row.text_hash]: (row.id, row.label) for row in rows if row.text_hash in wanted}


def _execute(unit: UnitOfWork, statement: "sqlite.Insert | postgresql.Insert", rows: list[dict[str, Any]]) -> None:
    if rows:
        unit.execute(statement, rows)


def _chunks(values: list[int]) -> Iterable[list[int]]:
    return (values[start : start + _IDS_AT_ONCE] for start in range(0, len(values), _IDS_AT_ONCE))
