"""A street picture and the plates known in it: what the generators of scenes take and return."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader._geometry import Box, Quad
from platereader.results import Lines


@dataclass(frozen=True, slots=True)
class ScenePlate:
    """One plate in a picture: the upright box around what is seen of it, and its corners at the outer metal edge.

    The corners, as it is read, are None where they are not marked, and may lie outside of a picture that cuts the
    plate. ``lines`` are None where not counted.
    """

    box: Box
    corners: Quad | None = None
    lines: Lines | None = None

    @property
    def quad(self) -> Quad:
        """The corners, or those of the box."""
        return self.corners or Quad.from_box(self.box)


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture, uint8 (H, W, 3) BGR, and every plate known in it."""

    pixels: BgrImage = field(repr=False)
    plates: tuple[ScenePlate, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """Something flat, seen squarely, that can be set into a picture.

    ``pixels`` are uint8 (H, W, 3) BGR, ``cover`` is uint8 (H, W), 0 where what is behind shows; None for the whole
    rectangle.
    """

    pixels: BgrImage
    cover: NDArray[np.uint8] | None = None
