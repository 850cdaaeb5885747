"""The offline parts of the scripts that make environments and locks."""

import fcntl
import subprocess
import sys
import threading
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import make_env
import make_locks
import pytest

PROJECT = tomllib.loads((make_locks.ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """Return a folder that looks like a complete environment with the digest 'now'."""
    python = make_env.python_in(tmp_path)
    python.parent.mkdir()
    python.touch()
    (tmp_path / make_env.STAMP).write_text("now\n", encoding="utf-8")
    return tmp_path


def test_the_stamp_decides_whether_an_environment_is_current(finished: Path) -> None:
    assert make_env.is_current(finished, "now")
    assert not make_env.is_current(finished, "later")


def test_an_interrupted_environment_is_not_current(finished: Path) -> None:
    (finished / make_env.STAMP).unlink()
    assert not make_env.is_current(finished, "now")


def test_an_environment_without_its_python_is_not_current(finished: Path) -> None:
    make_env.python_in(finished).unlink()
    assert not make_env.is_current(finished, "now")


def test_a_second_installation_of_an_environment_waits_for_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    built: list[str] = []
    first_started, second_waits, may_finish = threading.Event(), threading.Event(), threading.Event()
    flock = fcntl.flock

    def flock_and_report(file: IO[str], operation: int) -> None:
        if not operation & fcntl.LOCK_NB:
            second_waits.set()
        flock(file, operation)

    def build(role: make_env.Role, folder: Path) -> None:
        built.append(role.folder)
        first_started.set()
        assert may_finish.wait(20)
        make_env.python_in(folder).parent.mkdir(parents=True)
        make_env.python_in(folder).touch()

    monkeypatch.setattr(make_env, "ROOT", tmp_path)
    monkeypatch.setattr(make_env, "digest", lambda role: "now")
    monkeypatch.setattr(make_env, "build", build)
    monkeypatch.setattr(make_env.fcntl, "flock", flock_and_report)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(make_env.main, ["serve"])
        assert first_started.wait(20)
        second = pool.submit(make_env.main, ["serve"])
        assert second_waits.wait(20)
        errors = capfd.readouterr().err
        may_finish.set()
        assert "Another command is installing .venv; waiting for it" in errors
        assert (first.result(20), second.result(20)) == (0, 0)
    assert built == [".venv"]


def test_a_half_removed_environment_is_not_current(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(folder: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(make_env.shutil, "rmtree", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make_env.build(make_env.ROLES["serve"], finished)
    assert not make_env.is_current(finished, "now")


def test_a_failed_installation_leaves_no_stamp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("pyproject.toml", "requirements"):
        (tmp_path / name).symlink_to(make_env.ROOT / name)
    role = make_env.Role("env", ("serve.lock",), False, "nothing")
    monkeypatch.setattr(make_env, "ROOT", tmp_path)
    monkeypatch.setattr(make_env, "ROLES", {"serve": role})

    def fail(*_: object) -> None:
        raise subprocess.CalledProcessError(1, "pip")

    monkeypatch.setattr(make_env, "install", fail)
    assert make_env.main(["serve"]) == 1
    assert make_env.python_in(tmp_path / "env").exists()
    assert not make_env.is_current(tmp_path / "env", make_env.digest(role))
    assert "Installing env failed" in capsys.readouterr().err


def test_a_changed_lock_or_project_makes_an_environment_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_env, "ROOT", tmp_path)
    (tmp_path / "requirements").mkdir()
    lock, project = tmp_path / "requirements" / "serve.lock", tmp_path / "pyproject.toml"
    role = make_env.ROLES["serve"]
    tables = (
        '[build-system]\nrequires = []\n[project]\nname = "{name}"\n[tool.setuptools]\n[tool.ruff]\nwidth = {width}\n'
    )
    seen = []
    for version, name, width in [("1", "thumbs", 1), ("1", "thumbs", 2), ("2", "thumbs", 2), ("2", "other", 2)]:
        lock.write_text(f"numpy=={version}\n", encoding="utf-8")
        project.write_text(tables.format(name=name, width=width), encoding="utf-8")
        seen.append(make_env.digest(role))
    assert seen[0] == seen[1], "an environment does not depend on the linter's settings"
    assert len(set(seen[1:])) == 3


@pytest.mark.parametrize("arguments", [[], ["absent"], ["serve", "dev"]])
def test_an_unknown_role_prints_the_usage(arguments: list[str]) -> None:
    script = [sys.executable, str(make_env.ROOT / "requirements" / "make_env.py")]
    result = subprocess.run([*script, *arguments], capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "serve|dev" in result.stderr


def test_the_locks_match_the_project() -> None:
    assert make_locks.main(["--check"]) == 0


def test_a_new_dependency_makes_the_locks_stale() -> None:
    table = PROJECT["project"]
    changed = {**PROJECT, "project": {**table, "dependencies": [*table["dependencies"], "left-pad"]}}
    stale = " ".join(make_locks.stale(changed))
    assert all(f"{name}.lock does not match pyproject.toml" in stale for name in ("serve", "train", "gpu", "dev"))
    assert "peers" not in stale


HASH = "--hash=sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f"numpy==2.4.6 {HASH}\n", None),
        (f"# a comment\nnumpy==2.4.6 ; python_version < '3.12' \\\n    {HASH} \\\n    {HASH}\n", None),
        ("numpy==2.4.6\n", "no version and hash for: numpy==2.4.6"),
        (f"numpy>=2 {HASH}\n", "no version and hash for: numpy>=2"),
        ("--index-url https://packages.example.org/simple\n", "has a URL"),
        (f"numpy @ https://packages.example.org/numpy.whl {HASH}\n", "has a URL"),
    ],
)
def test_every_line_of_a_lock_has_a_version_and_a_hash(tmp_path: Path, text: str, fault: str | None) -> None:
    lock = tmp_path / "some.lock"
    lock.write_text(text, encoding="utf-8")
    faults = make_locks.faults_in(lock)
    assert bool(faults) == (fault is not None)
    assert fault is None or fault in faults[0]
