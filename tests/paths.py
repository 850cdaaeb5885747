"""Paths of the project and of its shipped model."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STARTER = ROOT / "models" / "starter"
