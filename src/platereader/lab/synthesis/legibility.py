"""Which characters of a made-up plate can still be read, so that no label names what cannot be seen.

A reader that is taught to name hidden characters learns to invent them. Here they become ``?`` in the label.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader.lab.synthesis.layout import lay_out
from platereader.lab.synthesis.pose import Corners, corners_of, homography, moved_by
from platereader.plates import PlateLayout

Window: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom of a part of a plate, in shares of its width and height; may reach beyond 0 to 1."""

_LEAST_LIKENESS = 0.55
_LEAST_CONTRAST = 0.12


@lru_cache(maxsize=4096)
def character_boxes(text: str, layout: PlateLayout) -> tuple[Window, ...]:
    """The place of each character on a plate of that type.

    Raises:
        InvalidArgumentError: the text does not fit the format.
    """
    characters, fixtures = lay_out(text, layout=layout)
    width, height = fixtures.size
    rects = (character.rect for character in characters)
    return tuple((left / width, top / height, right / width, bottom / height) for left, top, right, bottom in rects)


def inside(boxes: Sequence[Window], window: Window) -> list[bool]:
    """Whether at least 80 % of each box lies in a window."""
    shares: list[float] = []
    for left, top, right, bottom in boxes:
        across = max(0.0, min(right, window[2]) - max(left, window[0])) / (right - left)
        down = max(0.0, min(bottom, window[3]) - max(top, window[1])) / (bottom - top)
        shares.append(across * down)
    return [share >= 0.8 for share in shares]


def still_clear(clean: BgrImage, soiled: BgrImage, boxes: Sequence[Window]) -> list[bool]:
    """Whether each character still looks like itself after something happened to the surface of the clean front."""
    if soiled is clean:
        return [True] * len(boxes)
    before, after = (cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY).astype(np.float32) for pixels in (clean, soiled))
    return [_alike(_cell(before, box), _cell(after, box)) for box in boxes]


def _cell(grey: NDArray[np.float32], box: Window) -> NDArray[np.float32]:
    height, width = grey.shape
    left, top, right, bottom = box
    return grey[round(top * height) : round(bottom * height), round(left * width) : round(right * width)]


def _alike(before: NDArray[np.float32], after: NDArray[np.float32]) -> bool:
    """Whether the shape is the same, whatever became of brightness and, within limits, of contrast."""
    if before.size == 0:
        return True
    a, b = before - before.mean(), after - after.mean()
    norm = float(np.linalg.norm(a)) + 1e-6
    along = float((a * b).sum()) / norm
    return along >= _LEAST_CONTRAST * norm and along >= _LEAST_LIKENESS * float(np.linalg.norm(b))


def window_corners(corners: Corners, window: Window) -> Corners:
    """Corners of a part of a plate whose corners are given, perspective included; float32 ``(4, 2)`` pixels."""
    matrix = homography(corners_of((1.0, 1.0)), corners)
    left, top, right, bottom = window
    points = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)
    return moved_by(matrix, points=points)
