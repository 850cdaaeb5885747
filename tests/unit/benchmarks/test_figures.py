"""The pages' generated blocks: every row has a cell for each column, and every command names a real benchmark."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from paths import ROOT

from benchmarks.figures.blocks import BLOCKS
from benchmarks.figures.documents import figures_block
from benchmarks.figures.markdown import percent_with_interval, points_with_interval, table

SOURCES = [
    path
    for pattern in ("*.md", "docs/**/*.md", "models/*.md", "benchmarks/**/*.py", "ml/**/*.py", "Makefile")
    for path in ROOT.glob(pattern)
]


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_says_how_to_repeat_it_before_its_tables_and_where_it_was_measured_after_them(name: str) -> None:
    block = figures_block(name)
    assert re.search(r"```bash\n.*python -m benchmarks\.", block, re.DOTALL)
    assert block.index("```bash") < block.index("| --- |")
    assert re.search(r"Measured at commit `[0-9a-f]{9}` on .+, \d{4}-\d{2}-\d{2}\.\n\n$", block)


@pytest.mark.parametrize("name", BLOCKS)
def test_percentages_are_written_without_a_space(name: str) -> None:
    assert not re.search(r"\d %", figures_block(name))


def test_the_page_shows_every_block_once() -> None:
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"<!-- figures: (\w+) -->", page)) == sorted(BLOCKS)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_benchmark_that_a_command_names_exists(source: Path) -> None:
    commands = re.findall(r"python -m (benchmarks\.\w+(?:\.\w+)*)", source.read_text(encoding="utf-8"))
    for module in set(commands):
        spec = find_spec(module)
        assert spec, module
        assert spec.submodule_search_locations is None or find_spec(f"{module}.__main__"), module


def test_a_row_needs_a_cell_for_each_column() -> None:
    assert (
        table(("Text", "Label"), [("Great.", "Positive")]) == "| Text | Label |\n| --- | --- |\n| Great. | Positive |"
    )
    with pytest.raises(ValueError, match="a row has 1 cells, and the table has 2 columns"):
        table(("Text", "Label"), [("Great.",)])


def test_figures_are_percentages_and_signed_points() -> None:
    assert percent_with_interval(0.92888, (0.9256, 0.932), 2) == "92.89% (92.56% to 93.20%)"
    assert points_with_interval(-0.002, (-0.005, 0.002)) == "-0.20 (-0.50 to +0.20)"
