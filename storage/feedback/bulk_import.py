"""Imports votes from a file, and stores the matching texts, predictions and consent."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import func, insert, or_, select

from storage.chat.messages import get_texts
from storage.db.column_types import utc_now
from storage.db.database import UnitOfWork
from storage.db.states import Consent, Reason, Vote
from storage.db.tables import ConsentRow, MessagePartRow, MessageRow, PersonRow, PredictionRow, VoteRow
from storage.feedback.eligibility import IMPORT_BOT_ID
from storage.feedback.file_people import IMPORTED_IDS_BELOW, find_or_add_people
from storage.feedback.votes import OPPOSITE
from storage.privacy.consent import TRAINING, consenting_people

# Wording recorded in the consent ledger when the bot's operator vouches for the people in the file.
WORDING: Final = "import"
# Maximum number of ids in one statement, and maximum number of texts to read at a time.
_ID_CHUNK: Final = 10_000
_TEXT_CHUNK: Final = 1_000


@dataclass(frozen=True, slots=True)
class ImportPrediction:
    """The live model's prediction for a text. See ``predictions.Prediction`` for the fields."""

    version: str
    label: str
    confidence: float
    sure: bool
    windows: int
    logits: tuple[float, float]


@dataclass(frozen=True, slots=True)
class ImportedVote:
    """A row in the file: the person's name, the text, the label (None for neither) and the reason, if any."""

    person: str
    text: str
    label: str | None
    reason: Reason | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """How many texts were new, how many votes the file contained, and how many people were found or added."""

    texts: int
    votes: int
    people: int


def imported_texts(unit: UnitOfWork, texts: Collection[str]) -> set[str]:
    """Return the ``texts`` that an earlier import stored and that still exist."""
    return set(_imported_predictions(unit, texts))


def stored_texts(unit: UnitOfWork) -> Iterator[str]:
    """Yield every text that was imported or voted on, oldest first."""
    voted = select(PredictionRow.message_id).join(VoteRow, VoteRow.prediction_id == PredictionRow.id)
    chosen = or_(MessageRow.bot_id == IMPORT_BOT_ID, MessageRow.id.in_(voted))
    ids = unit.scalars(select(MessageRow.id).where(chosen).order_by(MessageRow.id)).all()
    for chunk in _chunks(ids, _TEXT_CHUNK):
        yield from get_texts(unit, chunk).values()


def import_votes(
    unit: UnitOfWork,
    votes: Sequence[ImportedVote],
    predictions: dict[str, ImportPrediction],
    admin: int | None = None,
) -> ImportCounts:
    """Store the votes, and each new text with its prediction.

    ``predictions`` are keyed by text, with one for each text that has not been imported before. The author of a new
    text is the first person in the file who voted on it. Everyone in the file is recorded as consenting to training,
    except people that a bot knows from Telegram, because only their own answer counts. If ``admin`` (a Telegram id) is
    set, the votes are stored as that admin's votes, and each one is decisive. A later vote replaces an earlier vote by
    the same person. A vote that is already stored changes nothing.
    """
    authors: dict[str, str] = {}
    for vote in votes:
        authors.setdefault(vote.text, vote.person)
    people = find_or_add_people(unit, {vote.person for vote in votes} if admin is None else set(authors.values()))
    _record_consent(unit, people.values())
    voters = people if admin is None else dict.fromkeys((vote.person for vote in votes), _upsert_admin(unit, admin))
    given = _given_votes(unit, set(voters.values()))
    changed = [vote for vote in votes if _key(unit, vote, voters) not in given]
    needed = {vote.text for vote in changed}
    new = [text for text in authors if text in predictions and text in needed]
    _store_texts(unit, [(text, people[authors[text]]) for text in new], predictions)
    imported = _imported_predictions(unit, needed)
    targets = {_key(unit, vote, voters): _Target(*imported[vote.text], None) for vote in changed} | given
    _store_votes(unit, votes, voters, targets)
    return ImportCounts(len(new), len(votes), len(people))


