"""Rows for every table, with the columns that it had at a given migration."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, MetaData

from storage.db.encryption import Cipher

BOT: Final = 900
ADA, BEN = 7, 8  # Telegram ids
CHAT_OF_ADA, CHAT_OF_BEN = ADA, BEN
FIRST, EDITED = "A joy to watch.", "A bore to watch."
SPLIT: Final = ("It made me laugh,", "and then it made me cry.")
UPDATE: Final = json.dumps({"update_id": 2, "message": {"text": "Still unread."}})
PENDING: Final = {"text": "👎 <b>Negative</b>", "parse_mode": "HTML"}
DECISION: Final = {"outcome": "promoted", "sentence": "Promoted: better on feedback, 60% to 75%."}
CHART: Final = b"\x89PNG of a chart"

YESTERDAY: Final = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)

Rows = dict[str, list[dict[str, Any]]]


def write_rows(connection: Connection, cipher: Cipher, encrypted_hash_key: bytes) -> None:
    """Insert rows into every table, with the columns that it has at the database's revision.

    Fail if a table has no rows here, so that nobody forgets to add some for a new migration.
    """
    schema = MetaData()
    schema.reflect(connection)
    rows = _people(cipher) | _chat(cipher) | _predictions(cipher) | _learning(cipher) | _models() | _operating(cipher)
    rows["secrets"] = [{"name": "hash_key", "value": encrypted_hash_key, "created_at": YESTERDAY}]
    for table in schema.sorted_tables:
        if table.name == "alembic_version":
            continue
        for row in rows[table.name]:
            connection.execute(table.insert().values({name: row[name] for name in row if name in table.c}))
    connection.commit()


# The rows' ids are left out: in each table they are 1, 2, 3 and so on.


def _people(cipher: Cipher) -> Rows:
    created = {"created_at": YESTERDAY}
    granted = {"consent": "granted", "wording": "1", **created}
    return {
        "people": [
            {"telegram_id": ADA, "name": cipher.encrypt("Ada"), "language": "en", "shows_percentages": True, **created},
            {"telegram_id": BEN, "name": cipher.encrypt("Ben"), "language": None, "shows_percentages": True, **created},
        ],
        "consents": [
            {"person_id": 1, "scope": "training", **granted},
            {"person_id": 1, "scope": f"notices:{BOT}", **granted},
            {"person_id": 2, "scope": "training", **granted},
            {"person_id": 2, "scope": "training", **granted, "consent": "withdrawn"},
        ],
    }


def _chat(cipher: Cipher) -> Rows:
    """Return Ada's edited review, Ben's review (split by his app), and two updates, one of them not handled yet."""

    def message(person: int, chat: int, text: str, revises: int | None) -> dict[str, Any]:
        text_hash = cipher.fingerprint(text)
        values = {"person_id": person, "bot_id": BOT, "chat_id": chat, "revises": revises, "text_hash": text_hash}
        return {**values, "created_at": YESTERDAY}

    def part(message: int, position: int, telegram_message: int, text: str) -> dict[str, Any]:
        values = {"message_id": message, "position": position, "telegram_message_id": telegram_message}
        return {**values, "text": cipher.encrypt(text)}

    def address(chat: int, telegram_message: int, message: int) -> dict[str, Any]:
        return {"bot_id": BOT, "chat_id": chat, "telegram_message_id": telegram_message, "message_id": message}

    seen = {"bot_id": BOT, "attempts": 0, "received_at": YESTERDAY, "reason": None}
    return {
        "messages": [
            message(1, CHAT_OF_ADA, FIRST, None),
            message(1, CHAT_OF_ADA, EDITED, 1),
            message(2, CHAT_OF_BEN, "\n".join(SPLIT), None),
        ],
        "message_parts": [
            part(1, 0, 11, FIRST),
            part(2, 0, 11, EDITED),
            part(3, 0, 21, SPLIT[0]),
            part(3, 1, 22, SPLIT[1]),
        ],
        "message_addresses": [address(CHAT_OF_ADA, 11, 2), address(CHAT_OF_BEN, 21, 3), address(CHAT_OF_BEN, 22, 3)],
        "updates": [
            {**seen, "update_id": 1, "telegram_id": ADA, "payload": None, "state": "handled", "finished_at": YESTERDAY},
            {**seen, "update_id": 2, "telegram_id": BEN, "payload": cipher.encrypt(UPDATE), "state": "received"},
        ],
    }


def _predictions(cipher: Cipher) -> Rows:
    """Return the verdicts, the replies that show them (the last one is still pending), and the votes."""

    def prediction(message: int, label: str, replaces: int | None = None) -> dict[str, Any]:
        values = {"message_id": message, "version": "shipped", "label": label, "confidence": 0.9, "sure": True}
        values |= {"windows": 1, "logit_0": -1.0, "logit_1": 1.0, "replaces": replaces, "created_at": YESTERDAY}
        return {**values, "corrected": True, "question_chance": 0.1, "abstention": "overruled"}

    def reply(person: int, chat: int, prediction: int, state: str, **columns: Any) -> dict[str, Any]:
        values = {"bot_id": BOT, "person_id": person, "chat_id": chat, "prediction_id": prediction, "state": state}
        payload = cipher.encrypt(json.dumps(PENDING))
        return {**values, "payload": payload, "created_at": YESTERDAY, "changed_at": YESTERDAY, **columns}

    def vote(person: int, text: str, prediction: int, verdict: str, label: str) -> dict[str, Any]:
        values = {"person_id": person, "text_hash": cipher.fingerprint(text), "prediction_id": prediction}
        return {**values, "verdict": verdict, "label": label, "reason": "sarcasm", "created_at": YESTERDAY}

    return {
        "predictions": [
            prediction(1, "Positive"),
            prediction(2, "Positive", replaces=1),
            prediction(3, "Positive"),
        ],
        "replies": [
            reply(1, CHAT_OF_ADA, 1, "sent", answers=11, telegram_message_id=12),
            reply(2, CHAT_OF_BEN, 3, "uncertain", answers=21, reason=cipher.encrypt("the connection broke")),
            reply(1, CHAT_OF_ADA, 2, "pending", answers=11, revises=1, update_id=2),
        ],
        "judgements": [
            vote(1, EDITED, 2, "wrong", "Negative"),
            vote(2, "\n".join(SPLIT), 3, "right", "Positive"),
        ],
    }


def _models() -> Rows:
    def model(version: str, location: str, *, live: bool, run: int | None) -> dict[str, Any]:
        values = {"version": version, "manifest_sha256": version[0] * 64, "location": location, "live": live}
        return {**values, "created_at": YESTERDAY, "run_id": run, "tested": 100, "tested_right": 90}

    change = {"who": None, "why": "a test says so", "created_at": YESTERDAY}
    return {
        "model_versions": [
            model("shipped", "/program/models/starter", live=False, run=None),
            model("trained", "run1-trained", live=True, run=1),
        ],
        "trials": [
            {
                "run_id": 1,
                "version": "trained",
                "champion": "shipped",
                "state": "confirmed",
                "started_at": YESTERDAY,
                "ended_at": YESTERDAY,
                "why": "the votes prove it",
            }
        ],
        "gate_looks": [
            {"run_id": 1, "champion": "shipped", "texts": 40, "alpha": 0.00625, "created_at": YESTERDAY},
            {"trial_id": 1, "champion": "shipped", "texts": 50, "alpha": 0.003, "created_at": YESTERDAY},
        ],
        "model_changes": [
            {**change, "from_version": None, "to_version": "shipped"},
            {**change, "from_version": "shipped", "to_version": "trained", "who": ADA},
        ],
        "serving": [
            {"process": "host:1", "bot_id": BOT, "version": "trained", "since": YESTERDAY, "seen_at": datetime.now(UTC)}
        ],
    }


def _learning(cipher: Cipher) -> Rows:
    """Return the run that produced the live model, and a run that is waiting for a worker."""
    run = {"trigger": "admin", "requested_by": ADA, "cancel_asked": False, "step": 0, "created_at": YESTERDAY}
    ended = {"open": False, "attempts": 1, "lease_token": 1, "snapshot_at": YESTERDAY, "finished_at": YESTERDAY}
    done = {"phase": "reviews", "phase_done": 19, "phase_total": 19, "phase_since": YESTERDAY}
    made = {
        **done,
        "champion": "shipped",
        "candidate": "trained",
        "decision": DECISION,
        "card": CHART,
        "step": 40,
        "steps": 40,
    }
    waiting = {"lease_token": 0, "phase_done": 0}
    offer = {"person_id": 2, "created_at": YESTERDAY}
    edited, gold = cipher.fingerprint(EDITED), cipher.fingerprint("A plainly good film.")
    return {
        "training_runs": [
            {**run, "kind": "feedback_round", "state": "promoted", **ended, **made, **done, "epochs": 4},
            {**run, "kind": "feedback_round", "state": "queued", "open": True, "attempts": 0, **waiting},
        ],
        "learning_pauses": [
            {"paused": True, "who": ADA, "created_at": YESTERDAY},
            {"paused": False, "who": ADA, "created_at": YESTERDAY},
        ],
        "trial_texts": [
            {"trial_id": 1, "message_id": 2, "text_hash": edited, "champion_label": "Positive"},
        ],
        "run_followers": [
            {"run_id": 2, "bot_id": BOT, "chat_id": CHAT_OF_ADA, "reply_id": 3, "shown": "waiting", "done": False}
        ],
        "snapshot_rows": [
            {"run_id": 1, "message_id": 2, "author_id": 1, "text_hash": edited, "label": "Negative", "part": "train"}
        ],
        "paused_labellers": [{"person_id": 2, "created_at": YESTERDAY}],
        "label_offers": [
            {**offer, "text_hash": edited, "prediction_id": 2, "state": "shown", "selection": "random"},
            {**offer, "text_hash": gold, "gold_label": "Positive", "state": "answered", "answer": "Positive"},
        ],
    }


def _operating(cipher: Cipher) -> Rows:
    return {
        "bots": [{"bot_id": BOT, "webhook_secret": cipher.encrypt("a-webhook-secret"), "created_at": YESTERDAY}],
        "daily_counts": [{"day": YESTERDAY.date(), "messages": 3, "people": 2}],
        "workers": [{"process": "host:2", "queues": "fine-tuning", "since": YESTERDAY, "seen_at": datetime.now(UTC)}],
        "blocked_people": [{"person_hash": cipher.fingerprint(str(BEN)), "blocked_at": YESTERDAY}],
        "reported_troubles": [{"bot_id": BOT, "kind": "failed update", "reported_at": YESTERDAY}],
    }
