"""The pictures of the stress suite: which plates, and what is done to them.

Every picture has a seed of its own, made of the suite's, its part's name and its number. All of this is part of a
frozen suite: a change here changes its pictures, and with them every figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from typing import NamedTuple

import numpy as np

from platereader._arrays import BgrImage
from platereader._geometry import Quad
from platereader.lab.datasets.plates import RealPlate
from platereader.lab.synthesis.fields import log_uniform
from platereader.lab.synthesis.part import Part
from platereader.lab.synthesis.pose import CornerError, noisy_corners
from platereader.lab.synthesis.stress import damage
from platereader.lab.synthesis.stress.damage import EFFECTS
from platereader.lab.synthesis.stress.material import Material, Source, View, drawn, photographed
from platereader.plates import RUSSIA, PlateLayout
from platereader.results import Detection

_DRAWN_EACH = 60
_MIXED_EACH = 500
# The detector's corners on photographs it never saw: 2.0 % of the width in the median, 2.5 % in the mean.
_CORNERS = CornerError(median=0.02, tail=0.5)


@dataclass(frozen=True, slots=True, eq=False)
class StressPicture:
    """One picture of the suite, uint8 ``(H, W, 3)`` BGR, with the place that a reader is given and what it says."""

    part: Part
    frame: BgrImage
    detection: Detection
    text: str
    source: Source


_AXES: tuple[tuple[str, str, tuple[float, ...]], ...] = (
    ("nothing", "", (0,)),
    ("width", "px", (100, 80, 60, 48, 40)),
    ("yaw", "°", (15, 30, 45)),
    ("pitch", "°", (15, 30, 45)),
    ("roll", "°", (15, 30, 45)),
    ("motion_blur", "% of width", (2, 4, 6, 8)),
    ("defocus", "% of width", (0.5, 1, 1.5, 2)),
    ("jpeg", "quality", (60, 30, 15, 12)),
    ("night", "of the light", (0.5, 0.333, 0.167)),
    ("glare", "strength", (0.4, 0.8)),
    ("dirt", "% covered", (10, 20)),
    ("snow", "% covered", (10, 20)),
    ("occlusion", "% of width", (2, 4)),
)
_REGIONS = (2, 3)

PARTS: tuple[Part, ...] = (
    *(Part(axis, amount, unit) for axis, unit, amounts in _AXES for amount in amounts),
    *(Part("box", scale, "x the plate") for scale in (0.94, 1.0, 1.15, 1.3)),
    *(Part("type", 0, layout.name) for layout in RUSSIA.layouts),
    *(Part("region", digits, "random digits") for digits in _REGIONS),
    Part("mixed", 0, "everything"),
)
"""All parts that are scored by what is read, in the order of the table."""

CUT_PARTS: tuple[Part, ...] = tuple(Part("cut_off", amount, "% of width") for amount in (15, 20, 30, 40, 50))
"""Plates of which a part is missing: none of them may be taken for a whole one."""


def pictures(material: Material, parts: Iterable[Part] = PARTS) -> Iterator[StressPicture]:
    """Make the pictures of some parts, one after the other; the same ones every time."""
    for part in parts:
        for number, plate in enumerate(_plates(part, material)):
            rng = part.rng(number)
            view = photographed(plate) if isinstance(plate, RealPlate) else _drawn(part, plate, material, rng=rng)
            yield _with_detection(part, _damaged(part, view, rng=rng), rng=rng)


def part_size(part: Part, material: Material) -> int:
    """Number of pictures in a part."""
    return sum(1 for _ in _plates(part, material))


class _DrawnPlate(NamedTuple):
    """A plate to be drawn: its type, and whether in photographed lettering."""

    layout: PlateLayout
    composed: bool


def _plates(part: Part, material: Material) -> Iterator[RealPlate | _DrawnPlate]:
    """The plates of a part: photographs first, then drawn ones in our own lettering, then in photographed lettering."""
    if part.axis == "mixed":
        yield from islice(cycle(material.plates), _MIXED_EACH)
        layouts, each = RUSSIA.layouts, _MIXED_EACH
    elif part.axis == "type":
        layouts, each = (RUSSIA.layout(part.unit),), 50
    elif part.axis == "region":
        layouts, each = (RUSSIA.layout("standard"),), 150
    else:
        yield from material.plates
        layouts, each = (RUSSIA.layout("standard"),), _DRAWN_EACH
    for composed in (False, True):
        yield from (_DrawnPlate(layout, composed) for layout in islice(cycle(layouts), each))


def _drawn(part: Part, plate: _DrawnPlate, material: Material, *, rng: np.random.Generator) -> View:
    region = None
    if part.axis == "region":  # any digits, in use or not: a reader that has learnt which codes are common fails here
        digits = int(part.amount)
        lowest, beyond = (1, 100) if digits == 2 else (100, 1000)
        region = f"{int(rng.integers(lowest, beyond)):0{digits}d}"
    return drawn(
        RUSSIA.sample_text(plate.layout.plate_format, rng=rng, region=region),
        plate.layout,
        scenes=material.scenes,
        lettering=material.lettering if plate.composed else None,
        rng=rng,
    )


def _damaged(part: Part, view: View, *, rng: np.random.Generator) -> View:
    """The view made worse as the part says."""
    if part.axis == "mixed":
        return _mixed(view, rng=rng)
    view = damage.width(view, 140.0, rng=rng)
    if part.axis in ("type", "region"):
        return _ordinary(view, rng=rng)
    return EFFECTS[part.axis](view, part.amount, rng=rng) if part.axis in EFFECTS else view


def _ordinary(view: View, *, rng: np.random.Generator) -> View:
    """An ordinary photograph: a little of everything that is always there."""
    yaw, pitch, roll = (rng.normal(0.0, spread) for spread in (12.0, 6.0, 3.0))
    view = damage.turned(view, angles_deg=(yaw, pitch, roll))
    view = damage.width(view, rng.uniform(90, 140), rng=rng)
    view = damage.defocus(view, rng.uniform(0.1, 0.5), rng=rng)
    view = damage.darkness(view, rng.uniform(0.5, 1.0), rng=rng)
    view = damage.noise(view, rng.uniform(0.0, 5.0), rng=rng)
    return damage.jpeg(view, rng.uniform(50, 95), rng=rng)


def _mixed(view: View, *, rng: np.random.Generator) -> View:
    """Many effects at once, each of random strength."""
    yaw, pitch, roll = (rng.normal(0.0, spread) for spread in (16.0, 9.0, 6.0))
    view = damage.turned(view, angles_deg=(yaw, pitch, roll))
    if rng.random() < 0.3:
        name, most = (("dirt", 20.0), ("snow", 20.0), ("occlusion", 3.0), ("glare", 0.7))[int(rng.integers(4))]
        view = EFFECTS[name](view, rng.uniform(0.1, most), rng=rng)
    view = damage.width(view, log_uniform(45.0, 140.0, rng=rng), rng=rng)
    view = damage.defocus(view, rng.uniform(0.1, 1.2), rng=rng)
    if rng.random() < 0.4:
        view = damage.motion_blur(view, rng.uniform(1.0, 6.0), rng=rng)
    view = damage.darkness(view, rng.uniform(0.25, 1.0), rng=rng)
    view = damage.noise(view, rng.uniform(1.0, 9.0), rng=rng)
    return damage.jpeg(view, rng.uniform(20, 90), rng=rng)


def _with_detection(part: Part, view: View, *, rng: np.random.Generator) -> StressPicture:
    """The place that a reader is given: corners as wrong as the detector's, or for ``box`` parts the box alone."""
    if part.axis == "box":
        whole, grown = Quad.from_points(view.corners).box, (part.amount - 1) / 2
        box, quad = whole.padded(grown * whole.width, grown * whole.height), None
    else:
        quad = Quad.from_points(noisy_corners(view.corners, error=_CORNERS, rng=rng))
        box = quad.box
    return StressPicture(part, view.pixels, Detection(box, 1.0, quad, view.lines), view.text, view.source)
