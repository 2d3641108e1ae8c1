"""The one way a plate becomes the network's input, in training and in use: grey, stretched to size, standardised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader.results import PlateImage

NetworkInput: TypeAlias = NDArray[np.float32]
"""float32 ``(N, 1, H, W)``: grey, each picture of mean 0 and standard deviation 1."""

INPUT_SIZE_PX = (40, 176)
"""Height and width the network was designed for. The aspect of a one-line plate is 4.6, of this 4.4."""

_LEAST_SPREAD = 4.0


def prepare(plates: Sequence[PlateImage], *, size_px: tuple[int, int] = INPUT_SIZE_PX) -> NetworkInput:
    """Turn N plates of any size, each laid out as one line, into one batch, float32 ``(N, 1, H, W)``.

    Plates are stretched to the input without regard to their aspect: all share one shape after rectification but the
    joined two-line ones, whose characters come out of ordinary width this way.
    """
    height, width = size_px
    batch = np.empty((len(plates), 1, height, width), np.float32)
    for row, plate in zip(batch, plates, strict=True):
        _standardise(plate, row[0])
    return batch


def _standardise(plate: PlateImage, into: NDArray[np.float32]) -> None:
    """Write one plate into a float32 ``(H, W)``; a flat picture comes out as zeros rather than as amplified noise."""
    height, width = into.shape
    grey = cv2.cvtColor(np.ascontiguousarray(plate.pixels), cv2.COLOR_BGR2GRAY)
    shrinks = grey.shape[0] > height or grey.shape[1] > width
    mode = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized = cv2.resize(grey, (width, height), interpolation=mode)
    mean, spread = (float(part[0, 0]) for part in cv2.meanStdDev(resized))
    into[:] = resized
    into -= mean
    into /= max(spread, _LEAST_SPREAD)
