"""The pictures of the suite ``ends``: which end of a plate is hidden, by what and how far.

Every picture has a seed of its own, made of the suite's, its variant's name and its number. All of this is part of a
frozen suite: a change here changes its pictures, and with them every figure.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from platereader._arrays import BgrImage
from platereader._geometry import Quad
from platereader.lab.synthesis import obstacles
from platereader.lab.synthesis.ends.material import EndPlate
from platereader.lab.synthesis.obstacle_shapes import Side
from platereader.lab.synthesis.pose import CornerError, noisy_corners
from platereader.lab.synthesis.stress import damage
from platereader.results import Detection

VariantKind: TypeAlias = obstacles.Kind | Literal["box", "frame_and_box", "whole"]
"""What hides the end; at ``box`` only the given place ends there, at ``frame_and_box`` the picture does, too."""

FUSED_FRAMES = 8
RIM_SHARE = 0.03
"""Hides the rim of a plate with two digits, and no character."""

_SEED = 20270311
# The detector's corners on photographs it never saw, as in the stress suite; those of one passage differ less.
_CORNERS = CornerError(median=0.02, tail=0.5)
_JITTER = CornerError(median=0.008, tail=0.3)

_DRAWN: Mapping[VariantKind, obstacles.Kind] = {**{kind: kind for kind in obstacles.KINDS}, "frame_and_box": "frame"}


@dataclass(frozen=True, slots=True)
class EndVariant:
    """One way to hide an end: a ``share`` of the plate's width, or so many ``characters``; the other one is 0.

    ``tone`` is None where the obstacle's kind has its own; ``frames`` are those of one passage, whose evidence is
    fused.
    """

    kind: VariantKind
    side: Side
    share: float = 0.0
    characters: int = 0
    tone: float | None = None
    frames: int = 1

    @property
    def name(self) -> str:
        """Such as ``post 128 right 16 %``."""
        tone = "" if self.tone is None else f" {self.tone:g}"
        where = f"{100 * self.share:g} %" if self.share else ("1 character", "2 characters")[self.characters - 1]
        fused = "" if self.frames == 1 else f", {self.frames} frames"
        return self.kind + fused if self.kind == "whole" else f"{self.kind}{tone} {self.side} {where}{fused}"

    def rng(self, number: int, frame: int = 0) -> np.random.Generator:
        """The source of randomness of one frame of one picture."""
        return np.random.default_rng((_SEED, zlib.crc32(self.name.encode()), number, frame))

    def share_of(self, plate: EndPlate) -> float | None:
        """The share that is hidden of a plate; None where it is unknown, or the plate is none of this variant's."""
        if self.frames > 1 and plate.group != "three digits":
            return None
        if not self.characters:
            return self.share
        gaps = obstacles.gap_shares(plate.boxes, side=self.side)
        return gaps[self.characters - 1] if len(gaps) >= self.characters else None


_Looks: TypeAlias = tuple[tuple[VariantKind, float | None], ...]  # kind and tone

_OFTEN: _Looks = (
    ("post", 12.0), ("post", 128.0), ("post", 235.0), ("ground_post", None), ("ground_strip", None), ("snow", 240.0),
    ("frame", None), ("box", None), ("frame_and_box", None),
)  # fmt: skip
_RARELY: _Looks = (
    ("post", 190.0), ("snow", 150.0), ("strip", 70.0), ("dirt", None), ("bar", 45.0), ("another_plate", None),
    ("hand", None),
)  # fmt: skip
_FUSED: _Looks = (("post", 128.0), ("ground_strip", None), ("frame", None), ("frame_and_box", None))

# Shares of the width, and whole numbers of characters.
_LISTED: tuple[tuple[_Looks, Side, tuple[float, ...]], ...] = (
    (_OFTEN, "right", (0.02, RIM_SHARE, 0.06, 0.09, 1, 0.16, 2, 0.25, 0.4)),
    (_OFTEN, "left", (RIM_SHARE, 0.09, 1, 0.3)),
    (_RARELY, "right", (0.09, 1, 0.25)),
    (_RARELY, "left", (1,)),
)

VARIANTS: tuple[EndVariant, ...] = (
    EndVariant("whole", "right"),
    *(
        EndVariant(kind, side, amount % 1.0, int(amount), tone)
        for looks, side, amounts in _LISTED
        for kind, tone in looks
        for amount in amounts
    ),
    EndVariant("whole", "right", frames=FUSED_FRAMES),
    *(EndVariant(kind, "right", characters=1, tone=tone, frames=FUSED_FRAMES) for kind, tone in _FUSED),
)
"""All ways to hide an end, in the order of the table; those of several frames are the last."""


@dataclass(frozen=True, slots=True, eq=False)
class EndPicture:
    """A plate of which an end is hidden, as one frame, uint8 ``(H, W, 3)`` BGR, or several, with its place in each.

    ``hidden`` says whether a character is; None where their places are unknown.
    """

    variant: EndVariant
    plate: EndPlate
    frames: tuple[BgrImage, ...]
    detections: tuple[Detection, ...]
    hidden: bool | None


def pictures(plates: Sequence[EndPlate], variant: EndVariant) -> Iterator[EndPicture]:
    """Make the pictures of a variant, one after the other; the same ones every time."""
    for number, plate in enumerate(plates):
        share = variant.share_of(plate)
        if share is not None:
            yield _picture(plate, variant, share=share, number=number)


def part_size(plates: Sequence[EndPlate], variant: EndVariant) -> int:
    """Number of pictures of a variant; several frames of a plate are one."""
    return sum(variant.share_of(plate) is not None for plate in plates)


def _picture(plate: EndPlate, variant: EndVariant, *, share: float, number: int) -> EndPicture:
    rng = variant.rng(number)
    pixels, corners = plate.view.pixels, plate.view.corners
    hidden = obstacles.Hidden(pixels, np.zeros(pixels.shape[:2], np.float32))
    if kind := _DRAWN.get(variant.kind):
        side, tone = variant.side, variant.tone
        hidden = obstacles.hide_end(pixels, quad=corners, side=side, share=share, kind=kind, rng=rng, tone=tone)
    if variant.kind in ("box", "frame_and_box"):
        corners = obstacles.without_end(corners, side=variant.side, share=share)
    found = noisy_corners(corners, error=_CORNERS, rng=rng)
    if variant.frames == 1:
        frames, places = [hidden.pixels], [found]
    else:
        shown = plate.view.changed(hidden.pixels)
        sources = [variant.rng(number, 1 + index) for index in range(variant.frames)]
        frames = [damage.noise(shown, 2.0, rng=source).pixels for source in sources]
        places = [noisy_corners(found, error=_JITTER, rng=source) for source in sources]
    quads = [Quad.from_points(place) for place in places]
    detections = tuple(Detection(quad.box, 1.0, quad, plate.view.lines) for quad in quads)
    if variant.kind == "box":
        legible = obstacles.legible_in_part(plate.boxes, side=variant.side, share=share)
    else:
        legible = obstacles.legible_boxes(hidden, quad=plate.view.corners, boxes=plate.boxes)
    hides = not all(legible) if plate.boxes else None
    return EndPicture(variant, plate, tuple(frames), detections, hides)
