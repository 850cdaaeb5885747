"""The chart of a decision is a picture that shows what was measured, and says what was not."""

from dataclasses import replace
from io import BytesIO

import matplotlib.image
import numpy as np
import pytest

from storage.db.states import RunState
from worker.gate.chart import draw_chart
from worker.gate.decision import GateBounds, decide
from worker.gate.measurements import Measured, Paired

BOUNDS = GateBounds(imdb_loss=0.003, confidence=0.95, negative_flips=0.02, behaviour_loss=0.02, auto_promote=True)
MEASURED = Measured(
    imdb=Paired(6000, 5580, 5586, 20, 26, -0.001),
    judgements=Paired(100, 61, 74, 4, 17, 0.05),
    behaviour={"negation": Paired(43, 40, 41, 0, 1, 0.0), "typos": Paired(24, 23, 23, 0, 0, 0.0)},
    slices={
        "up to 50 words": Paired(300, 280, 282, 1, 3, 0.0),
        "over 800 words": Paired(200, 180, 176, 5, 1, -0.04),
        "rated 1": Paired(900, 880, 882, 2, 4, 0.0),
    },
    trigger_words=(),
)


def pixels(measured: Measured) -> np.ndarray:
    return matplotlib.image.imread(BytesIO(draw_chart(decide(measured, BOUNDS), measured)), format="png")


def test_the_chart_is_a_small_picture_with_a_line_for_each_figure() -> None:
    whole = pixels(MEASURED)
    height, width, _ = whole.shape
    assert width == 960
    assert 300 < height < 800
    assert pixels(replace(MEASURED, slices={})).shape[0] < height


def test_equal_figures_give_an_equal_chart_and_others_another() -> None:
    assert draw_chart(decide(MEASURED, BOUNDS), MEASURED) == draw_chart(decide(MEASURED, BOUNDS), MEASURED)
    other = replace(MEASURED, judgements=Paired(100, 61, 65, 4, 8, -0.02))
    assert draw_chart(decide(other, BOUNDS), other) != draw_chart(decide(MEASURED, BOUNDS), MEASURED)


@pytest.mark.parametrize("missing", [{"imdb": None, "slices": {}}, {"judgements": None}, {"behaviour": {}}])
def test_what_was_not_measured_leaves_a_line(missing: dict[str, None]) -> None:
    less = replace(MEASURED, **missing)
    assert decide(less, BOUNDS).outcome in {RunState.HELD, RunState.PROMOTED}
    assert pixels(less).shape[1] == 960


def test_nothing_measured_at_all_is_still_a_chart() -> None:
    nothing = Measured(None, None, {}, {}, ())
    assert pixels(nothing).shape[1] == 960
