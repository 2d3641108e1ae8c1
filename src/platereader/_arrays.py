"""The array types of the library and the one check at its border."""

from __future__ import annotations

from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from platereader.errors import InvalidImageError

BgrImage: TypeAlias = NDArray[np.uint8]
"""uint8 ``(H, W, 3)``, blue-green-red, 0-255, any strides."""

LogProbs: TypeAlias = NDArray[np.float32]
"""float32 ``(N, T, C)`` or ``(T, C)``: natural logarithms of class probabilities, class 0 = blank."""

MAX_SIDE_PX = 32_000
"""Longest allowed side of a picture; OpenCV's warps stop working at 32,767."""


def check_image(image: object, *, name: str = "frame") -> BgrImage:
    """Return ``image`` as a C-contiguous ``BgrImage``, or say what is wrong with it, calling it ``name``.

    Raises:
        InvalidImageError: it is not a uint8 array of shape ``(H, W, 3)`` with sides from 1 to 32,000 px.
    """
    if not isinstance(image, np.ndarray):
        raise InvalidImageError(
            f"{name} is a {type(image).__name__}, not a numpy array: pass uint8 (H, W, 3) BGR pixels, "
            "as platereader.read_image makes them of a file."
        )
    array = cast("NDArray[Any]", image)
    if array.dtype != np.uint8:
        raise InvalidImageError(
            f"{name} has dtype {array.dtype}, expected uint8 0-255: convert it, for floats in 0..1 with "
            "(frame * 255).round().astype(numpy.uint8)."
        )
    if array.ndim != 3 or array.shape[2] != 3:
        raise InvalidImageError(
            f"{name} has shape {array.shape}, expected (H, W, 3) BGR: use cv2.cvtColor with COLOR_GRAY2BGR for grey "
            "and COLOR_BGRA2BGR for four channels."
        )
    if not all(1 <= side <= MAX_SIDE_PX for side in array.shape[:2]):
        raise InvalidImageError(
            f"{name} is {array.shape[1]}x{array.shape[0]} px, allowed are 1 to {MAX_SIDE_PX} px a side: "
            "check the source, or cut or shrink the picture."
        )
    return np.ascontiguousarray(array)
