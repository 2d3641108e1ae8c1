"""The blur of a straight motion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["motion_kernel"]


def motion_kernel(x_px: NDArray[np.float64], y_px: NDArray[np.float64], *, half: int) -> NDArray[np.float64]:
    """A kernel that sums to one: the mean of the picture moved to each of some points.

    Each point adds to the four pixels around it what bilinear interpolation would take from them.

    Args:
        x_px: float64 ``(S,)``: of the points, from the middle of the kernel.
        y_px: likewise.
        half: pixels on either side of the middle; all points are within.

    Returns:
        float64 ``(2 * half + 1, 2 * half + 1)``.
    """
    offsets = np.arange(-half, half + 1, dtype=np.float64)
    columns = np.clip(1 - np.abs(x_px[:, None] - offsets), 0, 1)  # (S, side)
    rows = np.clip(1 - np.abs(y_px[:, None] - offsets), 0, 1)
    total = rows.T @ columns
    kernel: NDArray[np.float64] = total / total.sum()
    return kernel
