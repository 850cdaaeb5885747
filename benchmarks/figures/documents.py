"""The documents with generated blocks: tables of results in one, lists of modules in the other."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.figures.tables import TABLES, Results

ROOT: Final = Path(__file__).resolve().parents[2]
DOCUMENTS: Final = (ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "architecture.md")
_RESULTS: Final = ROOT / "benchmarks" / "results"
# Alembic's own file.
_NO_MODULE: Final = "env.py"
_BLOCK: Final = re.compile(r"(<!-- (figures|rooms): (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def with_blocks(text: str) -> str:
    """Return ``text`` with every marked block generated from ``benchmarks/results`` and the modules' first lines."""

    def block(match: re.Match[str]) -> str:
        name = match[3]
        return f"{match[1]}{_room(name) if match[2] == 'rooms' else TABLES[name](_results(name))}{match[4]}"

    return _BLOCK.sub(block, text)


def _room(name: str) -> str:
    """One line for each package and module of a room, indented as they lie: its name and its docstring's first line."""
    return "\n".join(["```", f"{name}/", *_lines(ROOT / name, 1), "```"]) + "\n"


def _lines(package: Path, depth: int) -> Iterator[str]:
    modules = [path for path in package.glob("*.py") if path.name not in {"__init__.py", _NO_MODULE}]
    folders = [path.parent for path in package.glob("*/__init__.py")]
    for path in sorted([*folders, *modules], key=lambda path: (path.is_file(), path.name)):
        name = f"{'  ' * depth}{path.stem}{'/' if path.is_dir() else ''}"
        yield f"{name:<28} {_first_line(path / '__init__.py' if path.is_dir() else path)}"
        if path.is_dir():
            yield from _lines(path, depth + 1)


def _first_line(module: Path) -> str:
    docstring = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0].replace("``", "`")


def _results(name: str) -> Results:
    found: Results = json.loads((_RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return found
