"""From the flat front of a plate, or a photograph of one, to what the rectifier hands to the reader."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import cv2
import numpy as np

from platereader._arrays import BgrImage
from platereader.lab.synthesis import obstacles, pose
from platereader.lab.synthesis.camera import PHOTOGRAPH, STREET, Camera, Step
from platereader.lab.synthesis.fields import log_uniform, pick
from platereader.lab.synthesis.holders import add_holder
from platereader.lab.synthesis.legibility import Window, inside, window_corners
from platereader.lab.synthesis.lettering import Lettering
from platereader.lab.synthesis.obstacle_shapes import Side
from platereader.lab.synthesis.pose import CornerError, Corners, PoseRange
from platereader.rectification._layout import DEFAULT_MARGIN
from platereader.results import Lines

SIZES_PX: Mapping[Lines, tuple[int, int]] = {1: (192, 48), 2: (160, 96)}
"""Width and height of a rectified plate by its lines."""

_RIGHT_SHARE = 0.6
_MOST_HIDDEN, _MOST_CUT = 0.45, 0.6
# With so little of its width missing a plate still shows whether it is whole: its field is wider than its text.
_RIM_HIDDEN, _RIM_CUT = 0.05, 0.03
_USUAL_BOXED_DEG, _STEEPEST_BOXED_DEG = 12.0, 30.0
_UP_TO_THE_ENDS: Window = (0.0, -1.0, 1.0, 2.0)
_INWARD = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)], np.float32)


@dataclass(frozen=True, slots=True)
class CropProfile:
    """What the samples look like.

    The effects of ``camera`` are for rendered plates, those of ``photograph`` for real ones, which have their own
    weather already. Of the samples ``box_share`` are cut by a loose or tight box instead of four corners, ``cut_share``
    lack one end, or the upper or lower part, ``hidden_share`` have one end hidden by something. Half of the rendered
    plates are written with ``lettering`` if there is any. ``margin`` is what the rectifier keeps around the corners, in
    parts of the height of one line; ``camera_width_px`` the range of a one-line plate's width in the camera's own
    pixels.
    """

    camera: Camera = STREET
    photograph: tuple[Step, ...] = PHOTOGRAPH
    pose: PoseRange = field(default_factory=PoseRange)
    corner_error: CornerError = field(default_factory=CornerError)
    box_share: float = 0.22
    cut_share: float = 0.0
    hidden_share: float = 0.0
    lettering: Lettering | None = field(default=None, compare=False)
    margin: float = DEFAULT_MARGIN
    camera_width_px: tuple[float, float] = (40.0, 220.0)


# ---------------------------------------------------------------- in front of the camera


def camera_width_px(rng: np.random.Generator, *, profile: CropProfile) -> float:
    """Width of the plate in the camera's pixels: half of them evenly spread, half leaning to the far and small."""
    low, high = profile.camera_width_px
    if rng.random() < 0.5:
        return float(rng.uniform(max(low, 0.35 * high), high))
    return log_uniform(low, max(low, 0.6 * high), rng=rng)


def place_on_background(
    front: BgrImage, *, quad: Corners, backgrounds: Sequence[BgrImage], rng: np.random.Generator
) -> tuple[BgrImage, Corners]:
    """Warp the plate in its holder onto a background a little larger than it."""
    framed, inner = add_holder(front, rng=rng)
    (left, top), (right, bottom) = quad.min(axis=0).tolist(), quad.max(axis=0).tolist()
    margin_x, margin_y = 0.10 * (right - left) + 2, 0.22 * (bottom - top) + 2
    quad = quad - np.array((left - margin_x, top - margin_y), np.float32)
    width, height = math.ceil(right - left + 2 * margin_x), math.ceil(bottom - top + 2 * margin_y)
    picture = _background((width, height), photographs=backgrounds, rng=rng)
    pose.warp_onto(picture, framed, matrix=pose.homography(inner, quad))
    return picture, quad


