"""Documented commands and settings exist, and quick commands that don't need a network succeed."""

import configparser
import importlib.util
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
import yaml
from command_line import parsed
from cryptography.fernet import Fernet
from make_env import ROLES
from paths import ROOT
from typer.core import TyperGroup

from cli.main import app
from core.paths import HOME_VARIABLE
from core.settings import Settings

PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "models/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
SETTINGS = {name.upper() for name in Settings.model_fields}
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load(COMPOSE_TEXT)
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TEST_OPTIONS = set(
    re.findall(r'addoption\("(--[\w-]+)"', (ROOT / "tests" / "e2e_options.py").read_text(encoding="utf-8"))
)
# Names in capitals that are not Thumbs settings.
OTHER_NAMES = {HOME_VARIABLE, "ALL_PROXY", "NO_PROXY", "HTTPS_PROXY", "KERAS_BACKEND", "ARGS", "VERSION", "IMDB_FOLDER"}
FILE_TOOLS = {"base64", "cat", "cd", "chmod", "chown", "cp", "echo", "head", "install", "mkdir", "rm", "tar", "tr"}
SYSTEM_TOOLS = {"createdb", "createuser", "curl", "git", "systemctl", "useradd"}
SHELL_TOOLS = FILE_TOOLS | SYSTEM_TOOLS
# Prefix that runs a command as the ``thumbs`` user.
AS_USER = ["runuser", "-u", "thumbs", "--"]
# Make targets that run a ``thumbs`` command with ARGS.
TARGET_COMMANDS = {
    "finetune": "fine-tune",
    "evaluate": "evaluate",
    "summary": "summary",
    "reviewhead": "review-head",
    "worker": "worker",
}
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`((?:\.venv[\w-]*/bin/)?thumbs [^`]+|make [a-z][^`]*|python -m [^`]+|docker compose [^`]+)`")
_ASSIGNMENT = re.compile(r"[A-Z][A-Z_]*=.*")


@dataclass(frozen=True)
class Line:
    """One shell command on a page."""

    page: Path
    text: str
    complete: bool
    """False for a command in prose, which may omit arguments."""

    @property
    def words(self) -> list[str]:
        """The command's words, without comments, leading assignments and ``runuser``."""
        words = shlex.split(self.text, comments=True)
        while words and _ASSIGNMENT.fullmatch(words[0]):
            words = words[1:]
        return words[len(AS_USER) :] if words[: len(AS_USER)] == AS_USER else words

    @property
    def assigned(self) -> list[str]:
        """The names of the variables that are set only for this command."""
        names = []
        for word in shlex.split(self.text, comments=True):
            if not _ASSIGNMENT.fullmatch(word):
                break
            names.append(word.partition("=")[0])
        return names


def blocks(page: Path, *languages: str) -> list[str]:
    """Return the contents of a page's fenced blocks in these languages, with their indentation removed."""
    found = _FENCE.findall(page.read_text(encoding="utf-8"))
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, name, text in found if name in languages]


def shell_lines() -> Iterator[Line]:
    """Yield every command in a shell block or between backticks, without pipes, redirections and ``&``."""
    for page in PAGES:
        in_blocks = [line for text in blocks(page, "sh", "bash") for line in text.replace("\\\n", " ").splitlines()]
        in_prose = _INLINE.findall(_FENCE.sub("", page.read_text(encoding="utf-8")))
        for line, complete in [*((line, True) for line in in_blocks), *((line, False) for line in in_prose)]:
            for part in re.split(r" \| | && ", line):
                text = re.sub(r" [<>] ?\S+| &$", "", part).strip()
                if text and not text.startswith("#"):
                    yield Line(page, text, complete)


LINES = list(shell_lines())


def named(line: Line) -> str:
    return f"{line.page.name}: {line.text}"


def test_the_pages_show_commands() -> None:
    assert len(LINES) > 60
    assert {"README.md", "training.md", "deployment.md", "CONTRIBUTING.md"} <= {line.page.name for line in LINES}


@pytest.mark.parametrize("line", LINES, ids=named)
def test_a_documented_command_exists_with_its_options(line: Line) -> None:
    assert set(line.assigned) <= SETTINGS | OTHER_NAMES
    program, *arguments = line.words
    match Path(program).name:
        case "thumbs":
            _check_thumbs(arguments, line.complete)
        case "make":
            _check_make(arguments)
        case "python" | "python3":
            _check_python(arguments)
        case "docker":
            _check_compose(arguments)
        case tool:
            assert tool in SHELL_TOOLS


