"""``thumbs corrections import`` as a user runs it."""

import json
from pathlib import Path

import pytest
from sqlalchemy import func, select

from cli.errors import BadCorrections, NoAdmins
from storage.chat.people import find_person, upsert_person
from storage.db.database import Database
from storage.db.states import Consent, Vote
from storage.db.tables import ConsentRow, MessageRow, PersonRow, PredictionRow, VoteRow
from storage.feedback.consensus import ConsensusState
from storage.feedback.eligibility import eligible_texts, voted_texts
from storage.privacy.consent import consent_of
from tests.correction_files import ADMIN, BAD, GOOD, ROWS, Run, count, write


def test_an_import_stores_texts_predictions_votes_and_consent(run: Run, database: Database, tmp_path: Path) -> None:
    result = run("import", write(tmp_path / "votes.csv", *ROWS), "--json")
    assert json.loads(result.stdout) == {"texts": 4, "judgements": 7, "people": 3}
    with database.reading() as unit:
        states = sorted(text.consensus.state for text in voted_texts(unit, 2, frozenset({ADMIN})))
        assert states == [
            ConsensusState.QUARANTINED,
            ConsensusState.SETTLED,
            ConsensusState.USABLE,
            ConsensusState.WAITING,
        ]
        (good,) = eligible_texts(unit, 2, frozenset({ADMIN}))
        assert (good.label, good.voted.predicted, len(good.supporters)) == ("Positive", "Positive", 2)
        assert unit.scalars(select(ConsentRow.wording)).all() == ["import"] * 3
        people = unit.scalars(select(PersonRow)).all()
        assert sorted(unit.cipher.decrypt(person.name) for person in people) == ["ann", "ben", "cat"]
        assert all(-(2**63) <= person.telegram_id < -(10**15) for person in people), "not an id of Telegram"
        verdicts = dict(unit.execute(select(VoteRow.verdict, func.count()).group_by(VoteRow.verdict)).all())
        assert verdicts[Vote.NEITHER] == 2


def test_importing_a_file_again_changes_only_changed_labels(run: Run, database: Database, tmp_path: Path) -> None:
    path = write(tmp_path / "votes.csv", *ROWS)
    run("import", path)
    tables = (MessageRow, PredictionRow, VoteRow, PersonRow, ConsentRow)
    before = [count(database, table) for table in tables]
    changed = [(BAD, "negative", "ben") if row == ROWS[3] else row for row in ROWS]
    result = run("import", write(path, *changed), "--json")
    assert json.loads(result.stdout)["texts"] == 0
    assert [count(database, table) for table in tables] == before
    with database.reading() as unit:
        assert {text.label for text in eligible_texts(unit, 2, frozenset())} == {"Positive", "Negative"}


def test_a_file_can_be_imported_as_the_admins_votes(run: Run, database: Database, tmp_path: Path) -> None:
    path = write(tmp_path / "vetted.csv", (GOOD, "positive", "ann"), (BAD, "negative", "ben"))
    run("import", path, "--as-admin")
    with database.reading() as unit:
        assert [text.label for text in eligible_texts(unit, 2, frozenset({ADMIN}))] == ["Positive", "Negative"]
        admin = find_person(unit, ADMIN)
        assert set(unit.scalars(select(VoteRow.person_id))) == {admin}
        assert admin is not None
        assert consent_of(unit, admin) is Consent.NEVER_ASKED
    with pytest.raises(NoAdmins):
        run("import", path, "--as-admin", admins="")


def test_every_invalid_row_is_reported_and_nothing_is_imported(run: Run, database: Database, tmp_path: Path) -> None:
    path = write(
        tmp_path / "bad.csv",
        (GOOD, "positive", "ann"),
        (BAD, "terrible", "ann"),
        ("", "positive", "ann"),
        (GOOD, "negative", "ann"),
        (BAD, "negative", " "),
        ("Dieser Film war leider furchtbar langweilig und viel zu lang.", "negative", "ann"),
    )
    with pytest.raises(BadCorrections) as raised:
        run("import", path)
    assert str(raised.value).splitlines()[1:] == [
        "Row 2: 'terrible' is not a label; use positive, negative or neither.",
        "Row 3: the text has no words.",
        "Row 4: the text has a different label in row 1.",
        "Row 5: the person is missing.",
        "Row 6: the text is in German, and the model reads only English.",
    ]
    assert count(database, MessageRow) == count(database, PersonRow) == 0


def test_as_admin_two_people_may_not_disagree(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "bad.csv", (GOOD, "positive", "ann"), (GOOD, "negative", "ben"))
    with pytest.raises(BadCorrections, match="Row 2: the text has a different label in row 1"):
        run("import", path, "--as-admin")


def test_a_name_in_another_case_is_the_same_person(run: Run, database: Database, tmp_path: Path) -> None:
    rows = [(GOOD, "positive", name) for name in ("Ann", "ann ", "ANN")]
    done = run("import", write(tmp_path / "in.csv", *rows), "--json")
    assert json.loads(done.stdout) == {"texts": 1, "judgements": 1, "people": 1}
    run("import", write(tmp_path / "more.csv", (GOOD, "positive", "aNN"), (GOOD, "positive", "\uff21nn")))
    assert (count(database, PersonRow), count(database, VoteRow)) == (1, 1)


def test_a_person_from_before_names_were_compared_so_is_found(run: Run, database: Database, tmp_path: Path) -> None:
    with database.unit_of_work() as unit:
        upsert_person(unit, -(2**62) - 12345, "Ann", None)
    run("import", write(tmp_path / "in.csv", (GOOD, "positive", "ann")))
    assert count(database, PersonRow) == 1


def test_texts_that_differ_in_form_only_are_one_text(run: Run, database: Database, tmp_path: Path) -> None:
    path = write(tmp_path / "bad.csv", (GOOD, "positive", "ann"), (f"{GOOD} ", "negative", "ann"))
    with pytest.raises(BadCorrections, match="Row 2: the text has a different label in row 1"):
        run("import", path)
    run("import", write(tmp_path / "one.csv", (GOOD, "positive", "ann"), (f"{GOOD} ", "positive", "ben")))
    run("import", write(tmp_path / "two.csv", (GOOD.upper(), "positive", "cat"), (f"{GOOD}!", "positive", "ann")))
    with database.reading() as unit:
        (text,) = voted_texts(unit, 2, frozenset())
        assert len(text.votes) == 3


def test_only_an_export_loses_its_apostrophes(run: Run, database: Database, tmp_path: Path) -> None:
    texts = ["'=' is the rating I would give: nothing adds up", "'- boring' says my sister, and I agree completely"]
    run("import", write(tmp_path / "in.csv", *((text, "negative", "ann") for text in texts)))
    run("export", "--out", tmp_path / "out.jsonl")
    stored = [json.loads(line)["text"] for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert sorted(stored) == sorted(texts)