def _background(size_px: tuple[int, int], *, photographs: Sequence[BgrImage], rng: np.random.Generator) -> BgrImage:
    """A piece of a photograph, or a smooth play of colours, as a fresh picture of (width, height) pixels."""
    if photographs and rng.random() < 0.7:
        photograph = pick(photographs, rng=rng)
        width, height = size_px
        left = int(rng.integers(max(1, photograph.shape[1] - width + 1)))
        top = int(rng.integers(max(1, photograph.shape[0] - height + 1)))
        piece = photograph[top : top + height, left : left + width]  # a smaller photograph is enlarged
        return cast(BgrImage, cv2.resize(piece, size_px, interpolation=cv2.INTER_LINEAR))
    paint = rng.uniform(10, 240, 3) if rng.random() < 0.5 else np.full(3, rng.uniform(5, 245))
    grid = paint + rng.normal(0, rng.uniform(2, 45), (4, 5, 1)) + rng.normal(0, 6, (4, 5, 3))
    small = np.clip(grid, 0, 255).astype(np.uint8)
    mode = cv2.INTER_NEAREST if rng.random() < 0.15 else cv2.INTER_LINEAR
    return cast(BgrImage, cv2.resize(small, size_px, interpolation=mode))


def crop_around(frame: BgrImage, *, corners: Corners, margin_px: float | None = None) -> tuple[BgrImage, Corners]:
    """The part of a photograph around a plate, and the corners within it; a ``margin_px`` of None follows its size."""
    low, high = corners.min(axis=0), corners.max(axis=0)
    usual = (high - low) * np.array((0.2, 0.45), np.float32) + np.float32(2)
    margin = usual if margin_px is None else np.float32(margin_px)
    rows, columns = frame.shape[:2]
    left, top = np.clip(np.floor(low - margin), 0, (columns - 1, rows - 1)).astype(int).tolist()
    right, bottom = np.clip(np.ceil(high + margin), (left + 1, top + 1), (columns, rows)).astype(int).tolist()
    return frame[top:bottom, left:right], (corners - np.array((left, top), np.float32)).astype(np.float32)


# ---------------------------------------------------------------- as the rectifier would


class Visible(NamedTuple):
    """Which characters of a plate can be made out, and whether nothing is missing at its left and its right end."""

    legible: tuple[bool, ...]
    ends: tuple[bool, bool] = (True, True)

    def both(self, other: Visible) -> Visible:
        """What can be seen where either hides something."""
        legible = tuple(a and b for a, b in zip(self.legible, other.legible, strict=True))
        return Visible(legible, (self.ends[0] and other.ends[0], self.ends[1] and other.ends[1]))


def hide_some(
    picture: BgrImage, *, quad: Corners, boxes: Sequence[Window], profile: CropProfile, rng: np.random.Generator
) -> tuple[BgrImage, Corners, Sequence[Window], Visible]:
    """One end of some plates hidden by something: where a detector's corners of the plate are then, and what is seen.

    The edge of what hides it stands between two characters in half of the cases: nothing then says that one is missing.
    Corners that end at an obstacle leave out what can be seen beyond it; ``boxes`` are returned as places within them.
    """
    whole = Visible((True,) * len(boxes))
    if not boxes or rng.random() >= profile.hidden_share:
        return picture, quad, boxes, whole
    side: Side = "right" if rng.random() < _RIGHT_SHARE else "left"
    share = _random_share(boxes, side=side, largest=_MOST_HIDDEN, rng=rng)
    kind = pick(obstacles.KINDS, rng=rng)
    hidden = obstacles.hide_end(picture, quad=quad, side=side, share=share, kind=kind, rng=rng)
    shown = share <= _RIM_HIDDEN or obstacles.rim_visible(hidden, quad=quad, side=side)
    legible = tuple(obstacles.legible_boxes(hidden, quad=quad, boxes=boxes))
    if rng.random() < 0.35:
        outside = share * float(rng.uniform(0.7, 1.0))
        quad, boxes = (
            obstacles.without_end(quad, side=side, share=outside),
            obstacles.boxes_without_end(boxes, side=side, share=outside),
        )
        shown = shown and outside <= _RIM_CUT
    return hidden.pixels, quad, boxes, Visible(legible, (shown or side == "right", shown or side == "left"))


