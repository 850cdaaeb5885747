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


def test_the_time_left_is_estimated_from_steps_that_take_a_minute() -> None:
    now = 0.0
    bar = progress_bar()
    bar.get_time = lambda: now
    task = bar.add_task("Fine-tuning", total=10)
    for step in (1, 2, 3):
        now += 60
        bar.update(task, completed=step)
    assert bar.tasks[0].time_remaining == 7 * 60
