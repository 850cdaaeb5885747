"""Progress bars appear only on a terminal."""

import pytest

from cli.progress import progress_bar


def test_nothing_is_drawn_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("loss {task.fields[loss]}") as bar:
        bar.advance(bar.add_task("Working", total=2, loss=0.5))
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_a_terminal_shows_the_fields(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with progress_bar("loss {task.fields[loss]}") as bar:
        bar.advance(bar.add_task("Working", total=2, loss=0.5))
    assert "loss 0.5" in capsys.readouterr().err
