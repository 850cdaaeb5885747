"""Writes results files."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

RESULTS: Final = Path("benchmarks/results")
"""The folder with the committed results files, relative to the project's folder."""


def write_results(path: Path, report: "DataclassInstance") -> None:
    """Write a report (a dataclass instance) as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(report), indent=2) + "\n", encoding="utf-8")
