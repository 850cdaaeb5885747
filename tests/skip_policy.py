"""Where CI=true, a test that is skipped or expected to fail is a failure, unless excused_skips.toml names it.

The file has one table, ``[skips]``: a node id, with or without its parameters in brackets, and the reason.
"""

import os
import tomllib
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import TypeVar

import pytest

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)
EXCUSES = Path(__file__).with_name("excused_skips.toml")


def pytest_configure(config: pytest.Config) -> None:
    """Put the policy to work where CI=true."""
    if os.environ.get("CI", "").lower() == "true":
        config.pluginmanager.register(SkipPolicy(read_excuses(EXCUSES)), "skip-policy")


def read_excuses(path: Path) -> dict[str, str]:
    """Reasons by node id; raises UsageError for an excuse without a reason."""
    excuses: dict[str, str] = tomllib.loads(path.read_text(encoding="utf-8")).get("skips", {})
    for node_id, reason in excuses.items():
        if not (isinstance(reason, str) and reason.strip()):
            raise pytest.UsageError(f"{path.name} gives no reason for {node_id}.")
    return excuses


class SkipPolicy:
    """Turns each skip that is not excused into a failure that says where the skip came from."""

    def __init__(self, excuses: Mapping[str, str]) -> None:
        self.excuses = excuses

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Judge one phase of one test."""
        report = yield
        return self.judged(report)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Judge a whole module, which may skip itself while it is imported."""
        report = yield
        return self.judged(report)

    def judged(self, report: Report) -> Report:
        """Return ``report``, made a failure when it is a skip that nobody excused."""
        node_id = report.nodeid
        if report.skipped and not {node_id, node_id.partition("[")[0]} & self.excuses.keys():
            reason = getattr(report, "wasxfail", None) or _reason(report.longrepr)
            report.outcome = "failed"
            report.longrepr = (
                f"{node_id} was skipped, and with CI=true that is a failure: {reason}\n"
                f"Make what it needs available, or excuse it in tests/{EXCUSES.name} with a reason."
            )
            if isinstance(report, pytest.TestReport) and hasattr(report, "wasxfail"):
                del report.wasxfail
        return report


def _reason(longrepr: object) -> str:
    """Read the reason out of the (file, line, message) that pytest keeps for a skip."""
    return str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)
