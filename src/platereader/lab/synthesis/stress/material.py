"""What the stress suite is made from: photographs that nothing was trained on, and plates drawn into empty scenes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias, cast

import cv2
import numpy as np

from platereader._arrays import BgrImage
from platereader.lab.datasets import is_calibration, load_dataset
from platereader.lab.datasets.photographs import load_photographs
from platereader.lab.datasets.plates import RealPlate, cut_plates
from platereader.lab.synthesis.fields import pick
from platereader.lab.synthesis.holders import add_holder
from platereader.lab.synthesis.lettering import Lettering, cut_lettering
from platereader.lab.synthesis.pose import Corners, corners_of, homography, warp_onto
from platereader.lab.synthesis.render import render_plate
from platereader.media._images import read_image
from platereader.plates import PlateLayout
from platereader.results import Lines


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Photographed plates, sorted by file name, characters cut out of other pictures, and scenes without plates."""

    plates: tuple[RealPlate, ...]
    lettering: Lettering
    scenes: tuple[BgrImage, ...]


def load_material(root: Path) -> Material:
    """Read what the suite is made from: ``dev/russian``, and the calibration fifth of ``train``.

    Raises:
        DatasetError: one of ``dev/russian``, ``train/russian``, ``train/more`` and ``train/negatives`` is missing.
    """
    plates = sorted(cut_plates(load_dataset(root / "dev" / "russian").images), key=lambda plate: plate.name)
    sets = [load_photographs(root / "train" / name).images for name in ("russian", "more")]
    kept = sorted((one for images in sets for one in images if is_calibration(one.path)), key=lambda one: one.path.name)
    lettering = cut_lettering(plate for plate in cut_plates(kept) if plate.country in (None, "RU"))
    empty = sorted(one.path for one in load_photographs(root / "train" / "negatives").images)
    scenes = [read_image(path) for path in empty if is_calibration(path)][:80]
    return Material(tuple(plates), lettering, tuple(scenes))


Source: TypeAlias = Literal["photograph", "composed", "drawn"]
"""A photographed plate, one composed of photographed characters, or one in our own lettering."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A plate in a picture, uint8 ``(H, W, 3)`` BGR; ``corners`` are float32 ``(4, 2)`` in its pixels."""

    pixels: BgrImage
    corners: Corners
    lines: Lines
    text: str
    source: Source

    @property
    def width_px(self) -> float:
        """Mean length of the upper and the lower edge; of a two-line plate as if its lines stood side by side."""
        a, b, c, d = self.corners.tolist()
        return (math.dist(a, b) + math.dist(d, c)) / 2 * (1.0 if self.lines == 1 else 1.0 / 0.6)

    def point(self, across: float, down: float) -> tuple[float, float]:
        """The pixel (x, y) at shares of the plate's width and height, perspective included."""
        matrix = cv2.getPerspectiveTransform(corners_of((1.0, 1.0)), self.corners)
        x, y, w = (matrix @ np.array((across, down, 1.0))).tolist()
        return x / w, y / w

    def changed(self, pixels: BgrImage, *, corners: Corners | None = None) -> View:
        """The same plate in another picture."""
        return replace(self, pixels=pixels, corners=self.corners if corners is None else corners.astype(np.float32))


def photographed(plate: RealPlate) -> View:
    """A labelled plate as it is."""
    return View(plate.pixels, plate.corners, plate.lines, plate.text, "photograph")


def drawn(
    text: str, layout: PlateLayout, *, scenes: Sequence[BgrImage], lettering: Lettering | None, rng: np.random.Generator
) -> View:
    """A plate seen squarely before a piece of an empty scene, in photographed lettering if there is any."""
    height_px = 112 * layout.line_count
    front = render_plate(text, layout, height_px=height_px, rng=rng, lettering=lettering).pixels
    scene = pick(scenes, rng=rng)
    light = float(np.clip(np.quantile(scene, 0.9) / 255, 0.45, 1.0))
    front = cast(BgrImage, cv2.convertScaleAbs(front, alpha=light, beta=0))
    framed, inner = add_holder(front, rng=rng, light=light)
    width, height = (round(1.8 * side) for side in (framed.shape[1], framed.shape[0]))
    background = cast(BgrImage, cv2.resize(scene, (width, height), interpolation=cv2.INTER_LINEAR))
    corners = inner + np.array((0.22 * width, 0.22 * height), np.float32)
    warp_onto(background, framed, matrix=homography(inner, corners))
    return View(background, corners, layout.line_count, text, "drawn" if lettering is None else "composed")
