"""Caches the champion's logits on texts that are the same in every run, so that they are computed only once."""

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import openvino as ov
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from core.files import replaced
from ml.serving.artifact import manifest_hash
from ml.serving.chunked import Advance, logits_in_chunks
from ml.serving.engine import Classifier, Logits
from ml.text.fingerprints import fingerprint
from ml.text.labels import LABELS

logger = logging.getLogger(__name__)

_LOGITS: Final = "logits"


def champion_logits(champion: Classifier, texts: Sequence[str], folder: Path, advance: Advance) -> Logits:
    """Return the champion's logits (texts, labels), cached in ``folder``. The texts must not come from users.

    The cache stores only logits. If a cache file cannot be read, the logits are computed again.
    """
    path = folder / f"{_cache_key(champion, texts)}.safetensors"
    try:
        cached = load_file(path).get(_LOGITS)
        if cached is not None and cached.shape == (len(texts), len(LABELS)) and np.isfinite(cached).all():
            return cached
        logger.warning("The cached logits in %s have the wrong shape or are not finite; computing them again", path)
    except FileNotFoundError:
        pass
    except (OSError, SafetensorError) as error:
        logger.warning("Cannot read the cached logits in %s; computing them again: %s", path, error)
    logits = logits_in_chunks(champion.engine, texts, advance)
    _write(logits, path)
    return logits


def _cache_key(champion: Classifier, texts: Sequence[str]) -> str:
    """Return a hash of everything that determines the logits: manifest, engine and the texts in order."""
    parts = [manifest_hash(champion.folder), ov.__version__, *map(fingerprint, texts)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _write(logits: Logits, path: Path) -> None:
    """Write the logits atomically. Only log failures, because the next run can compute the logits again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced(path) as part:
            save_file({_LOGITS: logits}, part)
    except (OSError, SafetensorError) as error:
        logger.warning("Cannot cache the logits in %s: %s", path, error)
