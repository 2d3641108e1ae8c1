"""The clips of the video suite: which vehicles are in which.

Every clip has a seed of its own, made of its name. All of this is part of a frozen suite: a change here changes its
frames, and with them every figure.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from platereader.errors import InvalidArgumentError
from platereader.lab.synthesis.fields import pick
from platereader.lab.synthesis.scenes.material import PlatePhotograph
from platereader.lab.synthesis.video.clip import Clip, Vehicle
from platereader.lab.synthesis.video.layers import background_layer, cut_out, whole
from platereader.lab.synthesis.video.levels import LEVELS, Level
from platereader.lab.synthesis.video.material import Material
from platereader.lab.synthesis.video.plans import KINDS, WHOLE, Plan, plan

CLIPS = 80
"""Clips of each level."""

_MIN_SCALE = 0.42
_MAX_SCALE = 1.25


def clip_names(*, per_level: int = CLIPS) -> list[str]:
    """The names of the clips: level, number and what happens, which takes turns; the first ``per_level`` of each level.

    Raises:
        InvalidArgumentError: another number than 1 to ``CLIPS``.
    """
    if not 1 <= per_level <= CLIPS:
        raise InvalidArgumentError(f"per_level is {per_level}, allowed are 1 to {CLIPS} clips of each level.")
    return [
        f"{level.name} {number:02d} {KINDS[number % len(KINDS)]}" for level in LEVELS for number in range(per_level)
    ]


def clip(name: str, material: Material) -> Clip:
    """Make the clip of that name; its frames are made on request."""
    level_name, digits, kind = name.split(" ", 2)
    level = next(one for one in LEVELS if one.name == level_name)
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    places = _places(material, level, number=int(digits), kind=kind)
    widths = [place.corners.width for place in places[:3]]
    widest = min(widths) if kind in ("several", "crossing") else widths[0]
    planned = plan(kind, level=level, min_width_px=_MIN_SCALE * widths[0], max_width_px=_MAX_SCALE * widest, rng=rng)
    vehicles = _vehicles(planned, places, material, moves_whole=kind in WHOLE)
    used = {place.image.path for place in places[:4]}
    streets = [place for place in material.streets if place.image.path not in used]
    street = pick(streets, rng=rng)
    background = None if kind in WHOLE else background_layer(material.load(street))
    times = _times(planned, rng=rng)
    conditions = level.draw_conditions(times, rng=rng)
    return Clip(name, planned, vehicles, background, tuple(times), conditions)


def _places(material: Material, level: Level, *, number: int, kind: str) -> list[PlatePhotograph]:
    """Photographs of a clip: one for each vehicle, of different texts."""
    rng = np.random.default_rng(zlib.crc32(level.name.encode()))
    order: list[int] = np.roll(rng.permutation(len(material.places)), -2 * number).tolist()
    turned = [material.places[index] for index in order]
    if kind in WHOLE:  # one that need not be shrunk until it no longer fills the frame
        turned.sort(key=lambda place: _MIN_SCALE * place.corners.width > level.near_px[0])
    chosen: dict[str, PlatePhotograph] = {}
    for place in turned:
        chosen.setdefault(place.russian_text or "", place)
    return list(chosen.values())


def _vehicles(
    planned: Plan, places: Sequence[PlatePhotograph], material: Material, *, moves_whole: bool
) -> tuple[Vehicle, ...]:
    """One for each path, cut out of the photographs or one of these as it is, and one without a legible plate."""
    make = whole if moves_whole else cut_out
    vehicles = [
        Vehicle(make(material.load(place)), path, place.russian_text)
        for path, place in zip(planned.paths, places, strict=False)
    ]
    if planned.distractor is not None:
        blank = cut_out(material.load(places[len(planned.paths)]), legible=False)
        vehicles.append(Vehicle(blank, planned.distractor, None))
    return tuple(vehicles)


def _times(planned: Plan, *, rng: np.random.Generator) -> list[float]:
    """Times of the frames in seconds: cameras are not quite even, and some lose frames."""
    uneven = rng.uniform(-0.1, 0.1, planned.frames)
    lost = rng.random(planned.frames) < (0.08 if rng.random() < 0.25 else 0.0)
    lost[:10] = False
    return [(number + float(shift)) / planned.fps for number, shift in enumerate(uneven) if not lost[number]]
