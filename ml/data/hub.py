"""The Hugging Face hub: the wanted files of a model or data set, or one sentence that says why they cannot be had."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from core.errors import BadInput

# Where the hub's library keeps a data set: its name, the first letters of its commit, and a folder or file inside.
_SNAPSHOT = re.compile(r"/datasets--([^/]+)/snapshots/([0-9a-f]{12})[0-9a-f]*(/.+|)$")


def download_snapshot(
    name: str,
    kind: Literal["model", "dataset"],
    patterns: Sequence[str],
    error_type: type[BadInput],
    ignore_patterns: Sequence[str] = (),
) -> Path:
    """The folder with those files of ``name`` (owner/name) that match ``wanted``, downloaded once and then kept.

    The patterns are those of ``fnmatch``, where * goes across folders; ``unwanted`` ones are left out of them. Raises
    ``refusal`` with the facts name and reason.
    """
    from httpx2 import HTTPError  # noqa: PLC0415 - what huggingface_hub speaks HTTP with
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
        # The hub answers 401 about names that it does not know, and a gated repository is one that it does.
        unknown = isinstance(error, RepositoryNotFoundError) and not isinstance(error, GatedRepoError)
        said = "has none of that name, or keeps it private" if unknown else f"answered {error.response.status_code}"
        raise error_type(name=name, reason=f"the hub {said}") from error
    except (HTTPError, OSError) as error:
        raise error_type(name=name, reason=f"the download broke off ({error})") from error


def snapshot_name(path: Path) -> str | None:
    """owner/name@commit of the data set whose snapshot ``path`` is or lies in; None for what is no snapshot."""
    found = _SNAPSHOT.search(path.as_posix())
    return found and f"{found[1].replace('--', '/')}{found[3]}@{found[2]}"
