"""Drawn plates of every country at moderate severity, texts that two countries share, and what is no plate.

Every picture has a seed of its own, made of its group's name and its number.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from platereader._arrays import BgrImage
from platereader.lab.synthesis.camera import STREET, Camera, Step
from platereader.lab.synthesis.capture import CropProfile
from platereader.lab.synthesis.crops import PlateSample, plate_sample, random_text
from platereader.lab.synthesis.decoys import foreign_sample, lettered_sample, scenery_sample
from platereader.lab.synthesis.neighbours import NEIGHBOURS
from platereader.lab.synthesis.pose import CornerError
from platereader.plates import ILLEGIBLE, LATIN_36, RUSSIA, PlateScheme, Schemes
from platereader.plates._defaults import COUNTRIES
from platereader.results import Lines

_SEED = 20261129
_PLATES, _SHARED, _OTHERS = 200, 100, 1000
_MOST_TRIES = 400
# Letters of Russian plates that stand for themselves in the patterns of made-up plates.
_TAXI_LETTERS = "BEKMHOPCTYX"


def _milder(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The same effects, half as often and six tenths as strong."""
    return tuple(replace(one, probability=0.5 * one.probability, strongest=0.6 * one.strongest) for one in steps)


_PROFILE = CropProfile(
    camera=Camera(_milder(STREET.surface), _milder(STREET.view)),
    corner_error=CornerError(median=0.02, tail=0.5),
    camera_width_px=(80.0, 220.0),
)


@dataclass(frozen=True, slots=True)
class Group:
    """Pictures with something in common, such as ``KZ`` or ``lettering``.

    ``scheme`` is that of the plates; None for plates of no particular country, and for what ``is_plate`` says is none.
    Texts that are ``shared`` also fit a format of another country.
    """

    name: str
    count: int
    scheme: PlateScheme | None = None
    shared: bool = False
    is_plate: bool = True


_SCHEMES = (RUSSIA, *NEIGHBOURS)
# Of the others every text is shared.
_SHARING = ("RU", "BY", "KZ", "UA", "AM", "GE", "AZ", "KG", "UZ", "TJ", "MD")

GROUPS: Final[tuple[Group, ...]] = (
    *(Group(one.country, _PLATES, one) for one in _SCHEMES),
    *(Group(f"{one.country}, shared texts", _SHARED, one, True) for one in _SCHEMES if one.country in _SHARING),
    Group("other countries", _OTHERS),
    Group("other countries, texts of Russian taxis", _PLATES, shared=True),
    Group("lettering", _OTHERS, is_plate=False),
    Group("scenery", _OTHERS, is_plate=False),
)
"""All groups, in the order of the table."""


def pictures(group: Group, *, backgrounds: Sequence[BgrImage] = ()) -> Iterator[PlateSample]:
    """The plates of a group, or what is none, as the rectifier would hand them over; the same ones every time.

    ``backgrounds`` are photographs without plates; without any there is no scenery.
    """
    seed = zlib.crc32(group.name.encode())
    if group.name == "scenery" and not backgrounds:
        return
    for number in range(group.count):
        yield _picture(group, backgrounds, np.random.default_rng((_SEED, seed, number)))


def _picture(group: Group, backgrounds: Sequence[BgrImage], rng: np.random.Generator) -> PlateSample:
    """What is no plate, or a plate of which everything is legible, its text shared if the group says so."""
    if group.name == "scenery":
        return scenery_sample(rng, profile=_PROFILE, scenes=backgrounds)
    if not group.is_plate:
        return lettered_sample(rng, profile=_PROFILE, backgrounds=backgrounds)
    for _ in range(_MOST_TRIES):
        if group.scheme is not None:
            shown = _sharing(group.scheme) if group.shared else group.scheme
            made = plate_sample(rng, profile=_PROFILE, backgrounds=backgrounds, scheme=shown)
            fits = not group.shared or _is_shared(made.text, made.lines, group.scheme)
        else:
            pattern, fits = _taxi_pattern(rng) if group.shared else None, True
            made = foreign_sample(rng, alphabet=LATIN_36, profile=_PROFILE, backgrounds=backgrounds, pattern=pattern)
        if fits and ILLEGIBLE not in made.text:
            return made
    raise RuntimeError(f"no plate of the group {group.name!r} in {_MOST_TRIES} tries")


@functools.lru_cache(maxsize=32)
def _sharing(scheme: PlateScheme) -> PlateScheme:
    """The scheme with those of its layouts alone whose texts other countries share."""
    rng = np.random.default_rng(0)
    layouts = tuple(
        layout
        for layout in scheme.layouts
        if any(_is_shared(random_text(layout, rng=rng, scheme=scheme), layout.line_count, scheme) for _ in range(40))
    )
    return replace(scheme, layouts=layouts)


def _is_shared(text: str, lines: Lines, scheme: PlateScheme) -> bool:
    """Whether a text fits a format of another country with as many lines."""
    others = tuple(one for one in COUNTRIES if one is not scheme)
    return Schemes(others).fit(text, lines=lines).legal


def _taxi_pattern(rng: np.random.Generator) -> str:
    letters = "".join(_TAXI_LETTERS[index] for index in rng.integers(len(_TAXI_LETTERS), size=2))
    return f"{letters} DDDDD"
