"""What the suite ``ends`` is made from: photographed plates that nothing was trained on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np

from platereader.errors import DatasetError
from platereader.lab.datasets import load_dataset
from platereader.lab.datasets.labels import is_held_out
from platereader.lab.datasets.plates import RealPlate, cut_plates
from platereader.lab.synthesis.capture import crop_around
from platereader.lab.synthesis.legibility import Window, character_boxes
from platereader.lab.synthesis.stress import damage
from platereader.lab.synthesis.stress.material import View, photographed
from platereader.plates import RUSSIA, Schemes

Group: TypeAlias = Literal["two digits", "three digits", "no region", "foreign"]
"""Digits of the region of a Russian plate, or another country."""

GROUPS: tuple[Group, ...] = get_args(Group)

_RUSSIAN = Schemes((RUSSIA,))


@dataclass(frozen=True, slots=True, eq=False)
class EndPlate:
    """A plate, at most 140 px wide, to hide an end of; ``boxes`` are empty where its type has no layout."""

    view: View
    group: Group
    name: str
    boxes: tuple[Window, ...]


def load_material(root: Path) -> tuple[EndPlate, ...]:
    """Read the plates with corners: of ``dev/russian``, and the held-out part of four sets of ``train``.

    Raises:
        DatasetError: one of them is missing, or no plate can be used.
        MediaFileError: a photograph cannot be decoded.
    """
    images = list(load_dataset(root / "dev" / "russian").images)
    for name in ("russian", "streets", "more", "neighbours"):
        images += [one for one in load_dataset(root / "train" / name).images if is_held_out(one.path)]
    plates = prepared(cut_plates(images))
    if not plates:
        raise DatasetError(f"path {str(root)!r} has no held-out plate with corners: pass the folder of the sets.")
    return plates


def prepared(plates: Iterable[RealPlate]) -> tuple[EndPlate, ...]:
    """Plates as the suite takes them, sorted by the names of their files."""
    return tuple(_prepared(plate) for plate in sorted(plates, key=lambda one: (one.name, one.text)))


def _prepared(plate: RealPlate) -> EndPlate:
    rng = np.random.default_rng(0)  # of an effect that leaves nothing open
    view = _near(damage.width(photographed(plate), 140.0, rng=rng))
    fit = _RUSSIAN.fit(plate.text, lines=plate.lines)
    boxes: tuple[Window, ...] = ()
    if plate.country not in (None, "RU"):
        return EndPlate(view, "foreign", plate.name, boxes)
    if fit.plate_format is not None and fit.plate_format.line_count == plate.lines:
        boxes = character_boxes(plate.text, RUSSIA.layout(fit.plate_format.name))
    group: Group = "no region"
    if fit.region is not None:
        group = "three digits" if len(fit.region.code) > 2 else "two digits"
    return EndPlate(view, group, plate.name, boxes)


def _near(view: View) -> View:
    """The plate with as much of its surroundings as a reader may look at."""
    pixels, corners = crop_around(view.pixels, corners=view.corners, margin_px=0.3 * view.width_px)
    return view.changed(pixels.copy(), corners=corners)
