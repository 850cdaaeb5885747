"""Each failure and each threat in the documents names at least one test, and all these tests exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from paths import ROOT

_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
DEPLOYMENT = ROOT / "docs" / "deployment.md"
FAILURES = ROOT / "docs" / "failures.md"
SECURITY = ROOT / "docs" / "security.md"


@cache
def names_of_tests(path: Path) -> frozenset[str]:
    """Return the names of a module's test functions."""
    module = ast.parse(path.read_text(encoding="utf-8"))
    functions = (node for node in module.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def rows_of(page: Path, last_column: str) -> list[list[str]]:
    """Return the cells of every row in the tables on a page whose last column has this name."""
    rows: list[list[str]] = []
    within = False
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")] if line.startswith("|") else []
        if cells and cells[-1] == last_column:
            within = True
        elif not cells:
            within = False
        elif within and not cells[0].startswith("---"):
            rows.append(cells)
    return rows


@pytest.mark.parametrize("page", [FAILURES, SECURITY], ids=lambda page: page.name)
def test_every_named_test_exists(page: Path) -> None:
    named = _NAMED.findall(page.read_text(encoding="utf-8"))
    assert named
    missing = [f"{path}::{name}" for path, name in named if name not in names_of_tests(ROOT / path)]
    assert missing == []


@pytest.mark.parametrize(("page", "columns", "least"), [(FAILURES, 2, 25), (SECURITY, 3, 25)])
def test_every_row_names_a_test(page: Path, columns: int, least: int) -> None:
    rows = rows_of(page, "tests")
    assert len(rows) >= least
    assert [row[0] for row in rows if len(row) != columns or not all(row) or not _NAMED.search(row[-1])] == []


def test_every_failure_on_the_operators_page_has_a_row_with_tests() -> None:
    failures = rows_of(DEPLOYMENT, "what the operator sees")
    assert {len(row) for row in failures} == {4}
    assert [row[0] for row in failures] == [row[0] for row in rows_of(FAILURES, "tests")]
