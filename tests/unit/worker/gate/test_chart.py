"""The chart for a decision shows every measurement, and says which measurements are missing."""

from dataclasses import replace
from io import BytesIO

import matplotlib.image
import numpy as np
import pytest

from ml.evaluation.paired_counts import PairedCounts
from storage.db.states import RunState
from worker.gate.chart import draw_chart
from worker.gate.decision import GateBounds, decide
from worker.gate.measurements import Measurements, PairedResult, VoteEvidence

BOUNDS = GateBounds(imdb_loss=0.003, confidence=0.95, negative_flips=0.02, behaviour_loss=0.02, auto_promote=True)
MEASURED = Measurements(
    imdb=PairedResult(6000, 5580, 5586, 20, 26, -0.001),
    judgements=VoteEvidence.equally_weighted(PairedCounts(100, 61, 74, 4, 17)),
    behaviour={"negation": PairedResult(43, 40, 41, 0, 1, 0.0), "typos": PairedResult(24, 23, 23, 0, 0, 0.0)},
    slices={
        "up to 50 words": PairedResult(300, 280, 282, 1, 3, 0.0),
        "over 800 words": PairedResult(200, 180, 176, 5, 1, -0.04),
        "rated 1": PairedResult(900, 880, 882, 2, 4, 0.0),
    },
    trigger_words=(),
)


def pixels(measured: Measurements) -> np.ndarray:
    return matplotlib.image.imread(BytesIO(draw_chart(decide(measured, BOUNDS), measured)), format="png")


def test_the_chart_is_a_small_picture_with_a_row_for_each_result() -> None:
    whole = pixels(MEASURED)
    height, width, _ = whole.shape
    assert width == 960
    assert 300 < height < 800
    assert pixels(replace(MEASURED, slices={})).shape[0] < height


def test_the_chart_depends_on_nothing_but_the_measurements() -> None:
    assert draw_chart(decide(MEASURED, BOUNDS), MEASURED) == draw_chart(decide(MEASURED, BOUNDS), MEASURED)
    other = replace(MEASURED, judgements=VoteEvidence.equally_weighted(PairedCounts(100, 61, 65, 4, 8)))
    assert draw_chart(decide(other, BOUNDS), other) != draw_chart(decide(MEASURED, BOUNDS), MEASURED)


@pytest.mark.parametrize("missing", [{"imdb": None, "slices": {}}, {"judgements": None}, {"behaviour": {}}])
def test_a_missing_measurement_keeps_its_row(missing: dict[str, None]) -> None:
    less = replace(MEASURED, **missing)
    assert decide(less, BOUNDS).outcome in {RunState.HELD, RunState.PROMOTED}
    assert pixels(less).shape[1] == 960


def test_without_any_measurement_there_is_still_a_chart() -> None:
    nothing = Measurements(None, None, {}, {}, ())
    assert pixels(nothing).shape[1] == 960
