"""``thumbs corrections export`` as a user runs it."""

import csv
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import select

from storage.db.database import Database
from storage.db.states import Consent
from storage.db.tables import PersonRow
from storage.privacy.consent import record_consent
from tests.correction_files import BAD, GOOD, NEITHER, ROWS, Run, StoreVote, write


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


def test_no_character_in_a_text_breaks_its_row(run: Run, store_vote: StoreVote, tmp_path: Path) -> None:
    texts = ["A fine film\r=HYPERLINK(1)", "A finer film\n=1+1", "The finest\r\n=1+1", 'It is "fine", they say']
    for text in texts:
        store_vote(text)
    run("export", "--out", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["text"] for row in rows) == sorted(texts)


def test_only_known_formats_are_written(run: Run, tmp_path: Path) -> None:
    result = run("export", "--out", tmp_path / "votes.xlsx")
    assert result.exit_code == 2
    assert ".csv, .jsonl, .parquet" in " ".join(result.output.replace("│", " ").split())
    assert not (tmp_path / "votes.xlsx").exists()
