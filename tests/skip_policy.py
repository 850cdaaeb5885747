"""With CI=true, fails tests that are skipped or expected to fail, unless excused_skips.toml lists them.

The file has one table, ``[skips]``, with node ids (with or without parameters in brackets) and reasons.
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
    """Register the policy if CI=true."""
    if os.environ.get("CI", "").lower() == "true":
        config.pluginmanager.register(SkipPolicy(read_excuses(EXCUSES)), "skip-policy")


def read_excuses(path: Path) -> dict[str, str]:
    """Return the reasons, keyed by node id. Raise UsageError if a reason is missing."""
    excuses: dict[str, str] = tomllib.loads(path.read_text(encoding="utf-8")).get("skips", {})
    for node_id, reason in excuses.items():
        if not (isinstance(reason, str) and reason.strip()):
            raise pytest.UsageError(f"{path.name} gives no reason for {node_id}.")
    return excuses


class SkipPolicy:
    """Turns each unexcused skip into a failure that names the test and the reason for the skip."""

    def __init__(self, excuses: Mapping[str, str]) -> None:
        self.excuses = excuses

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Apply the policy to one phase of one test."""
        report = yield
        return self._apply(report)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Apply the policy to a module, because a module can be skipped when it is imported."""
        report = yield
        return self._apply(report)

    def _apply(self, report: Report) -> Report:
        """Return ``report``, changed to a failure if it is an unexcused skip."""
        node_id = report.nodeid
        if report.skipped and not {node_id, node_id.partition("[")[0]} & self.excuses.keys():
            reason = getattr(report, "wasxfail", None) or _reason(report.longrepr)
            report.outcome = "failed"
            report.longrepr = (
                f"{node_id} was skipped, which is a failure with CI=true: {reason}\n"
                f"Provide what it needs, or list it in tests/{EXCUSES.name} with a reason."
            )
            if isinstance(report, pytest.TestReport) and hasattr(report, "wasxfail"):
                del report.wasxfail
        return report


def _reason(longrepr: object) -> str:
    """Return the reason from the (file, line, message) that pytest records for a skip."""
    return str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)