def cut_plate(
    picture: BgrImage,
    *,
    quad: Corners,
    boxes: Sequence[Window],
    lines: Lines,
    profile: CropProfile,
    rng: np.random.Generator,
) -> tuple[BgrImage, Visible]:
    """The plate cut out, or a part of it, and what can be seen of it; without ``boxes`` always whole."""
    window = _UP_TO_THE_ENDS
    if boxes and rng.random() < profile.cut_share:
        window = _random_window(boxes, rng)
        quad = window_corners(quad, window)
        if rng.random() < 0.5:
            picture = _cut_at_frame_edge(picture, quad, window)
    seen = Visible(tuple(inside(boxes, window)), (window[0] <= _RIM_CUT, window[2] >= 1.0 - _RIM_CUT))
    return rectified(picture, quad=quad, lines=lines, profile=profile, rng=rng), seen


def _random_share(boxes: Sequence[Window], *, side: Side, largest: float, rng: np.random.Generator) -> float:
    """How much of one end is missing: the rim alone, up to between two characters, or anything."""
    if rng.random() < 0.25:
        return float(rng.uniform(0.01, _RIM_HIDDEN))
    gaps = [share for share in obstacles.gap_shares(boxes, side=side) if 0 < share <= largest]
    if gaps and rng.random() < 0.5:
        return gaps[min(int(rng.exponential(0.8)), len(gaps) - 1)]
    return float(rng.uniform(0.02, largest))


def _random_window(boxes: Sequence[Window], rng: np.random.Generator) -> Window:
    """A part of a plate: mostly without one end, sometimes moved beyond the other, rarely without its top or bottom."""
    side: Side = "right" if rng.random() < _RIGHT_SHARE else "left"
    share = _random_share(boxes, side=side, largest=_MOST_CUT, rng=rng)
    if rng.random() < 0.1:
        return (0.0, max(share, 0.3), 1.0, 1.0) if rng.random() < 0.5 else (0.0, 0.0, 1.0, 1.0 - max(share, 0.3))
    beyond = share * float(rng.random()) if rng.random() < 0.3 else 0.0
    return (share, 0.0, 1.0 + beyond, 1.0) if side == "left" else (-beyond, 0.0, 1.0 - share, 1.0)


def _cut_at_frame_edge(picture: BgrImage, part: Corners, window: Window) -> BgrImage:
    """The picture as if its frame ended where the part does, on the side where something is missing."""
    cut: BgrImage = picture.copy()
    if window[0] > 0:
        edge = min(max(round(float(part[[0, 3], 0].mean())), 0), picture.shape[1] - 1)
        cut[:, :edge] = cut[:, edge : edge + 1]
    elif window[2] < 1:
        edge = min(max(round(float(part[[1, 2], 0].mean())), 1), picture.shape[1])
        cut[:, edge:] = cut[:, edge - 1 : edge]
    return cut


def rectified(
    picture: BgrImage, *, quad: Corners, lines: Lines, profile: CropProfile, rng: np.random.Generator
) -> BgrImage:
    """Cut the plate out by wrong corners, or by a box that is too loose or too tight."""
    size_px = SIZES_PX[lines]
    slope = math.atan2(float(quad[1, 1] - quad[0, 1]), float(quad[1, 0] - quad[0, 0]))
    steepest = _STEEPEST_BOXED_DEG if rng.random() < 0.3 else _USUAL_BOXED_DEG
    if rng.random() < profile.box_share and abs(slope) < math.radians(steepest):
        # An upright box around the plate, 4 % too tight to 15 % too loose.
        low, high = quad.min(axis=0), quad.max(axis=0)
        size = (high - low) * np.array((1.0, 1.6), np.float32)
        left, top = low - rng.uniform(-0.04, 0.15, 2) * size
        right, bottom = high + rng.uniform(-0.04, 0.15, 2) * size
        found, pad_px = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32), 0.0
    else:
        found = pose.noisy_corners(quad, error=profile.corner_error, rng=rng)
        pad_px = size_px[1] * profile.margin / (lines + 2 * profile.margin)
    matrix = pose.homography(found, (pose.corners_of(size_px) + pad_px * _INWARD).astype(np.float32))
    return pose.warped(picture, matrix, size_px=size_px)
