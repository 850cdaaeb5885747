"""Every command prints its help quickly, and every error is printed as one line."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

import cli
from cli.main import app
from core.settings import Settings

THUMBS = [sys.executable, "-m", "cli.main"]
# Takes the command's arguments, and settings as keyword arguments.
Thumbs = Callable[..., subprocess.CompletedProcess[str]]


def command_paths() -> list[tuple[str, ...]]:
    """Return every command and command group as a tuple of words."""
    paths: list[tuple[str, ...]] = [()]
    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    for name, command in root.commands.items():
        paths.append((name,))
        if isinstance(command, TyperGroup):
            paths.extend((name, inner) for inner in command.commands)
    return paths


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment with DATA_DIR as the only setting."""
    names = {name.upper() for name in Settings.model_fields}
    others = {name: value for name, value in os.environ.items() if name not in names}
    return {**others, "DATA_DIR": str(tmp_path / "var")}


@pytest.fixture
def thumbs(tmp_path: Path, environment: dict[str, str]) -> Thumbs:
    """Return a function that runs ``thumbs`` in an empty folder."""

    def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*THUMBS, *arguments],
            cwd=tmp_path,
            env={**environment, **settings},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.parametrize("path", command_paths(), ids=" ".join)
def test_every_command_has_help_with_an_example(path: tuple[str, ...], thumbs: Thumbs) -> None:
    result = thumbs(*path, "--help")
    assert result.returncode == 0
    assert "Usage: " in result.stdout
    is_group = "Commands:" in result.stdout
    assert is_group or "Example" in result.stdout, "the help has no example"
    assert not is_group or "..." not in result.stdout.split("Commands:")[1], "a summary does not fit in 80 columns"


def test_help_is_fast(thumbs: Thumbs) -> None:
    def seconds() -> float:
        started = time.perf_counter()
        thumbs("--help")
        return time.perf_counter() - started

    assert min(seconds() for _ in range(3)) < 1.0


def test_an_error_of_the_tree_is_one_line_with_its_exit_status(thumbs: Thumbs) -> None:
    result = thumbs("db", "check", ENCRYPTION_KEY="not a key")
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("The setting ENCRYPTION_KEY cannot be used")
    assert result.stderr.count("\n") == 1


def test_a_setting_of_the_wrong_type_is_an_error(thumbs: Thumbs) -> None:
    result = thumbs("db", "upgrade", RETENTION_DAYS="soon")
    assert result.returncode == 2
    assert result.stderr.startswith("The setting RETENTION_DAYS cannot be used")


@pytest.mark.parametrize("arguments", [(), ("--csv", "a.csv"), ("text", "--csv", "a.csv", "--out", "b.csv")])
def test_predict_explains_which_arguments_it_takes(arguments: tuple[str, ...], thumbs: Thumbs) -> None:
    result = thumbs("predict", *arguments)
    assert result.returncode == 2
    assert "--csv" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", [("fine-tune", "--out", "mine"), ("evaluate",)], ids=" ".join)
def test_without_reviews_a_command_explains_how_to_get_them(command: tuple[str, ...], thumbs: Thumbs) -> None:
    result = thumbs(*command)
    assert result.returncode == 2
    assert result.stderr == (
        "No labelled reviews were given. Pass --data or set IMDB_PATH. To download the IMDB reviews, run thumbs data "
        "fetch.\n"
    )


@pytest.mark.parametrize("command", [("fine-tune", "--out", "mine"), ("evaluate",)], ids=" ".join)
def test_imdb_path_is_used_unless_data_is_given(command: tuple[str, ...], thumbs: Thumbs) -> None:
    from_setting = thumbs(*command, IMDB_PATH="mine.parquet")
    assert from_setting.returncode == 2
    assert "no file or folder at mine.parquet" in from_setting.stderr
    from_option = thumbs(*command, "--data", "other.csv", IMDB_PATH="mine.parquet")
    assert "no file or folder at other.csv" in from_option.stderr