@dataclass(frozen=True, slots=True)
class _Target:
    """The prediction that a vote is about, its label, and the person's existing vote on it, if any."""

    prediction_id: int
    predicted: str
    given: Vote | None


_Key = tuple[int, bytes]


def _key(unit: UnitOfWork, vote: ImportedVote, voters: dict[str, int]) -> _Key:
    return voters[vote.person], unit.cipher.fingerprint(vote.text)


def _given_votes(unit: UnitOfWork, voters: Collection[int]) -> dict[_Key, _Target]:
    """Return these people's stored votes, keyed by person and text."""
    given: dict[_Key, _Target] = {}
    for chunk in _chunks(sorted(voters), _ID_CHUNK):
        rows = unit.execute(
            select(VoteRow.person_id, VoteRow.text_hash, VoteRow.prediction_id, PredictionRow.label, VoteRow.verdict)
            .join(PredictionRow, PredictionRow.id == VoteRow.prediction_id)
            .where(VoteRow.person_id.in_(chunk))
        )
        given.update(
            {(row.person_id, row.text_hash): _Target(row.prediction_id, row.label, row.verdict) for row in rows}
        )
    return given


def _store_votes(
    unit: UnitOfWork, votes: Sequence[ImportedVote], voters: dict[str, int], targets: dict[_Key, _Target]
) -> None:
    """Store each vote on its target, unless the same vote is already stored."""
    rows = []
    for vote in votes:
        person_id, text_hash = key = _key(unit, vote, voters)
        target = targets[key]
        verdict = _vote_on(target.predicted, vote.label)
        if verdict != target.given:
            rows.append(
                {
                    "person_id": person_id,
                    "text_hash": text_hash,
                    "prediction_id": target.prediction_id,
                    "verdict": verdict,
                    "label": vote.label,
                    "reason": vote.reason,
                    "created_at": utc_now(),
                }
            )
    if not rows:
        return
    added = unit.insert(VoteRow)
    replaced = {name: added.excluded[name] for name in ("prediction_id", "verdict", "label", "reason", "created_at")}
    key_columns = [VoteRow.person_id, VoteRow.text_hash]
    unit.execute(added.on_conflict_do_update(index_elements=key_columns, set_=replaced), rows)


def _vote_on(predicted: str, label: str | None) -> Vote:
    if label is None:
        return Vote.NEITHER
    return Vote.WRONG if label == OPPOSITE[predicted] else Vote.RIGHT


def _upsert_admin(unit: UnitOfWork, telegram_id: int) -> int:
    """Find the person with this Telegram id, or add them without a name, and return their id."""
    unnamed = {"telegram_id": telegram_id, "name": unit.cipher.encrypt("")}
    unit.execute(unit.insert(PersonRow).values(unnamed).on_conflict_do_nothing())
    return unit.scalars(select(PersonRow.id).where(PersonRow.telegram_id == telegram_id)).one()


def _record_consent(unit: UnitOfWork, people: Collection[int]) -> None:
    """Record consent for the ``people`` who were imported and have not consented yet."""
    from_files = set(unit.scalars(select(PersonRow.id).where(PersonRow.telegram_id < IMPORTED_IDS_BELOW)))
    granted = set(unit.scalars(consenting_people()))
    line = {"scope": TRAINING, "consent": Consent.GRANTED, "wording": WORDING}
    rows = [{"person_id": person, **line} for person in sorted(set(people) & from_files - granted)]
    if rows:
        unit.execute(insert(ConsentRow), rows)


def _store_texts(unit: UnitOfWork, texts: Sequence[tuple[str, int]], predictions: dict[str, ImportPrediction]) -> None:
    """Store the texts as messages with one prediction each. Each text is paired with its author's id."""
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
    """Return the id and the label of each imported text's first prediction, keyed by text."""
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


def _chunks(values: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    return (values[start : start + size] for start in range(0, len(values), size))
