"""Texts that are the same in every run are read by the champion only once."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from worker.gate.champion_cache import champion_logits


def model(folder: Path, manifest: str, asked: list[str]) -> Any:
    """Return a published model with text lengths as logits. The model appends each text that it reads to ``asked``."""
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text(manifest, encoding="utf-8")

    def logits(texts: Sequence[str]) -> tuple[np.ndarray, None]:
        asked.extend(texts)
        return np.array([[len(text), 0] for text in texts], np.float32), None

    return SimpleNamespace(engine=SimpleNamespace(logits=logits), folder=folder)


def test_the_logits_are_computed_once_per_version_and_gate_set(tmp_path: Path) -> None:
    asked: list[str] = []
    gate = ["One.", "Another."]
    first, second = (model(tmp_path / name, name, asked) for name in ("first", "second"))
    cache = tmp_path / "gate"

    def cached(champion: Any, texts: Sequence[str]) -> list[float]:
        return champion_logits(champion, texts, cache, lambda _: None)[:, 0].tolist()

    assert cached(first, gate) == cached(first, gate) == [4, 8]
    assert asked == gate
    cached(second, gate)
    assert asked == gate * 2
    assert cached(first, gate[::-1]) == [8, 4]
    assert len(asked) == 6
    assert len(list(cache.iterdir())) == 3


@pytest.mark.parametrize("broken", [b"", b"half a file", None])
def test_unreadable_logits_are_computed_again(
    broken: bytes | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from safetensors.numpy import save_file

    asked: list[str] = []
    gate = ["One.", "Another."]
    champion = model(tmp_path / "model", "manifest", asked)
    expected = champion_logits(champion, gate, tmp_path / "gate", lambda _: None)
    (cached,) = (tmp_path / "gate").iterdir()
    if broken is None:
        save_file({"logits": np.full((2, 2), np.nan, np.float32)}, cached)
    else:
        cached.write_bytes(broken)
    assert champion_logits(champion, gate, tmp_path / "gate", lambda _: None).tolist() == expected.tolist()
    assert "computing them again" in caplog.text
    assert len(asked) == 4
    champion_logits(champion, gate, tmp_path / "gate", lambda _: None)
    assert len(asked) == 4


def test_without_a_writable_cache_the_logits_are_still_returned(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[str] = []
    (tmp_path / "gate").write_text("a file where the folder should be", encoding="utf-8")
    champion = model(tmp_path / "model", "m", asked)
    found = champion_logits(champion, ["One."], tmp_path / "gate", lambda _: None)
    assert found.tolist() == [[4, 0]]
    assert "Cannot cache the logits" in caplog.text
