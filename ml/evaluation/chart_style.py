"""The style that all charts share, and their two palettes: one for the report, and one for pictures in a chat."""

from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours in a form that matplotlib accepts. ``first`` and ``second`` are the colours for the data."""

    ink: str
    line: str
    muted: str
    background: str
    first: str
    second: str


# The report's page replaces these placeholders with its CSS variables, so that its charts follow light and dark mode.
PAGE_PALETTE: Final = Palette(
    ink="#000001", line="#000002", muted="#000003", background="none", first="#000004", second="#000005"
)
# Blue and orange remain distinct with every common kind of colour blindness.
PICTURE_PALETTE: Final = Palette(
    ink="#1f2933", line="#dfe3e7", muted="#8a949e", background="#ffffff", first="#1b6ac9", second="#d3641c"
)


def chart_style(palette: Palette, font_size: float) -> dict[Any, Any]:
    """Return matplotlib's rcParams for a chart in ``palette``. ``font_size`` is in points."""
    return {
        "svg.fonttype": "none",
        "font.size": font_size,
        **dict.fromkeys(["text.color", "axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor"], palette.ink),
        **dict.fromkeys(["axes.edgecolor", "grid.color", "xtick.color", "ytick.color"], palette.line),
        **dict.fromkeys(["axes.spines.top", "axes.spines.right", "legend.frameon"], False),
        **dict.fromkeys(["figure.facecolor", "axes.facecolor"], palette.background),
    }
