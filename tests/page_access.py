"""Checks pages in a browser with axe-core."""

from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page

AXE: Final = Path(__file__).resolve().parents[1] / ".venv-dev" / "axe-core" / "axe.min.js"
# The rules that WCAG 2.2 requires at the levels A and AA, by the tags of the versions that introduced them.
_TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_RUN: Final = "(tags) => axe.run({ runOnly: tags }).then(({ violations, passes }) => ({ violations, passes }))"


def violations(page: Page) -> list[str]:
    """Return what violates WCAG 2.2 AA on the current page, with one line per element."""
    if not AXE.is_file():
        pytest.skip("axe-core was not found; sh requirements/axe.sh downloads it")
    page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished.catch(() => null)))")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate(_RUN, _TAGS)
    assert found["passes"], "axe-core checked nothing"
    return [_describe(rule, node) for rule in found["violations"] for node in rule["nodes"]]


def _describe(rule: dict[str, Any], node: dict[str, Any]) -> str:
    return f"{rule['id']}: {node['target']}: {node['failureSummary']}"
