"""The pictures of the scenes suite: which plate in which frame.

Every picture has a seed of its own, made of its part's name and its number. All of this is part of a frozen suite: a
change here changes its pictures, and with them every figure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from platereader._arrays import BgrImage
from platereader._geometry import Box, Quad
from platereader.lab.synthesis.fields import either_sign, log_uniform, pick
from platereader.lab.synthesis.part import Part
from platereader.lab.synthesis.paste import random_front, replace_plate
from platereader.lab.synthesis.pose import homography
from platereader.lab.synthesis.render import Front, render_plate
from platereader.lab.synthesis.scene import Scene, ScenePlate
from platereader.lab.synthesis.scenes import frames
from platereader.lab.synthesis.scenes.frames import Photograph, plate_width
from platereader.lab.synthesis.scenes.material import Material, PlatePhotograph
from platereader.lab.synthesis.stress.damage import turned
from platereader.lab.synthesis.stress.material import View
from platereader.plates import RUSSIA

_SIZE_PX = (640, 480)
_WIDE_PX = (1280, 720)
_STREET_PX = (1920, 1080)
_TILTED_PX = (800, 600)
# Enlarged further than this, a photograph shows what no lens does.
_MAX_ENLARGEMENT = {"composed": 1.3, "rendered": 2.2}

_WIDTHS: Mapping[Part, tuple[float, float, int]] = {
    Part("width", 0, f"{low}-{high} px"): (low, high, count)
    for low, high, count in ((16, 24, 80), (24, 40, 170), (40, 60, 80), (60, 100, 110), (100, 200, 110))
}
_SHRUNK = tuple(Part("shrunk", width_px, "px") for width_px in (80, 60, 45))
_ROLLED = tuple(Part("rolled", angle_deg, "°") for angle_deg in (20, -20))
_CAMERA, _RENDERED, _COMPOSED = (Part("dashcam", 0, name) for name in ("camera", "rendered", "composed"))

TILTED = tuple(Part(f"tilted {axis}", angle_deg, "°") for axis in ("yaw", "roll") for angle_deg in (30, 45))
"""Parts that are read with several rectifiers."""

PARTS: tuple[Part, ...] = (*_WIDTHS, *_SHRUNK, *_ROLLED, _CAMERA, _RENDERED, _COMPOSED, *TILTED)
"""All parts, in the order of the table."""


@dataclass(frozen=True, slots=True, eq=False)
class ScenePicture:
    """One frame, uint8 ``(H, W, 3)`` BGR, with one plate to be found; text and corners are None where not known."""

    part: Part
    file: str
    frame: BgrImage
    box: Box
    corners: Quad | None
    text: str | None

    @property
    def width_px(self) -> float:
        """Width of the plate in the frame."""
        return self.box.width if self.corners is None else self.corners.width


def pictures(material: Material, part: Part) -> Iterator[ScenePicture]:
    """Make the pictures of a part, one after the other; the same ones every time."""
    make = _MAKERS[part.axis]
    for number, place in enumerate(_places(part, material)):
        yield make(part, place, rng=part.rng(number))


def part_size(part: Part, material: Material) -> int:
    """Number of pictures in a part."""
    return len(_places(part, material))


def _places(part: Part, material: Material) -> Sequence[PlatePhotograph]:
    """The photographs of a part, one for each picture."""
    if part in _WIDTHS:
        _, high, count = _WIDTHS[part]
        # Others would have to be enlarged.
        wide = [one for one in (*material.calibration, *material.dev) if one.corners.width >= 0.8 * high]
        rng = part.rng(-1 % 2**32)
        return [pick(wide, rng=rng) for _ in range(count)] if wide else ()
    if part in _SHRUNK:
        return [one for one in material.dev if one.corners.width >= part.amount]
    if part == _COMPOSED:
        return [*material.dev, *(one for one in material.calibration if one.russian_text)]
    return material.streets if part in (_CAMERA, _RENDERED) else material.dev


# ---------------------------------------------------------------- one picture of each kind


def _of_width(part: Part, place: PlatePhotograph, *, rng: np.random.Generator) -> ScenePicture:
    """A real car with a rendered plate of any kind, as wide as requested in a frame that a network takes as it is."""
    low, high, _ = _WIDTHS[part]
    width_px = log_uniform(low, high, rng=rng)
    photograph = _enlarged(place.load(), width_px=width_px)
    front = random_front(rng, height_px=_front_height(photograph), foreign_share=0.2)
    replaced = _replaced(photograph, front=front, rng=rng)
    matrix = frames.random_placement(replaced, width_px=width_px, size_px=_SIZE_PX, rng=rng)
    frame = frames.render_frame(replaced, matrix, size_px=_SIZE_PX)
    return _picture(part, place, frame, text=None, pixels=frames.ordinary_camera(frame.pixels, rng=rng))


def _shrunk(part: Part, place: PlatePhotograph, *, rng: np.random.Generator) -> ScenePicture:
    """A photograph so far away that its plate has the part's width in a frame of 1280 x 720 px."""
    photograph = place.load()
    matrix = frames.random_placement(photograph, width_px=part.amount, size_px=_WIDE_PX, rng=rng)
    return _picture(part, place, frames.render_frame(photograph, matrix, size_px=_WIDE_PX), text=place.russian_text)


