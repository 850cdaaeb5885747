"""Paths of the project and of the model that it ships."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STARTER = ROOT / "models" / "starter"
