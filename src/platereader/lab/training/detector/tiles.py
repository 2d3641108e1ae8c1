"""Training tiles for the detector: cut a scene at a chosen plate size, turn and mirror it, join four, change the light.

Every function keeps labels and pixels together. Pixel edges are whole numbers: the middle of the first pixel is 0.5.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader._geometry import Box, Quad
from platereader.lab.synthesis import degrade
from platereader.lab.synthesis.fields import log_uniform
from platereader.lab.synthesis.scene import Scene, ScenePlate
from platereader.results import Lines

FloatArray = NDArray[np.float32]

LINE_CLASSES: dict[Lines | None, int] = {1: 0, 2: 1, None: -1}
"""Class of a plate by its number of lines of text; -1 where that is unknown."""

_LINES_OF: dict[int, Lines | None] = {label: lines for lines, label in LINE_CLASSES.items()}
_NOWHERE = np.zeros((0, 4), np.float32)
_FILL = (114, 114, 114)
_MIRRORED = [1, 0, 3, 2]
_MIN_WIDTH_PX, _MIN_HEIGHT_PX = 8.0, 3.0
_WHOLE, _TRACE = 0.7, 0.05
_MAX_ENLARGEMENT = 2.2
_CUT_SHARE = 0.12
_ELSEWHERE_SHARE = 0.2
_TILT, _MIN_DEPTH = 0.16, 0.2
_PLATE_WIDTHS_PX = (14.0, 800.0)
# Most of what is missed is small.
_SMALL_SHARE, _SMALL_PX = 0.45, 44.0
# A picture may be little more than its plate.
_FILLING_SHARE, _FILLING = 0.05, (0.7, 1.0)
# Seen from a side, by up to 60 degrees.
_SIDEWAYS_SHARE, _NARROWEST = 0.12, 0.5
# Recorders that keep every other row of a picture show all plates flat.
_FLAT_SHARE, _FLATTEST = 0.08, 0.42
# Under a bumper or in a yard: how much of its light a plate and what is around it lose.
_SHADE_SHARE, _SHADE = 0.08, (0.4, 0.9)
# Probability and largest strength of each effect, in the order of the optical path: scene, lens, sensor, file.
_EFFECTS = (
    (degrade.shadow_edge, 0.08, 1.0),
    (degrade.white_balance, 0.5, 0.8),
    (degrade.contrast, 0.5, 0.6),
    (degrade.haze, 0.05, 0.5),
    (degrade.night, 0.1, 0.9),
    (degrade.infrared, 0.12, 1.0),
    (degrade.defocus, 0.15, 0.05),
    (degrade.motion_blur, 0.1, 0.05),
    (degrade.low_resolution, 0.08, 0.2),
    (degrade.sensor_noise, 0.25, 0.35),
    (degrade.jpeg, 0.4, 0.85),
)


@dataclass(frozen=True, slots=True, eq=False)
class LabelledScene:
    """A picture with what is known of its plates.

    Attributes:
        pixels: uint8 ``(H, W, 3)`` BGR.
        boxes: float32 ``(M, 4)``, ``x1, y1, x2, y2`` in pixels.
        lines: int64 ``(M,)``: class 0 for one line of text, 1 for two, -1 for unknown.
        corners: float32 ``(M, 4, 2)`` in pixels, in reading order; the box's own where not known.
        has_corners: bool ``(M,)``.
        ignored: float32 ``(K, 4)``: areas to learn nothing from.
        complete: whether every plate is labelled or ignored: what is neither is known to be none.
    """

    pixels: BgrImage
    boxes: FloatArray
    lines: NDArray[np.int64]
    corners: FloatArray
    has_corners: NDArray[np.bool_]
    ignored: FloatArray
    complete: bool = True

    @classmethod
    def of(cls, made: Scene, *, ignored: FloatArray = _NOWHERE, complete: bool = True) -> LabelledScene:
        """A picture with the plates that the synthesis knows in it; boxes are those around their corners."""
        corners = np.array([plate.quad.to_array() for plate in made.plates], np.float32).reshape(-1, 4, 2)
        return cls(
            made.pixels,
            _bounds(corners),
            np.array([LINE_CLASSES[plate.lines] for plate in made.plates], np.int64),
            corners,
            np.array([plate.corners is not None for plate in made.plates], np.bool_),
            ignored,
            complete,
        )

    def scene(self) -> Scene:
        """The picture in the words of the synthesis; corners only where they are known."""
        rows = zip(self.boxes, self.corners, self.has_corners, self.lines, strict=True)
        plates = tuple(
            ScenePlate(Box(*box.tolist()), Quad.from_points(corners) if known else None, _LINES_OF[int(label)])
            for box, corners, known, label in rows
        )
        return Scene(self.pixels, plates)

    def remade(self, made: Scene) -> LabelledScene:
        """The picture and its plates as the synthesis left them; areas as they were."""
        return LabelledScene.of(made, ignored=self.ignored, complete=self.complete)


SceneSource: TypeAlias = Callable[[np.random.Generator], LabelledScene]
"""Draws a scene."""


def box_points(boxes: FloatArray) -> FloatArray:
    """The corners ``(M, 4, 2)`` of boxes ``(M, 4)``, clockwise from the top left."""
    return boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)


def cut_tile(scene: LabelledScene, *, size: tuple[int, int], rng: np.random.Generator) -> LabelledScene:
    """A tile of ``(height, width)`` px around one plate of the scene, or in a fifth of the cases around any place.

    The plate's width in the tile is log-uniform between 14 and 800 px, as far as the scene's resolution and the tile
    allow; nearly half of the plates are smaller than 44 px, one in twenty fills the tile. A scene of which a plate is
    known only by its box is not turned: its upright box would become too wide.
    """
    focus, plate_px = _focus(scene, rng)
    scale = _scale(scene, plate_px, size, rng)
    warp = _linear_part(scale, turned=bool(scene.has_corners.all()), size=size, rng=rng)
    mirrored = rng.random() < 0.5
    if mirrored:
        warp = warp @ np.diag([-1.0, 1.0, 1.0])
    around = 16.0 if plate_px is None or rng.random() < _CUT_SHARE else 0.5 * plate_px * scale
    place = _place(scene, focus, scale=scale, around_px=around, size=size, mirrored=mirrored, rng=rng)
    matrix = _shift(*place) @ warp @ _shift(-focus[0], -focus[1])
    pixels = _warped(scene.pixels, matrix, scale, size)
    return _relabelled(scene, pixels, matrix, mirrored=mirrored)


def join_mosaic(scenes: Sequence[LabelledScene], *, size: tuple[int, int], rng: np.random.Generator) -> LabelledScene:
    """Tiles cut from four scenes, laid out two by two around a random middle, ``(height, width)`` px together."""
    height, width = size
    middle_y = int(height * rng.uniform(0.35, 0.65))
    middle_x = int(width * rng.uniform(0.35, 0.65))
    canvas = np.empty((height, width, 3), np.uint8)
    parts: list[LabelledScene] = []
    slots = [(y, x) for y in ((0, middle_y), (middle_y, height)) for x in ((0, middle_x), (middle_x, width))]
    for scene, ((y1, y2), (x1, x2)) in zip(scenes, slots, strict=True):
        tile = cut_tile(scene, size=(y2 - y1, x2 - x1), rng=rng)
        canvas[y1:y2, x1:x2] = tile.pixels
        point, area = np.array([x1, y1], np.float32), np.array([x1, y1, x1, y1], np.float32)
        parts.append(replace(tile, boxes=tile.boxes + area, corners=tile.corners + point, ignored=tile.ignored + area))
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("boxes", "lines", "corners", "has_corners", "ignored")
    }
    return LabelledScene(canvas, **joined, complete=all(part.complete for part in parts))


def relight(scene: LabelledScene, *, rng: np.random.Generator) -> LabelledScene:
    """The scene as another camera in another light would show it."""
    pixels = scene.pixels
    if len(scene.boxes) and rng.random() < _SHADE_SHARE:
        pixels = _shaded(pixels, scene.boxes[rng.integers(len(scene.boxes))], rng)
    for effect, probability, strongest in _EFFECTS:
        if rng.random() < probability:
            pixels = effect(pixels, rng=rng, strength=strongest * float(rng.random()))
    return replace(scene, pixels=pixels)


def _shaded(pixels: BgrImage, box: FloatArray, rng: np.random.Generator) -> BgrImage:
    """The picture with a plate and something around it in the shade, which has soft or hard edges."""
    width, height = float(box[2] - box[0]), float(box[3] - box[1])
    beyond = rng.uniform(0.1, 2.0, 4) * np.array([width, 3 * height, width, 3 * height])
    x1, y1, x2, y2 = (int(side) for side in box + beyond * np.array([-1, -1, 1, 1]))
    light = np.ones(pixels.shape[:2], np.float32)
    light[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)] -= rng.uniform(*_SHADE)
    soft = cv2.GaussianBlur(light, (0, 0), max(0.5, width * rng.uniform(0.02, 0.5)))
    return np.asarray(pixels * soft[..., None], np.uint8)


def shrunk(scene: LabelledScene, *, side_px: int) -> LabelledScene:
    """The scene with its longer side at most ``side_px`` px; the same one if it is."""
    height, width = scene.pixels.shape[:2]
    scale = side_px / max(height, width)
    if scale >= 1.0:
        return scene
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    x, y = size[0] / width, size[1] / height
    area, point = np.array([x, y, x, y], np.float32), np.array([x, y], np.float32)
    return replace(
        scene,
        pixels=cast(BgrImage, cv2.resize(scene.pixels, size, interpolation=cv2.INTER_AREA)),
        boxes=scene.boxes * area,
        corners=scene.corners * point,
        ignored=scene.ignored * area,
    )


def _focus(scene: LabelledScene, rng: np.random.Generator) -> tuple[tuple[float, float], float | None]:
    """A point that the tile shall show, and the width of the plate there (None for a place without one)."""
    height, width = scene.pixels.shape[:2]
    if not len(scene.boxes) or rng.random() < _ELSEWHERE_SHARE:
        return (width * float(rng.random()), height * float(rng.random())), None
    x1, y1, x2, y2 = (float(value) for value in scene.boxes[rng.integers(len(scene.boxes))])
    return ((x1 + x2) / 2, (y1 + y2) / 2), x2 - x1


def _scale(scene: LabelledScene, plate_px: float | None, size: tuple[int, int], rng: np.random.Generator) -> float:
    """Pixels of the tile per pixel of the scene."""
    height, width = scene.pixels.shape[:2]
    if plate_px is None:
        whole = min(size[0] / height, size[1] / width)
        return log_uniform(whole * 0.7, max(whole * 3.0, 1.0), rng=rng)
    low, high = _PLATE_WIDTHS_PX
    high = min(high, plate_px * _MAX_ENLARGEMENT, 0.95 * size[1])
    if rng.random() < _FILLING_SHARE:
        return min(rng.uniform(*_FILLING) * size[1] / plate_px, _MAX_ENLARGEMENT)
    # A scene far smaller than its tile would spend the time on grey.
    if rng.random() < _SMALL_SHARE:
        return log_uniform(min(low, high), min(_SMALL_PX, high), rng=rng) / plate_px
    low = min(max(low, 0.8 * plate_px * min(size[0] / height, size[1] / width)), high)
    return log_uniform(low, high, rng=rng) / plate_px


def _linear_part(scale: float, *, turned: bool, size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float64]:
    """Scale, aspect and, if ``turned``, rotation, shear and a little perspective, around the origin."""
    aspect = math.exp(rng.normal(0, 0.08))
    width = rng.uniform(_NARROWEST, 1.0) if rng.random() < _SIDEWAYS_SHARE else 1.0
    height = rng.uniform(_FLATTEST, 0.8) if rng.random() < _FLAT_SHARE else 1.0
    warp = np.diag([scale * math.sqrt(aspect) * width, scale / math.sqrt(aspect) * height, 1.0])
    if not turned:
        return warp
    angle = math.radians(rng.uniform(-45, 45) if rng.random() < 0.25 else rng.normal(0, 3))
    shear_x, shear_y = rng.normal(0, 0.14), rng.normal(0, 0.08)
    cos, sin = math.cos(angle), math.sin(angle)
    rotation = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    shear = np.array([[1, shear_x, 0], [shear_y, 1, 0], [0, 0, 1]])
    tilt = np.eye(3)
    # In parts of the tile: the same strength in pixels would turn large tiles inside out.
    tilt[2, :2] = np.clip(rng.normal(0, _TILT, 2), -2 * _TILT, 2 * _TILT) / max(size)
    turned_warp: NDArray[np.float64] = tilt @ rotation @ shear @ warp
    return turned_warp


def _shift(x: float, y: float) -> NDArray[np.float64]:
    """The matrix that moves by ``(x, y)``."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)


