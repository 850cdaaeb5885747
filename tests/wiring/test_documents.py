"""The documents match the committed results, and their lists, links and paths match the project."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from paths import ROOT

from benchmarks.figures.documents import DOCUMENTS, with_blocks
from bot.admin import handlers as admin_handlers
from bot.labelling import handlers as label_handlers
from bot.privacy import handlers as privacy_handlers
from bot.reviews import handlers as review_handlers

README = ROOT / "README.md"
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
_WHOLE = re.MULTILINE | re.DOTALL
ROOMS = {path.parent.name for path in ROOT.glob("*/__init__.py")}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_generated_blocks_are_current(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    assert with_blocks(text) == text


def test_the_architecture_lists_every_room() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert set(re.findall(r"<!-- rooms: (\w+) -->", text)) == ROOMS - {"benchmarks"}


@pytest.mark.parametrize("page", [README, ROOT / "docs" / "architecture.md", DECISIONS[1]], ids=relative)
def test_the_drawing_of_the_levels_names_every_room(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    drawing = next(block for block in re.findall(r"^```\w*\n(.*?)^```$", text, _WHOLE) if re.match(r"cli\s", block))
    first_words = [re.match(r"\w+(?: \| \w+)*", line) for line in drawing.splitlines()]
    assert {name for found in first_words if found for name in found[0].split(" | ")} == ROOMS - {"benchmarks"}
    assert len(first_words) == 5


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for link, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)]*))?\)", text):
        if "://" in link:
            continue
        target = page.parent / link if link else page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    if page.name == "0016-names.md":
        # The old names are in the column before the new names.
        text = "\n".join(re.sub(r"^\| `[^|]*\| (`[^|]*/)", r"| \1", line) for line in text.splitlines())
    roots = "|".join([*sorted(ROOMS), "tests", "docs", "models", "requirements"])
    for name in re.findall(rf"`((?:{roots})/[\w./-]+)`", text):
        candidates = [ROOT / name, ROOT / f"{name}.py"]
        assert any(path.exists() for path in candidates), name


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_make_target_on_a_page_exists(page: Path) -> None:
    targets = set(re.findall(r"^(\w+):[a-z ]*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make (\w+)", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("page", DECISIONS, ids=relative)
def test_a_decision_has_number_date_status_and_the_same_headings(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.match(rf"# {page.name[:4]}\. .+\n\n- Date: \d{{4}}-\d\d-\d\d\n- Status: (accepted|superseded)", text)
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences", "Evidence"]
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    assert f"](decisions/{page.name})" in index


def test_the_decision_on_layers_lists_the_layers_inside_the_rooms() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = [each for each in project["tool"]["importlinter"]["contracts"] if "containers" in each]
    text = DECISIONS[1].read_text(encoding="utf-8")
    for contract in contracts:
        [room] = contract["containers"]
        layers = [layer.split(" | ") for layer in contract["layers"] if layer != "__main__"]
        row = "; ".join(" \\| ".join(f"`{name}`" for name in names) for names in layers)
        # These two rooms have many modules, so the table summarises the modules.
        assert f"| `{room}` | {row} |" in text or room in {"cli", "core"}


def test_decisions_are_numbered_without_gaps() -> None:
    assert [path.name[:4] for path in DECISIONS] == [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]


def test_the_readme_is_short() -> None:
    assert README.stat().st_size <= 9_216


def test_the_readme_lists_the_commands_of_the_chat() -> None:
    rows = re.findall(r"^\| (`/.*?) \|", README.read_text(encoding="utf-8"), re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"/(\w+)", row)]
    handlers = (review_handlers.COMMANDS, privacy_handlers.COMMANDS, label_handlers.COMMANDS)
    admin = (admin_handlers.COMMANDS, label_handlers.ADMIN_COMMANDS)
    assert sorted(named) == sorted(name for names in (*handlers, *admin) for name in names)


def test_the_readme_states_the_committed_results() -> None:
    text = README.read_text(encoding="utf-8")
    chaos = list(_results("chaos")["transports"].values())
    drive, value = _results("drive"), _results("feedback_value")
    imdb = _results("domains")["reported"][0]["figures"]["sets"]["imdb"]
    random = value["domains"]["rotten_tomatoes"]["groups"][0]
    kills, runs = (sum(run[name] for run in chaos) for name in ("kills", "runs"))
    lost, twice = sum(run["lost"] for run in chaos), sum(run["most_promotions"] > 1 for run in chaos)
    bots = [lane for name, lane in _results("delivery")["lanes"].items() if name != "plain-bot"]
    bot_kills, texts, texts_lost, doubled = (
        sum(lane[name] for lane in bots) for name in ("kills", "texts", "lost", "doubled")
    )
    figures = {
        f"IMDB's official test reviews ({imdb['texts']:,} different ones)": f"{imdb['accuracy']:.2%}",
        f"{drive['people_at_once']} people writing at once": f"{drive['seconds_to_reply']['50%']} s",
        "Hugging Face's Trainer": f"at least {_results('fine_tuning')['against_trainer']['ratio']['lowest']:.2f} times",
        f"{random['votes']} corrections": f"{random['lift']['mean'] * 100:+.1f} and "
        f"{random['imdb_change']['mean'] * 100:+.1f} points",
        "first reply of the new model": f"{_results('learning_loop')['rounds'][1]['retrain_to_live']:.0f} s",
        f"{kills} processes killed during {runs} training runs": f"{lost}, {twice}",
        f"{bot_kills} kills of the bot while people wrote {texts:,} texts": f"{texts_lost}, {doubled}",
    }
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    for words, figure in figures.items():
        assert [row[1] for row in rows if words in row[0]] == [figure]


def _results(name: str) -> Any:
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text(encoding="utf-8"))
