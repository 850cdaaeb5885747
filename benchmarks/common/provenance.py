"""Describes the code and the machine used for a measurement."""

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Provenance:
    """The code and the machine for one run, without host names, user names or paths."""

    commit: str
    """Full hash of the checked-out commit."""
    dirty: bool
    """Whether any tracked file except the results differs from ``commit``."""
    cpu: str
    """The processor's model name."""
    cores: int
    memory_gib: float
    python: str
    platform: str
    packages: dict[str, str]
    """Version of each package that the figures depend on."""
    date: str
    """Time when the run was described, in UTC (ISO 8601)."""


def provenance(*packages: str, commit: str | None = None) -> Provenance:
    """Return a description of this run, including the installed versions of ``packages``.

    The commit is read from the git checkout. For a copy without git, pass ``commit``, with ``-dirty`` appended if the
    files differ from that commit.
    """
    dirty = commit.endswith("-dirty") if commit else bool(_uncommitted_changes())
    return Provenance(
        commit=commit.removesuffix("-dirty") if commit else _git("rev-parse", "HEAD"),
        dirty=dirty,
        cpu=_cpu_model(),
        cores=os.cpu_count() or 1,
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB, 1),
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.release()} {platform.machine()}",
        packages={name: version(name) for name in packages},
        date=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _uncommitted_changes() -> str:
    return _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":(exclude)benchmarks/results")


def _git(*arguments: str) -> str:
    git = shutil.which("git") or "git"
    run = subprocess.run([git, *arguments], cwd=_ROOT, check=True, capture_output=True, text=True)
    return run.stdout.strip()


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # This file exists only on Linux.
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
