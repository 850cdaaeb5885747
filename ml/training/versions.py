"""Names new versions of published models."""

import hashlib
import json
from dataclasses import asdict, replace
from datetime import datetime

from ml.serving.artifact import Manifest


def with_new_version(manifest: Manifest, moment: datetime) -> Manifest:
    """Return the manifest with a version that combines the date and a hash of its content.

    ``created`` is part of the content, so publishing the same weights again creates a new version. This is necessary
    because the registry stores one manifest hash per version.
    """
    unnamed = replace(manifest, version="")
    content_hash = hashlib.sha256(json.dumps(asdict(unnamed), sort_keys=True).encode()).hexdigest()
    return replace(manifest, version=f"{moment:%Y%m%d}-{content_hash[:8]}")
