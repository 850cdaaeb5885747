"""Puts the committed figures and the map of the house into the README, between its markers.

python -m benchmarks.readme          # rewrite README.md
python -m benchmarks.readme --check  # exit 1 when it would change
"""

import argparse
import ast
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

README: Final = Path("README.md")
# A package's face, and Alembic's own file.
_NO_ROOM = ("__init__.py", "env.py")
_RESULTS = Path(__file__).parent / "results"
_ROOT = Path(__file__).resolve().parents[1]
_BLOCK = re.compile(r"(<!-- (figures|rooms): (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

Results = dict[str, Any]


def with_figures(text: str) -> str:
    """``text`` with every marked block written anew from ``benchmarks/results`` and the modules' first lines."""

    def block(match: re.Match[str]) -> str:
        name = match[3]
        return f"{match[1]}{_room(name) if match[2] == 'rooms' else _TABLES[name](_results(name))}{match[4]}"

    return _BLOCK.sub(block, text)


def main() -> int:
    """Rewrite or check the README; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.readme", description="Put figures into the README.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when the figures are not current")
    check = parser.parse_args().check
    before = README.read_text(encoding="utf-8")
    after = with_figures(before)
    if check and before != after:
        print("README.md is not current. Run: python -m benchmarks.readme")
        return 1
    README.write_text(after, encoding="utf-8")
    return 0


def _room(name: str) -> str:
    """One line a module of a room: its path within the room and the first line of its docstring."""
    modules = sorted(path for path in (_ROOT / name).rglob("*.py") if path.name not in _NO_ROOM)
    lines = [f"{path.relative_to(_ROOT / name).with_suffix('').as_posix():<20} {_first_line(path)}" for path in modules]
    return "\n".join(["```", f"{name}/", *(f"  {line}" for line in lines), "```"]) + "\n"


def _first_line(module: Path) -> str:
    return (
        (ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or "").partition("\n")[0].replace("``", "`")
    )


def _starter(found: Results) -> str:
    test, clean, (low, high) = found["on_test"], found["without_doubtful"], found["interval"]
    rows = [
        ("accuracy, all official test reviews", f"**{test['accuracy']:.2%}** of {test['reviews']:,}"),
        ("95 % interval", f"{low:.2%} to {high:.2%}"),
        ("accuracy without the doubtful labels", f"{clean['accuracy']:.2%} of {clean['reviews']:,}"),
        ("expected calibration error", f"{test['calibration_error']:.2%}"),
        ("answers called unsure", f"{test['unsure']:.1%}"),
        ("parameters", f"{found['parameters']:,}"),
    ]
    read = f"read in windows of {found['window']} tokens that overlap by {found['overlap']}"
    return _table(f"starter model {found['version']}", rows) + _source(found, f"{found['engine']}; {read}")


def _drive(found: Results) -> str:
    low, high = found["interval"]
    seconds = found["seconds_to_reply"]
    rows = [
        ("reviews sent, messages", f"{found['reviews']:,}, {found['messages']:,} ({found['split_reviews']} split)"),
        ("replied, doubled", f"{found['replied']:,}, {found['doubled']}"),
        ("accuracy", f"{found['accuracy']:.1%} ({low:.1%} to {high:.1%})"),
        ("seconds to the reply: median, 95 %", f"{seconds['50%']}, {seconds['95%']}"),
    ]
    people = f"{found['people_at_once']} people writing at once; a long review waits a second for its next piece"
    return _table("the running demo over HTTP", rows) + _source(found, people)


def _language(found: Results) -> str:
    english, foreign = found["english"], found["foreign"]["all"]
    short = next(row for row in english.values() if row["texts"] == 1000)
    rows = [
        ("short English reviews refused", f"{short['refused']} of {short['texts']:,} (at most {short['high']:.1%})"),
        ("foreign reviews refused", f"{foreign['refused']} of {foreign['texts']}"),
    ]
    return _table("language guard", rows) + _source(found, f"threshold {found['threshold']}, chosen on other texts")


def _fine_tuning(found: Results) -> str:
    run = found["against_trainer"]
    accuracy, ratio = run["accuracy"], run["ratio"]
    low, high = accuracy["interval"]
    lowest, highest = ratio["lowest"], ratio["highest"]
    speeds = [(f"samples a second, {name}", f"{trainer['median']:.1f}") for name, trainer in run["trainers"].items()]
    rows = [
        *speeds,
        (f"ours over {run['fastest']}", f"**{ratio['of_medians']:.2f}** ({lowest:.2f} to {highest:.2f})"),
        ("accuracy, ours and that one's", f"{accuracy['second_accuracy']:.1%}, {accuracy['first_accuracy']:.1%}"),
        ("difference, points", f"{accuracy['difference'] * 100:+.1f} ({low * 100:+.1f} to {high * 100:+.1f})"),
    ]
    versions = {name: number for trainer in run["trainers"].values() for name, number in trainer["packages"].items()}
    timed = len(next(iter(run["trainers"].values()))["step_seconds"]) * run["steps_a_block"]
    how = (
        f"{run['base']}, {run['parameters']:,} parameters, windows of {run['recipe']['window']} tokens, {run['cores']} "
        f"cores; {run['untimed_steps'] + timed} equal steps of {run['recipe']['batch_size']} in turns, {timed} of them "
        f"timed, ours with its checkpoints; accuracy on {accuracy['reviews']:,} held-out train reviews; "
        f"{', '.join(f'{name} {number}' for name, number in versions.items())}"
    )
    return _table("our fine-tuning loop and Hugging Face's Trainer", rows) + _source(found, how)


_TABLES: Final[dict[str, Callable[[Results], str]]] = {
    "starter": _starter,
    "drive": _drive,
    "language": _language,
    "fine_tuning": _fine_tuning,
}


def _results(name: str) -> Results:
    found: Results = json.loads((_RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _table(title: str, rows: list[tuple[str, str]]) -> str:
    return "\n".join([f"| {title} | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]) + "\n"


def _source(found: Results, how: str) -> str:
    where = found["provenance"]
    machine = f"{where['cpu']}, {where['cores']} cores, {where['memory_gib']} GiB"
    return f"\n{how}. Commit {where['commit'][:9]}, {machine}, {where['date'][:10]}.\n"


if __name__ == "__main__":
    sys.exit(main())