def _place(
    scene: LabelledScene,
    focus: tuple[float, float],
    *,
    scale: float,
    around_px: float,
    size: tuple[int, int],
    mirrored: bool,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Where in the tile the focus goes: anywhere, but with as little outside of the scene as possible."""
    place: list[float] = []
    for axis in (0, 1):
        tile = float(size[1 - axis])
        extent = scene.pixels.shape[1 - axis] * scale
        before = focus[axis] * scale
        if axis == 0 and mirrored:
            before = extent - before
        # Origins of the scene in the tile that leave no border, or keep all of a smaller scene inside.
        low, high = sorted((0.0, tile - extent))
        origin = rng.uniform(low, high)
        margin = min(around_px, 0.5 * tile)
        place.append(float(np.clip(origin + before, margin, tile - margin)))
    return place[0], place[1]


def _warped(pixels: BgrImage, matrix: NDArray[np.float64], scale: float, size: tuple[int, int]) -> BgrImage:
    """Pixels under a homography of pixel edges; shrunk by areas first where a plain warp would alias."""
    if scale < 0.6:
        # Only the part of the picture that the tile shows.
        tile = np.array([[[0, 0], [size[1], 0], [size[1], size[0]], [0, size[0]]]], np.float32)
        x1, y1, x2, y2 = _bounds(_mapped(tile, np.linalg.inv(matrix).astype(np.float64)))[0]
        left = int(np.clip(x1 - 4, 0, pixels.shape[1] - 1))
        top = int(np.clip(y1 - 4, 0, pixels.shape[0] - 1))
        pixels = pixels[top : max(top + 1, int(y2 + 5)), left : max(left + 1, int(x2 + 5))]
        height, width = pixels.shape[:2]
        small = (max(1, round(width * scale * 1.3)), max(1, round(height * scale * 1.3)))
        pixels = cast(BgrImage, cv2.resize(pixels, small, interpolation=cv2.INTER_AREA))
        matrix = matrix @ _shift(left, top) @ np.diag([width / small[0], height / small[1], 1.0])
    centred = _shift(-0.5, -0.5) @ matrix @ _shift(0.5, 0.5)
    return cast(BgrImage, cv2.warpPerspective(pixels, centred, (size[1], size[0]), borderValue=_FILL))


def _mapped(points: FloatArray, matrix: NDArray[np.float64]) -> FloatArray:
    """Points ``(M, P, 2)`` under a homography."""
    flat = np.concatenate((points, np.ones_like(points[..., :1])), -1) @ matrix.T
    mapped: FloatArray = (flat[..., :2] / np.maximum(flat[..., 2:], 1e-6)).astype(np.float32)
    return mapped


def _bounds(points: FloatArray) -> FloatArray:
    """Upright boxes ``(M, 4)`` around points ``(M, P, 2)``."""
    return np.concatenate((points.min(1), points.max(1)), -1).astype(np.float32)


def _relabelled(
    scene: LabelledScene, pixels: BgrImage, matrix: NDArray[np.float64], *, mirrored: bool
) -> LabelledScene:
    """The scene's labels under a homography; plates mostly cut off or too small become ignored areas."""
    height, width = pixels.shape[:2]
    limit = np.array([width, height, width, height], np.float32)
    corners = _mapped(scene.corners, matrix)
    if mirrored:
        corners = corners[:, _MIRRORED]
    full = _bounds(corners)
    boxes = np.clip(full, 0, limit)
    size, seen = full[:, 2:] - full[:, :2], boxes[:, 2:] - boxes[:, :2]
    share = np.prod(seen, 1) / np.maximum(np.prod(size, 1), 1e-6)
    big = (seen[:, 0] >= _MIN_WIDTH_PX) & (seen[:, 1] >= _MIN_HEIGHT_PX)
    # What is behind the horizon of the warp, where it divides by 0 or less, comes out mirrored or endless.
    depths = (scene.corners @ matrix[2, :2] + matrix[2, 2]).astype(np.float32)  # (M, 4)
    ahead = depths.min(1) > _MIN_DEPTH
    keep = ahead & (share >= _WHOLE) & big
    lost = ahead & ~keep & (share > _TRACE)
    ignored = _bounds(_mapped(box_points(scene.ignored), matrix))
    return LabelledScene(
        pixels,
        boxes[keep],
        scene.lines[keep],
        corners[keep],
        scene.has_corners[keep],
        np.concatenate((np.clip(ignored, 0, limit), boxes[lost])),
        scene.complete,
    )