def _check_thumbs(arguments: list[str], complete: bool) -> None:
    if complete:
        parsed(arguments)
        return
    command = typer.main.get_command(app)
    words = iter(arguments)
    while isinstance(command, TyperGroup) and (word := next(words, "--help")) != "--help":
        assert word in command.commands, f"there is no command {word}"
        command = command.commands[word]
    options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    assert {word for word in words if word.startswith("-")} <= options


def _check_make(arguments: list[str]) -> None:
    target, *variables = arguments
    assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), f"there is no make target {target}"
    for variable in variables:
        name, _, value = variable.partition("=")
        assert name in {"ARGS", "PYTHON"}
        if target in TARGET_COMMANDS:
            parsed([TARGET_COMMANDS[target], *shlex.split(value)])
        else:
            words = shlex.split(value)
            assert all((ROOT / word).exists() for word in words if word.startswith("tests/"))
            assert {word for word in words if word.startswith("--")} <= TEST_OPTIONS


def _check_python(arguments: list[str]) -> None:
    if arguments[0] == "requirements/make_env.py":
        assert (ROOT / arguments[0]).is_file()
        assert arguments[1] in ROLES
        return
    assert arguments[0] == "-m"
    module, *rest = arguments[1:]
    found = importlib.util.find_spec(module)
    assert found is not None, f"there is no module {module}"
    assert found.origin is not None
    package = Path(found.origin).parent
    sources = "".join(path.read_text(encoding="utf-8") for path in [*package.glob("*.py"), *_shared_options()])
    for option in (word for word in rest if word.startswith("--")):
        assert f'"{option}"' in sources, f"{module} has no option {option}"


def _shared_options() -> Iterator[Path]:
    return (ROOT / "benchmarks" / "common").glob("*.py")


def _check_compose(arguments: list[str]) -> None:
    if arguments[:2] == ["volume", "rm"]:
        assert set(arguments[2:]) <= {f"{COMPOSE['name']}_{volume}" for volume in COMPOSE["volumes"]}
        return
    assert arguments[0] == "compose"
    if "cp" in arguments:
        (place,) = (word for word in arguments if ":" in word)
        service, _, path = place.partition(":")
        assert any(volume.endswith(f":{Path(path).parent}") for volume in COMPOSE["services"][service]["volumes"])
        return
    profiles = {name for service in COMPOSE["services"].values() for name in service.get("profiles", [])}
    if arguments[1] == "run":
        _check_compose_run(arguments[2:])
        return
    words = iter(arguments[1:])
    for word in words:
        if word == "--profile":
            assert next(words) in profiles
        elif word.startswith("-"):
            assert word in {"--build", "--detach", "--follow", "--quiet"}
        else:
            assert word in {"config", "down", "logs", "stop", "up"} | set(COMPOSE["services"])


def _check_compose_run(arguments: list[str]) -> None:
    """Check ``docker compose run``: the image's entry point is ``thumbs``, so its subcommand follows the service."""
    words = iter(arguments)
    for word in words:
        if word == "--volume":
            next(words)
        elif word != "--rm":
            break
    assert word in COMPOSE["services"]
    parsed(list(words))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_documented_setting_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    backticked = set(re.findall(r"`([A-Z][A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`", text))
    environment = [block for block in blocks(page, "ini") if "[Unit]" not in block]
    assigned = {line.partition("=")[0] for block in environment for line in block.splitlines() if "=" in line}
    compose = set(re.findall(r"\$\{(\w+):", COMPOSE_TEXT))
    allowed = SETTINGS | compose | OTHER_NAMES
    # Decisions also name OpenVINO settings and constants.
    foreign = {"INFERENCE_PRECISION_HINT", "DYNAMIC_QUANTIZATION_GROUP_SIZE", "PR_SET_PDEATHSIG"}
    assert backticked | assigned <= allowed | (foreign if "decisions" in page.parts else set())


def test_the_systemd_units_start_commands_that_exist() -> None:
    units = [block for page in PAGES for block in blocks(page, "ini") if "[Unit]" in block]
    assert len(units) == 2
    for text in units:
        unit = configparser.ConfigParser(interpolation=None)
        unit.optionxform = str  # type: ignore[assignment, method-assign]
        unit.read_string(text)
        assert set(unit.sections()) == {"Unit", "Service", "Install"}
        program, *arguments = shlex.split(unit["Service"]["ExecStart"])
        home = unit["Service"]["WorkingDirectory"]
        folders = {role.folder for role in ROLES.values()}
        assert program in {f"{home}/{folder}/bin/thumbs" for folder in folders}
        parsed(arguments)


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that resembles the project's: it has models, some reviews, and ``thumbs`` in ``.venv/bin``."""
    place = tmp_path_factory.mktemp("project")
    (place / "models").symlink_to(ROOT / "models")
    commands = place / ".venv" / "bin"
    commands.mkdir(parents=True)
    thumbs = commands / "thumbs"
    thumbs.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cli.main "$@"\n', encoding="utf-8")
    thumbs.chmod(0o755)
    (place / "reviews.csv").write_text("review\nA good film.\nA dull and endless film.\n", encoding="utf-8")
    (place / "labelled.csv").write_text("text,label,person\nA good film.,Positive,Ben\n", encoding="utf-8")
    return place


