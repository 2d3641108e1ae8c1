"""Letterboxing: a frame of any size becomes a network input of whole strides, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader._geometry import Point

STRIDE_PX = 32
"""Sides of a network input are multiples of this."""

FILL = 114
"""Grey level of the border, as in training."""

# Shrinking by more than this between pixels would nearly skip some.
_MOST_SAMPLED = 1.75


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How a frame lies in its network input, in pixels: scaled to its inner size, in the middle of grey borders."""

    width: int
    height: int
    inner_width: int
    inner_height: int
    frame_width: int
    frame_height: int

    @property
    def left(self) -> int:
        """Border on the left in pixels of the input."""
        return (self.width - self.inner_width) // 2

    @property
    def top(self) -> int:
        """Border above in pixels of the input."""
        return (self.height - self.inner_height) // 2

    def to_frame(self, points: Iterable[Point]) -> list[Point]:
        """Points of the input, in pixels of the frame."""
        left, top = self.left, self.top
        x_ratio, y_ratio = self.frame_width / self.inner_width, self.frame_height / self.inner_height
        return [((x - left) * x_ratio, (y - top) * y_ratio) for x, y in points]


def plan_letterbox(width: int, height: int, *, input_size: int) -> Letterbox:
    """Shrink a frame to ``input_size`` px on its longer side, with as little border as whole strides allow.

    A frame that is smaller already keeps its size: enlarging adds time but no detail.
    """
    scale = min(input_size / max(width, height), 1.0)
    inner_width, inner_height = max(1, round(width * scale)), max(1, round(height * scale))
    return Letterbox(
        _whole_strides(inner_width), _whole_strides(inner_height), inner_width, inner_height, width, height
    )


def apply_letterboxes(frames: Sequence[BgrImage], plans: Sequence[Letterbox]) -> NDArray[np.uint8]:
    """Frames as one batch, uint8 ``(N, H, W, 3)`` BGR, with grey borders; all plans are of one width and height."""
    canvas = np.empty((len(frames), plans[0].height, plans[0].width, 3), np.uint8)
    for picture, frame, plan in zip(canvas, frames, plans, strict=True):
        bottom, right = plan.top + plan.inner_height, plan.left + plan.inner_width
        resize_into(picture[plan.top : bottom, plan.left : right], frame)
        for border in (picture[: plan.top], picture[bottom:], picture[:, : plan.left], picture[:, right:]):
            border[:] = FILL
    return canvas


def resize_into(target: NDArray[np.uint8], pixels: BgrImage, *, most_sampled: float = _MOST_SAMPLED) -> None:
    """Write a picture at the size of ``target``, one that is much larger nearly as averages over areas.

    OpenCV takes seven times as long for these as for samples between pixels, but when it halves. So a picture is halved
    as long as its sides are even; one that is shrunk by more than ``most_sampled`` then is sampled at twice the size,
    and that is halved.
    """
    height, width = target.shape[:2]
    while pixels.shape[1] >= 2 * width and not (pixels.shape[0] % 2 or pixels.shape[1] % 2):
        halved = (pixels.shape[1] // 2, pixels.shape[0] // 2)
        pixels = cast(BgrImage, cv2.resize(pixels, halved, interpolation=cv2.INTER_AREA))
    mode = cv2.INTER_LINEAR
    if pixels.shape[1] > most_sampled * width:
        doubled = np.empty((2 * height, 2 * width, 3), np.uint8)
        resize_into(doubled, pixels)
        pixels, mode = doubled, cv2.INTER_AREA
    cv2.resize(pixels, (width, height), dst=target, interpolation=mode)


def _whole_strides(side_px: int) -> int:
    """The side rounded up to whole strides."""
    return -(-side_px // STRIDE_PX) * STRIDE_PX
