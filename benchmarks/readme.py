"""Puts the committed figures and the map of the house into the README, between its markers.

python -m benchmarks.readme          # rewrite README.md
python -m benchmarks.readme --check  # exit 1 when it would change
"""

import argparse
import ast
import json
import re
import sys
from pathlib import Path
from typing import Final

from benchmarks.readme_tables import TABLES, Results

README: Final = Path("README.md")
# A package's face, and Alembic's own file.
_NO_ROOM = ("__init__.py", "env.py")
_RESULTS = Path(__file__).parent / "results"
_ROOT = Path(__file__).resolve().parents[1]
_BLOCK = re.compile(r"(<!-- (figures|rooms): (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def with_figures(text: str) -> str:
    """``text`` with every marked block written anew from ``benchmarks/results`` and the modules' first lines."""

    def block(match: re.Match[str]) -> str:
        name = match[3]
        return f"{match[1]}{_room(name) if match[2] == 'rooms' else TABLES[name](_results(name))}{match[4]}"

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


def _results(name: str) -> Results:
    found: Results = json.loads((_RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    sys.exit(main())
