"""Options that several commands share."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.errors import NoReviews

if TYPE_CHECKING:
    from core.settings import Settings

# The database stores ids as signed 64-bit integers.
MIN_ID: Final = -(2**63)
MAX_ID: Final = 2**63 - 1


def require_reviews_path(data: Path | None, settings: "Settings") -> Path:
    """Return the path of the reviews: ``data`` or, by default, IMDB_PATH. Raise NoReviews if neither is given.

    A data set on the Hugging Face hub is downloaded first.
    """
    found = optional_reviews_path(data, settings)
    if found is None:
        raise NoReviews
    return found


def optional_reviews_path(data: Path | None, settings: "Settings") -> Path | None:
    """Return the same path as ``require_reviews_path``, or None if neither ``data`` nor IMDB_PATH is given."""
    from ml.data.sources import find_reviews

    chosen = data or settings.imdb_path
    return None if chosen is None else find_reviews(chosen)
