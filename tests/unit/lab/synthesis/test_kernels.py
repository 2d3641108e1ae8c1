"""The kernel of a straight motion sums to one and moves a picture by the mean of its points."""

from __future__ import annotations

import numpy as np
import pytest

from platereader.lab.synthesis.fields import motion_kernel


@pytest.mark.parametrize("point", [(0.0, 0.0), (1.0, -2.0), (0.25, 1.5)])
def test_one_point_is_a_shift_by_bilinear_interpolation(point: tuple[float, float]) -> None:
    kernel = motion_kernel(np.array([point[0]]), np.array([point[1]]), half=3)
    offsets = np.arange(-3, 4)
    assert kernel.sum() == pytest.approx(1)
    assert (kernel.sum(axis=0) @ offsets, kernel.sum(axis=1) @ offsets) == pytest.approx(point)
    assert np.count_nonzero(kernel) == (2 if point[0] % 1 else 1) * (2 if point[1] % 1 else 1)


def test_a_line_is_as_long_as_its_points() -> None:
    steps = np.linspace(-2, 2, 65)
    kernel = motion_kernel(steps, 0 * steps, half=3)
    assert np.count_nonzero(kernel.sum(axis=1)) == 1
    np.testing.assert_allclose(kernel[3], [0, 0.1327, 0.2462, 0.2423, 0.2462, 0.1327, 0], atol=0.01)
