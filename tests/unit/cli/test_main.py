"""Every command reports unusable paths and impossible ids in one sentence."""

import sys
from pathlib import Path

import pytest

from cli.main import main

LONG = "x" * 300


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "--csv", LONG, "--out", "out.csv"],
        ["evaluate", "--data", LONG],
        ["corrections", "import", f"{LONG}.csv"],
        ["key", "new", "--file", LONG],
        ["data", "fetch", "--to", LONG],
    ],
)
def test_a_path_that_the_system_refuses_is_reported_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["thumbs", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert LONG in error
    assert "File name too long" in error


@pytest.mark.parametrize("number", ["99999999999999999999", "-9223372036854775809"])
def test_an_id_that_the_database_cannot_hold_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["thumbs", "corrections", "seen-by", "--", number])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert "Input should be" in capsys.readouterr().err
