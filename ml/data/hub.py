"""Downloads models and data sets from the Hugging Face hub."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from core.errors import BadInput

# A path in the hub library's cache: the data set's name, the start of its commit, and a folder or file inside it.
_SNAPSHOT = re.compile(r"/datasets--([^/]+)/snapshots/([0-9a-f]{12})[0-9a-f]*(/.+|)$")


def download_snapshot(
    name: str,
    kind: Literal["model", "dataset"],
    patterns: Sequence[str],
    error_type: type[BadInput],
    ignore_patterns: Sequence[str] = (),
) -> Path:
    """Return the folder with the files of ``name`` (owner/name) that match ``patterns``. Downloads are cached.

    The patterns work as in ``fnmatch``, so * also matches slashes. Files that match ``ignore_patterns`` are skipped. If
    the download fails, raise ``error_type`` with the arguments ``name`` and ``reason``.
    """
    from httpx2 import HTTPError, InvalidURL  # noqa: PLC0415 - the HTTP client of huggingface_hub
    from huggingface_hub import snapshot_download  # noqa: PLC0415 - slow to import, and only hub names need it
    from huggingface_hub.errors import (  # noqa: PLC0415 - the same
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    try:
        found = snapshot_download(
            name, repo_type=kind, allow_patterns=list(patterns), ignore_patterns=list(ignore_patterns) or None
        )
        return Path(found)
    except HFValidationError as error:
        raise error_type(name=name, reason="it is neither a folder nor a hub name such as owner/name") from error
    except LocalEntryNotFoundError as error:
        raise error_type(name=name, reason="it is not downloaded yet and the hub cannot be reached") from error
    except HfHubHTTPError as error:
        # The hub responds with 401 both for unknown repositories and for gated repositories, which do exist.
        unknown = isinstance(error, RepositoryNotFoundError) and not isinstance(error, GatedRepoError)
        problem = "has no such repository, or it is private" if unknown else f"answered {error.response.status_code}"
        raise error_type(name=name, reason=f"the hub {problem}") from error
    # The last three errors mean that a proxy from the environment cannot be used.
    except (HTTPError, OSError, ValueError, ImportError, InvalidURL) as error:
        raise error_type(name=name, reason=f"the download failed ({error})") from error


def snapshot_name(path: Path) -> str | None:
    """Return owner/name@commit for the data set snapshot that contains ``path``, or None if no snapshot does."""
    found = _SNAPSHOT.search(path.as_posix())
    return found and f"{found[1].replace('--', '/')}{found[3]}@{found[2]}"
