"""Fits a review head for a model that is already published, and publishes it again with the head."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from ml.serving.artifact import Manifest, file_hashes, publish_artifact, verified_manifest
from ml.serving.review_head import REVIEW_HEAD
from ml.text.tokenization import WindowTokenizer
from ml.training.review_head import ReviewTexts, fit_review_head
from ml.training.versions import with_new_version


def add_review_head(folder: Path, reviews: Sequence[str]) -> Manifest:
    """Replace the model in ``folder`` with a copy that has a new review head, and return the new manifest.

    ``reviews`` should be the model's training texts. The result is a new version with the same weights and verdicts.
    Raise UnusableArtifact if the folder is not an intact published model, and UnwritableFile if it cannot be replaced.
    """
    old = verified_manifest(folder)
    tokenizer = WindowTokenizer.read(folder, old.window, old.overlap, old.reading, old.characters)
    head = fit_review_head(folder, tokenizer, ReviewTexts.from_reviews(reviews))
    now = datetime.now(UTC)
    with publish_artifact(folder) as work:
        for name in old.files:
            if name != REVIEW_HEAD:
                shutil.copyfile(folder / name, work / name)
        head.write(work)
        manifest = replace(old, created=now.isoformat(timespec="seconds"), files=file_hashes(work))
        manifest = with_new_version(manifest, now)
        manifest.write(work)
    return manifest
