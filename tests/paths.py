"""Where the project and its shipped model are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STARTER = ROOT / "models" / "starter"
