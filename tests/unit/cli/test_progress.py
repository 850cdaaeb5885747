"""Progress bars appear only on a terminal. Elsewhere, a line is printed now and then."""

import re
from pathlib import Path

import pytest

from cli import progress
from cli.progress import file_progress_bar, progress_bar


def test_short_work_prints_nothing_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
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


def test_the_time_left_is_estimated_from_steps_that_take_a_minute() -> None:
    now = 0.0
    bar = progress_bar()
    bar.get_time = lambda: now
    task = bar.add_task("Fine-tuning", total=10)
    for step in (1, 2, 3):
        now += 60
        bar.update(task, completed=step)
    assert bar.tasks[0].time_remaining == 7 * 60


def test_long_work_prints_lines_with_percentage_and_time_left_without_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    with progress_bar("loss {task.fields[loss]:.1f}") as bar:
        task = bar.add_task("Fine-tuning", total=None, loss=0.5)
        bar.update(task)
        for step in range(1, 4):
            bar.update(task, total=8, completed=step)
        bar.advance(task)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Fine-tuning: 0 done, loss 0.5"
    assert lines[1] == "Fine-tuning: 12%, loss 0.5"
    assert re.fullmatch(r"Fine-tuning: 50%, loss 0\.5, \d:\d\d:\d\d left", lines[-1]), lines


def test_a_file_prints_lines_with_the_rows_without_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    path = tmp_path / "reviews.csv"
    path.write_text("text\n" * 20, encoding="ascii")
    with file_progress_bar(path) as on_progress:
        on_progress(50, 10)
    assert capsys.readouterr().err.startswith("reviews.csv: 50%, 10 rows, ")