def _rolled(part: Part, place: PlatePhotograph, *, rng: np.random.Generator) -> ScenePicture:
    """A photograph turned about its plate."""
    del rng
    photograph = place.load()
    corners = photograph.plates[0]
    middle = corners.mean(axis=0)
    cos, sin = math.cos(math.radians(part.amount)), math.sin(math.radians(part.amount))
    target = (corners - middle) @ np.array([(cos, sin), (-sin, cos)], np.float32) + middle
    height, width = photograph.pixels.shape[:2]
    frame = frames.render_frame(photograph, homography(corners, target.astype(np.float32)), size_px=(width, height))
    return _picture(part, place, frame, text=place.russian_text)


def _tilted(part: Part, place: PlatePhotograph, *, rng: np.random.Generator) -> ScenePicture:
    """A photograph turned with its plate's plane, as in the stress suite, to either side."""
    angle = part.amount * either_sign(rng)
    angles_deg = (angle, 0.0, 0.0) if part.axis.endswith("yaw") else (0.0, 0.0, angle)
    photograph = place.load()
    corners = photograph.plates[0]
    scale = np.float32(min(1.0, 130.0 / plate_width(corners)))
    view = View(np.zeros((1, 1, 3), np.uint8), corners * scale, place.lines, "", "photograph")
    target = turned(view, angles_deg=angles_deg).corners
    # Near the middle: towards a border the plane of the plate runs into its horizon.
    middle = np.array(_TILTED_PX) * (0.5 + rng.uniform(-0.08, 0.08, 2))
    target = target - target.mean(axis=0) + middle.astype(np.float32)
    frame = frames.render_frame(photograph, homography(corners, target), size_px=_TILTED_PX)
    return _picture(part, place, frame, text=place.russian_text)


def _dashcam(part: Part, place: PlatePhotograph, *, rng: np.random.Generator) -> ScenePicture:
    """A frame of a dash-cam as it is, or one made of other photographs."""
    photograph = place.load()
    if part == _CAMERA:
        return ScenePicture(part, place.image.path.name, photograph.pixels, place.box, place.plate.corners, None)
    widest = _MAX_ENLARGEMENT[part.unit] * place.corners.width
    width_px = log_uniform(80.0, max(80.0, min(200.0, widest)), rng=rng)
    text = place.russian_text
    if part == _RENDERED:
        photograph = _enlarged(photograph, width_px=width_px)
        text = RUSSIA.sample_text(RUSSIA.format("standard"), rng=rng)
        front = render_plate(text, RUSSIA.layout("standard"), height_px=_front_height(photograph), rng=rng)
        photograph = _replaced(photograph, front=front, rng=rng)
    matrix = frames.random_placement(photograph, width_px=width_px, size_px=_STREET_PX, rng=rng)
    frame = frames.render_frame(photograph, matrix, size_px=_STREET_PX)
    # The streets come from a dash-cam already.
    captured = (frames.ordinary_camera if part == _RENDERED else frames.dash_camera)(frame.pixels, rng=rng)
    return _picture(part, place, frame, text=text, pixels=captured)


_MAKERS: Mapping[str, Callable[..., ScenePicture]] = {
    "width": _of_width,
    "shrunk": _shrunk,
    "rolled": _rolled,
    "dashcam": _dashcam,
    **{part.axis: _tilted for part in TILTED},
}


# ---------------------------------------------------------------- steps


def _picture(
    part: Part, place: PlatePhotograph, frame: Photograph, *, text: str | None, pixels: BgrImage | None = None
) -> ScenePicture:
    quad = Quad.from_points(frame.plates[0])
    captured = frame.pixels if pixels is None else pixels
    box = quad.box.clipped(captured.shape[1], captured.shape[0]) or quad.box
    return ScenePicture(part, place.image.path.name, captured, box, quad, text)


def _enlarged(photograph: Photograph, *, width_px: float) -> Photograph:
    """The photograph with a plate of at least that width: a rendered plate is not to be as soft as an enlarged one."""
    scale = width_px / plate_width(photograph.plates[0])
    return photograph if scale <= 1.0 else frames.resized(photograph, scale=scale, interpolation=cv2.INTER_CUBIC)


def _front_height(photograph: Photograph) -> int:
    """Height to render a line at: somewhat more than the plate has in the photograph."""
    return int(np.clip(1.6 * Quad.from_points(photograph.plates[0]).height, 32, 112))


def _replaced(photograph: Photograph, *, front: Front, rng: np.random.Generator) -> Photograph:
    """The photograph with a rendered plate in the place of its first one."""
    quad = Quad.from_points(photograph.plates[0])
    made = replace_plate(Scene(photograph.pixels, (ScenePlate(quad.box, quad),)), index=0, front=front, rng=rng)
    return Photograph(made.pixels, (made.plates[0].quad.to_array(), *photograph.plates[1:]))
