"""``thumbs corrections`` as a user runs it."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import Result
from sqlalchemy import func, select
from typer.testing import CliRunner

from cli.errors import BadCorrections, NoAdmins, UnknownPerson
from cli.main import app
from migrations.runner import upgrade
from storage.chat.people import find_person, upsert_person
from storage.db.database import Database
from storage.db.states import Consent, OfferState, Reason, RunKind, SnapshotPart, Trigger, Vote
from storage.db.tables import ConsentRow, MessageRow, PersonRow, PredictionRow, VoteRow
from storage.feedback.consensus import ConsensusState
from storage.feedback.eligibility import EligibilityRules, eligible_texts, voted_texts
from storage.feedback.label_offers import close_offer, find_offer, offer_gold
from storage.feedback.reasons import count_reasons
from storage.feedback.votes import record_reason, record_vote
from storage.models.registry import register
from storage.privacy.consent import consent_of, record_consent
from storage.privacy.erasure import erase
from storage.training.runs import claim, request_run
from storage.training.snapshots import create_snapshot, labelled_texts

StoreReview = Callable[..., Any]
Run = Callable[..., Result]
ADMIN = 11
GOOD = "A warm and funny film, wonderfully played by everyone in it."
BAD = "A dull and endless film that I walked out of after an hour."
NEITHER = "The film runs for two hours and was shot in Norway."


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


def write(path: Path, *rows: tuple[str, str, str]) -> Path:
    pd.DataFrame(rows, columns=["text", "label", "person"]).to_csv(path, index=False)
    return path


ROWS = [
    (GOOD, "positive", "ann"),
    (GOOD, "Positive", "ben"),
    (BAD, "negative", "ann"),
    (BAD, "positive", "ben"),
    (NEITHER, "neither", "ben"),
    (NEITHER, "neither", "cat"),
    ("Only one of them says something of this fine film.", "1", "cat"),
]


def count(database: Database, table: Any) -> int:
    with database.reading() as unit:
        return unit.scalars(select(func.count()).select_from(table)).one()


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


@pytest.mark.parametrize("name", ["votes.csv", "votes.csv.gz", "votes.jsonl", "votes.parquet"])
def test_an_export_has_every_vote_and_the_state_of_its_text(run: Run, tmp_path: Path, name: str) -> None:
    run("import", write(tmp_path / "in.csv", *ROWS))
    run("export", "--out", tmp_path / name)
    read = {"csv": pd.read_csv, "gz": pd.read_csv, "parquet": pd.read_parquet}
    table = (
        pd.read_json(tmp_path / name, lines=True) if "jsonl" in name else read[name.rpartition(".")[2]](tmp_path / name)
    )
    assert list(table.columns) == ["text", "label", "person", "state", "reason"]
    found = sorted(table[["text", "label", "state"]].itertuples(index=False, name=None))
    states = {GOOD: "usable", BAD: "quarantined", NEITHER: "settled"}
    words = {"positive": "Positive", "1": "Positive", "negative": "Negative", "neither": "Neither"}
    assert found == sorted((text, words[label.lower()], states.get(text, "waiting")) for text, label, _ in ROWS)
    assert table["person"].nunique() == 3


def test_usable_exports_each_eligible_text_once_and_only_with_consent(
    run: Run, database: Database, tmp_path: Path
) -> None:
    run("import", write(tmp_path / "in.csv", *ROWS))
    run("export", "--out", tmp_path / "usable.csv", "--usable")
    table = pd.read_csv(tmp_path / "usable.csv")
    assert table[["text", "label", "state"]].to_numpy().tolist() == [[GOOD, "Positive", "usable"]]
    with database.unit_of_work() as unit:
        for person in unit.scalars(select(PersonRow.id)).all():
            record_consent(unit, person, Consent.WITHDRAWN, "1")
    run("export", "--out", tmp_path / "none.csv")
    assert (tmp_path / "none.csv").read_text() == "text,label,person,state,reason\n"


def test_formulas_are_escaped_in_csv_and_restored_by_the_import(
    run: Run, database: Database, store_review: StoreReview, tmp_path: Path
) -> None:
    formula = "=HYPERLINK(1) is what I think of this lovely film"
    with database.unit_of_work() as unit:
        review = store_review(unit, formula, telegram_id=7)
        record_consent(unit, review.person_id, Consent.GRANTED, "1")
        record_vote(unit, review.person_id, review.prediction_id, Vote.RIGHT)
    run("export", "--out", tmp_path / "out.csv")
    assert pd.read_csv(tmp_path / "out.csv")["text"].tolist() == [f"'{formula}"]
    run("export", "--out", tmp_path / "out.jsonl")
    assert json.loads((tmp_path / "out.jsonl").read_text())["text"] == formula
    run("import", tmp_path / "out.csv")
    with database.reading() as unit:
        (text,) = voted_texts(unit, 2, frozenset())
        assert (text.consensus.state, len(text.votes)) == (ConsensusState.WAITING, 1), "the same text and person"


def votes_of(database: Database) -> list[tuple[int, bytes, int, str | None]]:
    """Return every stored vote: person, text, prediction and label."""
    with database.reading() as unit:
        rows = unit.execute(select(VoteRow.person_id, VoteRow.text_hash, VoteRow.prediction_id, VoteRow.label)).all()
        return sorted((row[0], row[1], row[2], row[3]) for row in rows)


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.jsonl", "out.parquet"])
def test_an_export_that_comes_back_changes_nothing(
    run: Run, database: Database, store_review: StoreReview, tmp_path: Path, name: str
) -> None:
    with database.unit_of_work() as unit:
        review = store_review(unit, "'=' is what I give this fine film", telegram_id=7)
        record_consent(unit, review.person_id, Consent.GRANTED, "1")
        record_vote(unit, review.person_id, review.prediction_id, Vote.WRONG)
    run("import", write(tmp_path / "in.csv", *ROWS))
    tables = (MessageRow, PredictionRow, VoteRow, PersonRow, ConsentRow)
    before = [count(database, table) for table in tables], votes_of(database)
    run("export", "--out", tmp_path / name)
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    run("import", tmp_path / name)
    assert ([count(database, table) for table in tables], votes_of(database)) == before


def test_reasons_are_exported_and_imported_with_their_votes(
    run: Run, database: Database, store_review: StoreReview, tmp_path: Path
) -> None:
    with database.unit_of_work() as unit:
        for text, vote, reason in ((GOOD, Vote.WRONG, Reason.SARCASM), (BAD, Vote.NEITHER, None)):
            review = store_review(unit, text, telegram_id=7)
            record_consent(unit, review.person_id, Consent.GRANTED, "1")
            record_vote(unit, review.person_id, review.prediction_id, vote)
            if reason is not None:
                record_reason(unit, review.person_id, review.prediction_id, reason)
    run("export", "--out", tmp_path / "out.csv")
    table = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert dict(zip(table["text"], table["reason"], strict=True)) == {GOOD: "sarcasm", BAD: ""}
    with database.unit_of_work() as unit:
        erase(unit, 7)
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
    run: Run, database: Database, store_review: StoreReview, tmp_path: Path
) -> None:
    with database.unit_of_work() as unit:
        review = store_review(unit, GOOD, telegram_id=7, label="Positive")
        record_consent(unit, review.person_id, Consent.GRANTED, "1")
        record_vote(unit, review.person_id, review.prediction_id, Vote.RIGHT)
    run("export", "--out", tmp_path / "out.csv")
    edited = (tmp_path / "out.csv").read_text(encoding="utf-8").replace("Positive", "Negative")
    (tmp_path / "out.csv").write_text(edited, encoding="utf-8")
    run("import", tmp_path / "out.csv")
    ((person, _, prediction, label),) = votes_of(database)
    assert (person, prediction, label) == (review.person_id, review.prediction_id, "Negative")
    assert count(database, MessageRow) == 1, "a vote in the chat is about the text in the chat"


def test_an_import_does_not_consent_for_people_of_the_chat(
    run: Run, database: Database, store_review: StoreReview, tmp_path: Path
) -> None:
    with database.unit_of_work() as unit:
        review = store_review(unit, GOOD, telegram_id=7)
        record_consent(unit, review.person_id, Consent.GRANTED, "1")
        record_vote(unit, review.person_id, review.prediction_id, Vote.RIGHT)
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


def test_no_character_in_a_text_breaks_its_row(
    run: Run, database: Database, store_review: StoreReview, tmp_path: Path
) -> None:
    texts = ["A fine film\r=HYPERLINK(1)", "A finer film\n=1+1", "The finest\r\n=1+1", 'It is "fine", they say']
    with database.unit_of_work() as unit:
        for text in texts:
            review = store_review(unit, text, telegram_id=7)
            record_consent(unit, review.person_id, Consent.GRANTED, "1")
            record_vote(unit, review.person_id, review.prediction_id, Vote.RIGHT)
    run("export", "--out", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["text"] for row in rows) == sorted(texts)


def test_only_known_formats_are_written(run: Run, tmp_path: Path) -> None:
    result = run("export", "--out", tmp_path / "votes.xlsx")
    assert result.exit_code == 2
    assert ".csv, .jsonl, .parquet" in " ".join(result.output.replace("│", " ").split())
    assert not (tmp_path / "votes.xlsx").exists()


def test_the_versions_that_used_a_persons_data_are_listed(
    run: Run, database: Database, store_review: StoreReview, tmp_path: Path
) -> None:
    with database.unit_of_work() as unit:
        review = store_review(unit, GOOD, telegram_id=7)
        record_consent(unit, review.person_id, Consent.GRANTED, "1")
        record_vote(unit, review.person_id, review.prediction_id, Vote.RIGHT)
    assert "No model used" in run("seen-by", 7).output
    with database.unit_of_work() as unit:
        run_id = request_run(unit, RunKind.FEEDBACK_ROUND, Trigger.ADMIN).run.id
        lease = claim(unit, run_id, "a worker")
        assert lease is not None
        create_snapshot(unit, lease, EligibilityRules(1, 20, 0.1), frozenset(), "one")
        (text,) = labelled_texts(unit, run_id, SnapshotPart.TRAIN)
        assert (text.message_id, text.text, text.label) == (review.message_id, GOOD, "Positive")
        register(unit, "two", "0" * 64, "models/two", run_id=run_id)
    assert json.loads(run("seen-by", 7, "--json").stdout) == ["two"]
    with pytest.raises(UnknownPerson, match="12345"):
        run("seen-by", 12345)


def test_labellers_are_rated_once_there_are_enough_votes(run: Run, tmp_path: Path) -> None:
    assert "not enough votes yet" in run("labellers").output
    people = ("ann", "ben", "cat", "dan", "eve")
    texts = [f"The film number {number} was a pleasure to watch with friends." for number in range(20)]
    labels = [
        (text, "negative" if name == "eve" and n % 3 == 0 else "positive")
        for n, text in enumerate(texts)
        for name in people
    ]
    rows = [(text, label, people[index % 5]) for index, (text, label) in enumerate(labels)]
    run("import", write(tmp_path / "in.csv", *rows))
    rows = json.loads(run("labellers", "--json").stdout)
    assert len(rows) == 5
    assert rows[0]["right"] < rows[1]["right"]
    assert "by 20 shared votes" in run("labellers").stdout


def test_answers_to_gold_questions_are_listed_the_worst_first(run: Run, database: Database) -> None:
    assert "Nobody has answered" in run("gold").output
    with database.unit_of_work() as unit:
        for telegram_id, answers in ((31, ["Positive", "Positive"]), (32, ["Negative", "Positive", "Neither"])):
            person = upsert_person(unit, telegram_id, "Someone", "en")
            for number, answer in enumerate(answers):
                offer = find_offer(unit, person.id, offer_gold(unit, person.id, f"Fine play {number}", "Positive"))
                assert offer is not None
                close_offer(unit, offer, OfferState.ANSWERED, answer)
    rows = json.loads(run("gold", "--json").stdout)
    assert [(score["answered"], score["right"]) for score in rows] == [(3, 1), (2, 2)]
    assert "1 of 3 gold questions right" in run("gold").stdout
