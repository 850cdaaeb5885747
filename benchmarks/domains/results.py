"""Stores the candidates' figures and the final figures in ``benchmarks/results/domains.json``."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.common.text_sets import TextSet
from benchmarks.domains.distinct_texts import Half, LeftOut
from benchmarks.domains.evaluation import Evaluation, ModelFigures

MAXIMUM_CANDIDATES: Final = 20
"""Maximum number of candidates. The best of many can look good by luck alone."""

Content = dict[str, Any]
"""The content of the results file.

``sets`` and ``left_out`` describe the texts, ``plain`` has the plain run's figures by half, ``candidates`` the models
evaluated on the development half, and ``reported`` those evaluated on the reported half.
"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model considered for the next starter: its name, how it was made, and its figures."""

    name: str
    how: str
    evaluation: Evaluation


def read_content(path: Path, sets: Mapping[str, TextSet], left_out: Mapping[str, LeftOut]) -> Content:
    """Read the results file, or return its initial content if the file does not exist.

    Raise ValueError if the file's figures were measured on texts other than ``sets``.
    """
    described = {name: asdict(each) for name, each in sets.items()}
    if not path.exists():
        counts = {name: asdict(each) for name, each in left_out.items()}
        return {"sets": described, "left_out": counts, "plain": {}, "candidates": [], "reported": []}
    content: Content = json.loads(path.read_text(encoding="utf-8"))
    if content["sets"] != described:
        raise ValueError(f"the figures in {path} were measured on other texts")
    return content


def require_room(content: Content, name: str) -> None:
    """Raise ValueError if the file already has ``MAXIMUM_CANDIDATES`` candidates and none is called ``name``."""
    names = [each["name"] for each in content["candidates"]]
    if name not in names and len(names) >= MAXIMUM_CANDIDATES:
        raise ValueError(
            f"there are {len(names)} candidates already, and no more than {MAXIMUM_CANDIDATES} may be compared"
        )


def add_candidate(content: Content, candidate: Candidate) -> None:
    """Add a candidate, or replace its figures if it was evaluated before.

    Raise ValueError if another model has the same name, or if there is no room for another candidate.
    """
    require_room(content, candidate.name)
    candidates = content["candidates"]
    same = [number for number, each in enumerate(candidates) if each["name"] == candidate.name]
    if not same:
        candidates.append(asdict(candidate))
        return
    if candidates[same[0]]["evaluation"]["version"] != candidate.evaluation.version:
        raise ValueError(f"another model is called {candidate.name!r}; choose another name")
    candidates[same[0]] = asdict(candidate)


def set_reported(content: Content, evaluations: list[Evaluation]) -> None:
    """Replace the final figures."""
    content["reported"] = [asdict(each) for each in evaluations]


def set_plain(content: Content, half: Half, figures: ModelFigures) -> None:
    """Store the plain run's figures on one half."""
    content["plain"][half] = asdict(figures)


def write_content(path: Path, content: Content) -> None:
    """Write the results file."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
