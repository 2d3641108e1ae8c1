"""The search for a plate's outline in boxes of every shape."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from platereader import Box, Quad
from platereader.rectification._contour import find_outline

FRAME = np.random.default_rng(0).integers(0, 256, (300, 4000, 3), dtype=np.uint8)
FRAME[100:180, 300:700] = 240


@given(st.floats(-50, 3990), st.floats(-50, 290), st.floats(0.1, 4100), st.floats(0.1, 400))
@example(0, 10, 4000, 12.5)
@example(20, 0, 12.5, 300)
@example(0, 100, 600, 21.5)
@settings(max_examples=40, deadline=None)
def test_any_box_gives_a_quad_or_nothing(x: float, y: float, width: float, height: float) -> None:
    found = find_outline(FRAME, Box(x, y, x + width, y + height))
    assert found is None or isinstance(found, Quad)


def test_tall_slits_have_no_outline() -> None:
    frame = np.random.default_rng(1).integers(0, 256, (3000, 200, 3), dtype=np.uint8)
    assert find_outline(frame, Box(50, 10, 63, 2900)) is None
