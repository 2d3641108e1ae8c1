"""One end of a plate hidden: by a post, snow, a bar, another plate, a hand, dirt, fresh paint, or the end of the frame.

When the last digit of a three-digit region is hidden, the rest is a legal text too. A reader must learn to say so, and
a suite must measure whether it does; both hide ends with this. What is hidden is measured in the plate's own plane.
The suite ``ends`` is frozen: a change of the pictures made here changes its pictures, and with them every figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias, get_args

import cv2
import numpy as np

from platereader._arrays import BgrImage
from platereader.errors import InvalidArgumentError
from platereader.lab.synthesis.fields import FloatImage
from platereader.lab.synthesis.legibility import Window, inside, window_corners
from platereader.lab.synthesis.obstacle_shapes import OBSTACLES, Side, ground_of, plane_of, random_colour, with_layer
from platereader.lab.synthesis.pose import Corners, corners_of, homography

Kind: TypeAlias = Literal[
    "post", "ground_post", "snow", "dirt", "bar", "another_plate", "hand", "strip", "ground_strip", "frame"
]
"""What hides the end. A ``strip`` is flat and sharp, like fresh paint or tape; those named ``ground`` have the colour
that the plate has there. At a ``frame`` the picture ends, and its last column is repeated."""

_IN_GROUND_TONES: frozenset[Kind] = frozenset(("ground_post", "ground_strip", "dirt"))

KINDS: tuple[Kind, ...] = get_args(Kind)
"""All kinds, in the order of ``Kind``."""

_RIM = 0.012
_MOST_SHARE = 0.6
_FRONT_PX = (416, 104)
_MOST_HIDDEN = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Hidden:
    """A picture in which something is hidden, uint8 ``(H, W, 3)`` BGR, a new array.

    ``opacity``, float32 ``(H, W)``, 0 to 1, says how far the obstacle covers each pixel; at 0 the picture is as it was.
    """

    pixels: BgrImage
    opacity: FloatImage


def hide_end(
    picture: BgrImage,
    *,
    quad: Corners,
    side: Side,
    share: float,
    kind: Kind,
    rng: np.random.Generator,
    tone: float | None = None,
) -> Hidden:
    """Hide one end of a plate, as it is read; the picture is not written to.

    The obstacle ends a ``share`` of the plate's width from that end, at half the plate's height and in its plane, up to
    0.6. A rough edge has it on average; a thin obstacle leaves the rim visible. ``tone`` is its grey level, 0 to 255;
    None draws one. Kinds in the tones of the ground, a hand and another plate have tones of their own.

    Raises:
        InvalidArgumentError: a share outside of 0 to 0.6.
    """
    if not 0 < share <= _MOST_SHARE:
        raise InvalidArgumentError(f"share is {share}, allowed are more than 0 and up to {_MOST_SHARE}.")
    if kind == "frame":
        return _ended_frame(picture, quad=quad, side=side, share=share)
    plane = plane_of(picture, quad=quad, side=side)
    base = ground_of(plane) if kind in _IN_GROUND_TONES else random_colour(tone, rng=rng)
    layer = OBSTACLES[kind.removeprefix("ground_")](plane, share, base, rng)
    return Hidden(with_layer(picture, layer, rng=rng), layer.opacity)


def _ended_frame(picture: BgrImage, *, quad: Corners, side: Side, share: float) -> Hidden:
    """The picture up to an upright line through the plate; beyond it the last column is repeated."""
    inwards = share if side == "left" else 1.0 - share
    edge, middle = window_corners(quad, (inwards, 0.5, 0.5, 0.5))[:2, 0].tolist()
    column = min(max(round(edge), 1), picture.shape[1] - 1)
    pixels, opacity = picture.copy(), np.zeros(picture.shape[:2], np.float32)
    beyond, last = (slice(column, None), column - 1) if edge > middle else (slice(column), column)
    pixels[:, beyond] = picture[:, last : last + 1]
    opacity[:, beyond] = 1.0
    return Hidden(pixels, opacity)


def without_end(quad: Corners, *, side: Side, share: float) -> Corners:
    """Corners of what is left of a plate without a share of its width, as of a detector whose box ends there."""
    return window_corners(quad, _window(side, share))


def boxes_without_end(boxes: Sequence[Window], *, side: Side, share: float) -> tuple[Window, ...]:
    """Places of the characters within what ``without_end`` leaves; those of the missing end reach beyond it."""
    start, _, end, _ = _window(side, share)
    width = end - start
    return tuple(((left - start) / width, top, (right - start) / width, bottom) for left, top, right, bottom in boxes)


def gap_shares(boxes: Sequence[Window], *, side: Side) -> list[float]:
    """Where an edge stands between two neighbouring characters, as shares from one end inwards, the smallest first."""
    middles = [(first[2] + second[0]) / 2 for first, second in pairwise(boxes) if second[0] > first[0]]
    return sorted(middle if side == "left" else 1.0 - middle for middle in middles)


def legible_boxes(hidden: Hidden, *, quad: Corners, boxes: Sequence[Window]) -> list[bool]:
    """Whether at most 20 % of each character's place is hidden or outside; ``quad`` is that of the whole plate."""
    width, height = _FRONT_PX
    matrix = homography(quad, corners_of((float(width), float(height))))
    opacity = cv2.warpPerspective(
        hidden.opacity, matrix, _FRONT_PX, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=1.0
    )
    covered = (opacity >= 0.5).astype(np.float32)  # seen from the front: 1 where nothing can be made out
    legible: list[bool] = []
    for box in boxes:
        left, right = (min(max(round(edge * width), 0), width) for edge in (box[0], box[2]))
        top, bottom = (min(max(round(edge * height), 0), height) for edge in (box[1], box[3]))
        cell = covered[top : max(bottom, top + 1), left : max(right, left + 1)]
        legible.append(cell.size > 0 and float(cell.mean()) <= _MOST_HIDDEN)
    return legible


def legible_in_part(boxes: Sequence[Window], *, side: Side, share: float) -> list[bool]:
    """Likewise for a plate that is cut out ``without_end``."""
    left, _, right, _ = _window(side, share)
    return inside(boxes, (left, -1.0, right, 2.0))


def rim_visible(hidden: Hidden, *, quad: Corners, side: Side) -> bool:
    """Whether the outer rim of that side can still be seen, nearly all of it; ``quad`` is the whole plate's."""
    rim: Window = (0.0, 0.0, _RIM, 1.0) if side == "left" else (1.0 - _RIM, 0.0, 1.0, 1.0)
    return legible_boxes(hidden, quad=quad, boxes=[rim])[0]


def _window(side: Side, share: float) -> Window:
    return (share, 0.0, 1.0, 1.0) if side == "left" else (0.0, 0.0, 1.0 - share, 1.0)
