"""Explanations share batches with other texts, and finish with the model that they started with."""

import asyncio
import threading

import pytest
from weighted_engine import WeightedEngine, weighted_classifier

from bot.serving.live_model import LiveModel

LONG = f"{'It went on and on. ' * 30}That part was slow. {'Then it went on. ' * 30}"


class Gate:
    """Blocks an engine's calls until the test opens the gate."""

    def __init__(self, engine: WeightedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.busy, self.open = threading.Event(), threading.Event()
        outputs = engine.outputs

        def held(texts: list[str]) -> object:
            self.busy.set()
            assert self.open.wait(20)
            return outputs(texts)

        monkeypatch.setattr(engine, "outputs", held)


async def test_an_explanation_in_progress_finishes_with_the_old_model(monkeypatch: pytest.MonkeyPatch) -> None:
    classifier, engine = weighted_classifier(version="old")
    gate, model = Gate(engine, monkeypatch), LiveModel(classifier)
    explaining = asyncio.ensure_future(model.explain(LONG))
    await asyncio.to_thread(gate.busy.wait, 20)
    replacing = asyncio.ensure_future(model.replace(weighted_classifier(version="new")[0]))
    assert (await asyncio.wait_for(model.verdict("Charming."), 20)).version == "new"
    gate.open.set()
    explanation = await asyncio.wait_for(explaining, 20)
    assert explanation.verdict.version == "old"
    assert [each.word.text for each in explanation.down] == ["slow"]
    await asyncio.wait_for(replacing, 20)
    model.close()
