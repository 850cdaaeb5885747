"""Fixtures that run ``thumbs corrections``, and that store votes as the chat does."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cli.main import app
from storage.db.database import Database
from storage.db.states import Consent, Vote
from storage.feedback.votes import record_vote
from storage.privacy.consent import record_consent
from tests.correction_files import ADMIN, AUTHOR, Run, StoreReview, StoreVote


@pytest.fixture
def run(database: Database, database_url: str, keys: tuple[str, ...], tmp_path: Path) -> Run:
    """Return a function that runs a command on the test's database and raises any ThumbsError."""

    def invoke(*arguments: str | Path, admins: str = str(ADMIN)) -> Result:
        env = {"DATABASE_URL": database_url, "ENCRYPTION_KEY": keys[0], "ADMIN_IDS": admins}
        env |= {"DATA_DIR": str(tmp_path / "var"), "FEEDBACK_QUORUM": "2"}
        result = CliRunner().invoke(app, ["corrections", *map(str, arguments)], env=env)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture
def store_vote(database: Database, store_review: StoreReview) -> StoreVote:
    """Return a function that stores a text from the chat, its author's consent, and their vote on its verdict."""

    def store(text: str, vote: Vote = Vote.RIGHT) -> Any:
        with database.unit_of_work() as unit:
            review = store_review(unit, text, telegram_id=AUTHOR)
            record_consent(unit, review.person_id, Consent.GRANTED, "1")
            record_vote(unit, review.person_id, review.prediction_id, vote)
        return review

    return store