def test_an_unknown_part_is_reported_with_the_known_ones(tmp_path: Path, thumbs: Thumbs) -> None:
    (tmp_path / "a.csv").write_text("review,sentiment,split\nFine.,1,train\nPoor.,0,test\n", encoding="utf-8")
    result = thumbs("evaluate", "--data", "a.csv", "--split", "dev")
    assert result.returncode == 2
    assert result.stderr == "The reviews have no dev split; their splits are test, train.\n"


@pytest.mark.parametrize(
    ("command", "target"),
    [
        (("evaluate",), "evaluate"),
        (("fine-tune", "--out", "mine"), "finetune"),
        (("summary",), "summary"),
        (("review-head", "models/starter"), "reviewhead"),
        (("worker",), "worker"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_the_serving_environment_names_the_make_target_to_use(
    command: tuple[str, ...], target: str, tmp_path: Path, thumbs: Thumbs
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['keras'] = None\n", encoding="utf-8")
    root = Path(cli.__file__).parents[1]
    result = thumbs(*command, PYTHONPATH=os.pathsep.join([str(tmp_path), str(root)]))
    assert result.returncode == 1
    assert result.stderr.startswith(f"The thumbs {command[0]} command needs keras")
    assert f"make {target} ARGS=" in result.stderr
    assert f"\n{target}: " in (root / "Makefile").read_text(encoding="utf-8")
    assert result.stderr.count("\n") == 1


def test_a_worker_that_is_started_as_a_module_needs_the_training_environment_too(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['keras'] = None\n", encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), str(Path(cli.__file__).parents[1])])
    command = [sys.executable, "-m", "worker"]
    result = subprocess.run(
        command, cwd=tmp_path, env={**environment, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith("The thumbs worker command needs keras")


def test_model_and_compare_exclude_each_other(thumbs: Thumbs) -> None:
    result = thumbs("evaluate", "--data", "a.csv", "--model", "a", "--compare", "b", "c")
    assert result.returncode == 2
    assert "Pass either --model or --compare." in result.stderr


def test_a_new_database_is_migrated_checked_and_purged(thumbs: Thumbs) -> None:
    key = thumbs("key", "new").stdout.strip()
    before = thumbs("db", "check", ENCRYPTION_KEY=key)
    assert before.returncode == 1
    assert "thumbs db upgrade" in before.stderr
    assert thumbs("db", "upgrade").returncode == 0
    assert thumbs("db", "check", ENCRYPTION_KEY=key).returncode == 0
    purged = thumbs("db", "purge", "--json", ENCRYPTION_KEY=key)
    assert json.loads(purged.stdout) == {"messages": 0, "updates": 0, "replies": 0}
    assert "0 messages" in thumbs("db", "purge", ENCRYPTION_KEY=key).stdout
    other = thumbs("key", "new").stdout.strip()
    wrong = thumbs("db", "check", ENCRYPTION_KEY=other)
    assert wrong.returncode == 1
    assert "cannot decrypt the stored data" in wrong.stderr


def test_a_key_file_is_written_once(tmp_path: Path, thumbs: Thumbs) -> None:
    assert thumbs("key", "new", "--file", "key").returncode == 0
    key = (tmp_path / "key").read_bytes()
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    again = thumbs("key", "new", "--file", "key")
    assert again.returncode == 2
    assert (tmp_path / "key").read_bytes() == key


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_ctrl_c_and_sigterm_end_a_command_quietly_and_leave_no_file(
    tmp_path: Path, environment: dict[str, str], sent: signal.Signals, status: int
) -> None:
    os.mkfifo(tmp_path / "reviews.csv")
    program = """
import os, signal, sys
from pathlib import Path
import typer
from cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs in a shell ignore SIGINT
from cli.csv_verdicts import add_verdicts

@main.app.command()
def wait() -> None:
    add_verdicts(Path("reviews.csv"), Path("out.csv"), lambda texts: [])

sys.argv = ["thumbs", "wait"]
main.main()
"""
    command = [sys.executable, "-c", program]
    with (
        subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as process,
        (tmp_path / "reviews.csv").open("wb"),  # blocks until the command reads from the pipe
    ):
        process.send_signal(sent)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == status
    assert errors == ""
    assert [path.name for path in tmp_path.iterdir()] == ["reviews.csv"]