def run(place: Path, script: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a documented shell block in ``place``, without this process's settings."""
    environment = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    paths = {
        "PATH": f"{place / '.venv' / 'bin'}:{environment['PATH']}",
        "PYTHONPATH": str(ROOT),
        HOME_VARIABLE: str(place),
    }
    result = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=place,
        env={**environment, **paths, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, f"{script}\n{result.stdout}{result.stderr}"
    return result


def block_with(page: str, words: str) -> str:
    """Return the only shell block on a page that contains ``words``."""
    [found] = [text for text in blocks(ROOT / page, "sh") if words in text]
    return found


def test_the_readme_predicts(workplace: Path) -> None:
    result = run(workplace, block_with("README.md", "thumbs predict"))
    assert result.stdout.startswith("Positive (")
    assert (workplace / "verdicts.csv").read_text(encoding="utf-8").count("\n") == 3


def test_the_readme_prepares_the_bot_on_telegram(workplace: Path) -> None:
    run(workplace, block_with("README.md", "thumbs key new"))
    env = next(text for text in blocks(ROOT / "README.md", "ini") if "TELEGRAM_TOKEN" in text)
    (workplace / ".env").write_text(env, encoding="utf-8")
    [database] = [text for text in blocks(ROOT / "README.md", "sh") if "thumbs db upgrade" in text]
    run(workplace, database.replace("make run", "thumbs db check"))
    assert Settings(_env_file=workplace / ".env").token.startswith("123456:")


def test_a_database_is_checked_purged_and_exported_as_documented(workplace: Path) -> None:
    for command in ("db check", "db purge", "models list", "broker check"):
        assert any(line.words[1:] == command.split() for line in LINES if line.words[0].endswith("thumbs")), command
        run(workplace, f"thumbs {command}", ENCRYPTION_KEY_FILE="thumbs.key")
    export = next(line.text for line in LINES if line.text.startswith("thumbs corrections export"))
    run(workplace, export, ENCRYPTION_KEY_FILE="thumbs.key")
    assert (workplace / "corrections.csv").is_file()


def test_keys_are_rotated_as_documented(workplace: Path) -> None:
    old = (workplace / "thumbs.key").read_text(encoding="utf-8")
    marks = ("> /etc/thumbs/both.key", "both.key runuser", "> /etc/thumbs/key", "rm /etc/thumbs/new.key")
    steps = [block_with("docs/deployment.md", mark) for mark in marks]
    for step in steps:
        here = step.replace("/etc/thumbs/key", "thumbs.key").replace("/etc/thumbs/", "")
        for words in ("/srv/thumbs/.venv/bin/", "runuser -u thumbs -- ", "-o thumbs -g thumbs "):
            here = here.replace(words, "")
        run(workplace, here.replace("systemctl", "true"), ENCRYPTION_KEY_FILE="thumbs.key")
    run(workplace, "thumbs db check", ENCRYPTION_KEY_FILE="thumbs.key")
    assert (workplace / "thumbs.key").read_text(encoding="utf-8") != old
    assert not {"new.key", "both.key"} & {path.name for path in workplace.iterdir()}


@pytest.mark.parametrize("page", ["README.md", "docs/deployment.md"])
def test_the_secrets_of_compose_are_made_as_documented(page: str, tmp_path: Path) -> None:
    script = block_with(page, "mkdir -m 700 secrets").replace("docker compose", "true docker compose")
    run(tmp_path, script)
    folder = tmp_path / "secrets"
    assert {path.name for path in folder.iterdir()} == set(COMPOSE["secrets"])
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o644}
    Fernet((folder / "encryption_key").read_text(encoding="utf-8").strip())


def test_the_settings_pages_are_written_as_documented(workplace: Path) -> None:
    commands = [line for line in LINES if line.page.name == "CONTRIBUTING.md" and "thumbs settings" in line.text]
    assert len(commands) == 2
    assert run(workplace, "thumbs settings").stdout == (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
