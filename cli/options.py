"""Options that several commands share."""

from pathlib import Path

from core.errors import NoReviews
from core.settings import Settings


def require_reviews_path(data: Path | None, settings: "Settings") -> Path:
    """Where the reviews are that ``--data`` names, else the settings; raises NoReviews."""
    found = optional_reviews_path(data, settings)
    if found is None:
        raise NoReviews
    return found


def optional_reviews_path(data: Path | None, settings: "Settings") -> Path | None:
    """The same, downloaded when it is a data set of the hub, or None where neither names any."""
    from ml.data.sources import find_reviews

    chosen = data or settings.imdb_path
    return None if chosen is None else find_reviews(chosen)
