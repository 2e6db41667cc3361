"""The token view frames the tokens that a demonstration's part sums are over."""

from __future__ import annotations

import numpy as np
import pytest

from core import load_model, run
from core.study.demonstrations import Demonstration
from core.study.prompts import QUESTION_ANSWER
from core.study.study import Study
from pages.ui.playground.views import _token_figure
from pages.ui.workbench.shown import ShownRows

SHOWN = tuple(Demonstration(input=x, label=y) for x, y in (("dog", "dogs"), ("box", "boxes"), ("cat", "cats")))


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_frame_holds_what_is_summed(number: int) -> None:
    """It left out the prefix of the next question, where heads read the demonstration: sums were off by up to .1."""
    study = Study(demonstrations=SHOWN, query="bird", template=QUESTION_ANSWER, token_head=(1, 0))
    attention = run(study, load_model("embedded")).attention
    assert attention is not None
    assert attention.map is not None
    rows = ShownRows(tuple((d.input, d.label) for d in SHOWN), (1, 2, 3), "demonstrations", number)
    (frame,) = _token_figure(attention, rows, 400).layout.shapes
    framed = slice(int(frame.x0 + 0.5), int(frame.x1 + 0.5))
    column = attention.spans.index(str(number))
    np.testing.assert_allclose(attention.map[-1, framed].sum(), attention.pooled[1, 0, column], atol=1e-5)
