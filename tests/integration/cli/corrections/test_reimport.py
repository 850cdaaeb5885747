"""Exports that are read back by ``thumbs corrections import``, unchanged or edited."""

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from cli.errors import BadCorrections
from cli.main import app
from migrations.runner import upgrade
from storage.db.database import Database
from storage.db.states import Consent, Reason, Vote
from storage.db.tables import ConsentRow, MessageRow, PersonRow, PredictionRow, VoteRow
from storage.feedback.consensus import ConsensusState
from storage.feedback.eligibility import voted_texts
from storage.feedback.reasons import count_reasons
from storage.feedback.votes import record_reason
from storage.privacy.consent import consent_of, record_consent
from storage.privacy.erasure import erase
from tests.correction_files import AUTHOR, BAD, GOOD, ROWS, Run, StoreVote, count, votes_of, write


def test_formulas_are_escaped_in_csv_and_restored_by_the_import(
    run: Run, database: Database, store_vote: StoreVote, tmp_path: Path
) -> None:
    formula = "=HYPERLINK(1) is what I think of this lovely film"
    store_vote(formula)
    run("export", "--out", tmp_path / "out.csv")
    assert pd.read_csv(tmp_path / "out.csv")["text"].tolist() == [f"'{formula}"]
    run("export", "--out", tmp_path / "out.jsonl")
    assert json.loads((tmp_path / "out.jsonl").read_text())["text"] == formula
    run("import", tmp_path / "out.csv")
    with database.reading() as unit:
        (text,) = voted_texts(unit, 2, frozenset())
        assert (text.consensus.state, len(text.votes)) == (ConsensusState.WAITING, 1), "the same text and person"


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.jsonl", "out.parquet"])
def test_an_export_that_comes_back_changes_nothing(
    run: Run, database: Database, store_vote: StoreVote, tmp_path: Path, name: str
) -> None:
    store_vote("'=' is what I give this fine film", Vote.WRONG)
    run("import", write(tmp_path / "in.csv", *ROWS))
    tables = (MessageRow, PredictionRow, VoteRow, PersonRow, ConsentRow)
    before = [count(database, table) for table in tables], votes_of(database)
    run("export", "--out", tmp_path / name)
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    run("import", tmp_path / name)
    assert ([count(database, table) for table in tables], votes_of(database)) == before


def test_reasons_are_exported_and_imported_with_their_votes(
    run: Run, database: Database, store_vote: StoreVote, tmp_path: Path
) -> None:
    sarcastic = store_vote(GOOD, Vote.WRONG)
    store_vote(BAD, Vote.NEITHER)
    with database.unit_of_work() as unit:
        record_reason(unit, sarcastic.person_id, sarcastic.prediction_id, Reason.SARCASM)
    run("export", "--out", tmp_path / "out.csv")
    table = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert dict(zip(table["text"], table["reason"], strict=True)) == {GOOD: "sarcasm", BAD: ""}
    with database.unit_of_work() as unit:
        erase(unit, AUTHOR)
    run("import", tmp_path / "out.csv")
    with database.reading() as unit:
        assert count_reasons(unit, frozenset()) == {Reason.SARCASM: 1}
    wrong = (tmp_path / "out.csv").read_text(encoding="utf-8").replace("sarcasm", "irony")
    (tmp_path / "out.csv").write_text(wrong, encoding="utf-8")
    with pytest.raises(
        BadCorrections, match="'irony' is not a reason; use both, not_review, sarcasm, other or nothing"
    ):
        run("import", tmp_path / "out.csv")


def test_a_label_corrected_in_an_export_replaces_the_persons_vote(
    run: Run, database: Database, store_vote: StoreVote, tmp_path: Path
) -> None:
    review = store_vote(GOOD)
    run("export", "--out", tmp_path / "out.csv")
    edited = (tmp_path / "out.csv").read_text(encoding="utf-8").replace("Positive", "Negative")
    (tmp_path / "out.csv").write_text(edited, encoding="utf-8")
    run("import", tmp_path / "out.csv")
    ((person, _, prediction, label),) = votes_of(database)
    assert (person, prediction, label) == (review.person_id, review.prediction_id, "Negative")
    assert count(database, MessageRow) == 1, "a vote in the chat is about the text in the chat"


def test_an_import_does_not_consent_for_people_of_the_chat(
    run: Run, database: Database, store_vote: StoreVote, tmp_path: Path
) -> None:
    review = store_vote(GOOD)
    run("export", "--out", tmp_path / "out.csv")
    with database.unit_of_work() as unit:
        record_consent(unit, review.person_id, Consent.WITHDRAWN, "1")
    run("import", tmp_path / "out.csv")
    with database.reading() as unit:
        assert consent_of(unit, review.person_id) is Consent.WITHDRAWN
        assert list(voted_texts(unit, 1, frozenset())) == []


def test_the_author_in_a_usable_export_did_not_vote(run: Run, database: Database, tmp_path: Path) -> None:
    run("import", write(tmp_path / "in.csv", *ROWS))
    before = votes_of(database)
    run("export", "--out", tmp_path / "usable.csv", "--usable")
    with pytest.raises(BadCorrections, match="Row 1: the label is the agreed label, not this person's vote"):
        run("import", tmp_path / "usable.csv")
    assert votes_of(database) == before
    people = count(database, PersonRow)
    run("import", tmp_path / "usable.csv", "--as-admin")
    assert count(database, PersonRow) == people + 1, "only the admin is new"


def test_an_older_export_with_bare_numbers_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text(f'text,label,person,state\n"{GOOD}",Positive,3,waiting\n', encoding="utf-8")
    with pytest.raises(BadCorrections, match="Row 1: an export from an earlier version does not say who voted"):
        run("import", tmp_path / "old.csv")


def test_an_export_goes_through_another_database_and_back(
    run: Run, database: Database, keys: tuple[str, ...], tmp_path: Path
) -> None:
    run("import", write(tmp_path / "in.csv", *ROWS))
    run("export", "--out", tmp_path / "out.csv")
    upgrade(f"sqlite:///{tmp_path / 'other.db'}")
    env = {"DATABASE_URL": f"sqlite:///{tmp_path / 'other.db'}", "DATA_DIR": str(tmp_path), "ENCRYPTION_KEY": keys[0]}
    for words in (("import", tmp_path / "out.csv"), ("export", "--out", tmp_path / "back.csv")):
        done = CliRunner().invoke(app, ["corrections", *map(str, words)], env=env, catch_exceptions=False)
        assert done.exit_code == 0, done.output
    before = votes_of(database)
    run("import", tmp_path / "back.csv")
    assert votes_of(database) == before
    assert count(database, PersonRow) == 3
