"""Generates the marked blocks: tables in docs/benchmarks.md, and lists of modules in docs/architecture.md."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.figures.blocks import BLOCKS

ROOT: Final = Path(__file__).resolve().parents[2]
DOCUMENTS: Final = (ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "architecture.md")
_RESULTS: Final = ROOT / "benchmarks" / "results"
# Alembic's own script. The lists omit it.
_ALEMBIC_SCRIPT: Final = "env.py"
_BLOCK: Final = re.compile(r"(<!-- (figures|rooms): (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def with_blocks(text: str) -> str:
    """Return ``text`` with all marked blocks regenerated from ``benchmarks/results`` and the modules' docstrings."""

    def block(match: re.Match[str]) -> str:
        content = _module_list(match[3]) if match[2] == "rooms" else figures_block(match[3])
        return f"{match[1]}{content}{match[4]}"

    return _BLOCK.sub(block, text)


def figures_block(name: str) -> str:
    """Return the generated Markdown for one block in docs/benchmarks.md."""
    block = BLOCKS[name]
    return block.render(json.loads((_RESULTS / f"{block.results}.json").read_text(encoding="utf-8")))


def _module_list(room: str) -> str:
    """Return a line for each package and module in a room: its indented name and the first line of its docstring."""
    return "\n".join(["```", f"{room}/", *_module_lines(ROOT / room, 1), "```"]) + "\n"


def _module_lines(package: Path, depth: int) -> Iterator[str]:
    modules = [path for path in package.glob("*.py") if path.name not in {"__init__.py", _ALEMBIC_SCRIPT}]
    folders = [path.parent for path in package.glob("*/__init__.py")]
    for path in sorted([*folders, *modules], key=lambda path: (path.is_file(), path.name)):
        name = f"{'  ' * depth}{path.stem}{'/' if path.is_dir() else ''}"
        yield f"{name:<28} {_first_line(path / '__init__.py' if path.is_dir() else path)}"
        if path.is_dir():
            yield from _module_lines(path, depth + 1)


def _first_line(module: Path) -> str:
    docstring = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0].replace("``", "`")
