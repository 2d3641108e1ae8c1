"""The one way a plate becomes the network's input, in training and in use: stretched to size, standardised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader.results import PlateImage

NetworkInput: TypeAlias = NDArray[np.float32]
"""float32 ``(N, 3, H, W)``: BGR planes, of each picture scaled so that its grey has mean 0 and standard deviation 1."""

INPUT_SIZE_PX = (40, 176)
"""Height and width the network was designed for. The aspect of a one-line plate is 4.6, of this 4.4."""

_LEAST_SPREAD = 4.0


def prepare(plates: Sequence[PlateImage], *, size_px: tuple[int, int] = INPUT_SIZE_PX) -> NetworkInput:
    """Turn N plates of any size, each laid out as one line, into one batch, float32 ``(N, 3, H, W)``.

    Plates are stretched to the input without regard to their aspect: all share one shape after rectification but the
    joined two-line ones, whose characters come out of ordinary width this way.
    """
    height, width = size_px
    batch = np.empty((len(plates), 3, height, width), np.float32)
    for planes, plate in zip(batch, plates, strict=True):
        _standardise(plate, planes)
    return batch


def _standardise(plate: PlateImage, into: NDArray[np.float32]) -> None:
    """Write one plate into a float32 ``(3, H, W)``; a flat picture stays flat, its noise is not amplified."""
    height, width = into.shape[1:]
    pixels = np.ascontiguousarray(plate.pixels)
    shrinks = pixels.shape[0] > height or pixels.shape[1] > width
    mode = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized = cv2.resize(pixels, (width, height), interpolation=mode)
    mean, spread = (float(part[0, 0]) for part in cv2.meanStdDev(cv2.cvtColor(resized, cv2.COLOR_BGR2GRAY)))
    np.subtract(resized.transpose(2, 0, 1), mean, out=into, dtype=np.float32)
    into /= max(spread, _LEAST_SPREAD)
