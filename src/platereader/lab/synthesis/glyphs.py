"""The lettering of plates as vector outlines, drawn for this library.

Those of Russian plates follow GOST R 50577-2018: digits have a stroke of about 14.5 hundredths of their height (11 mm
of 76), letters 16 (9 mm of 58). What they lack of the 26 letters, and the faces of other countries, are lines of a wide
pen, drawn by eye: ``fe`` after the FE-Schrift, of even widths, each character with something that keeps it from being
made into another (a cut 0, spurs on B and D, feet on I, an open P, a hook on F), ``din`` after the Mittelschrift of DIN
1451. A 9 is a 6 turned round.
"""

from __future__ import annotations

import math
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader.errors import UnknownNameError
from platereader.lab.synthesis.outlines import pen_line, polygon
from platereader.plates._layout import Face

Mask: TypeAlias = NDArray[np.uint8]
"""uint8 ``(H, W)``, 0 = bare plate, 255 = ink."""

_UNITS_HIGH = 100
_BASE_PX_PER_UNIT = 4
_OVERSAMPLING = 2
_SUBPIXEL_BITS = 6

_OutlineFace: TypeAlias = Face | Literal["code"]

CHARACTERS = "0123456789ABCDEHKMOPTXY"
"""The 23 characters of Russian plates."""

_PEN_WIDTHS: dict[_OutlineFace, float] = {"gost": 15.6, "fe": 13.5, "din": 13.6, "code": 12.0}
"""Width of the pen of each face, in hundredths of the height. ``"code"`` has the letters of RUS, plain and thin."""


@cache
def outlines() -> dict[tuple[str, str], str]:
    """By face and character the rows of ``outlines.txt``.

    An outline, in a box 100 units high, is its width, then shapes, each a chain of items as the module ``outlines`` has
    them: "+" starts a shape that adds ink, "-" one that cuts it out, "=" the line of a pen, of the width of the face. A
    ``skeleton`` is the middles of strokes: chains of points ``xy`` in a box 4 wide and 6 high, y down.
    """
    rows = Path(__file__).with_name("outlines.txt").read_text(encoding="utf-8").splitlines()
    return {(face, char): outline for face, char, outline in (row.split(" ", 2) for row in rows)}


def glyph_aspect(char: str, *, face: _OutlineFace = "gost") -> float:
    """Width of a character divided by its height.

    Raises:
        UnknownNameError: no outline for ``char``.
    """
    return float(_outline(char, face).split()[0]) / _UNITS_HIGH


@lru_cache(maxsize=16384)
def glyph_mask(char: str, *, width_px: int, height_px: int, grow: int = 0, face: _OutlineFace = "gost") -> Mask:
    """The inked share of every pixel when a character fills a box that need not keep its aspect; shared and read-only.

    Every edge moves outwards by ``grow`` quarters of a hundredth of the height; negative for thin strokes. The face
    ``"code"`` has the letters of RUS alone.

    Raises:
        UnknownNameError: no outline for ``char``.
    """
    halvings = max(0, math.floor(math.log2(_UNITS_HIGH * _BASE_PX_PER_UNIT / (2 * height_px))))
    return fitted(_halved(char, grow, halvings, face), size_px=(width_px, height_px))


def fitted(mask: Mask, *, size_px: tuple[int, int]) -> Mask:
    """The mask at that width and height, read-only."""
    shrinks = size_px[0] <= mask.shape[1] and size_px[1] <= mask.shape[0]
    resized = cast(Mask, cv2.resize(mask, size_px, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR))
    resized.flags.writeable = False
    return resized


def _outline(char: str, face: _OutlineFace) -> str:
    """The outline of a character; a 9 is a 6 turned round."""
    outline = outlines().get((face, "6" if char == "9" else char))
    if outline is None:
        known = {char for one, char in outlines() if one == face}
        allowed = "".join(sorted(known | ({"9"} if "6" in known else set())))
        raise UnknownNameError(f"no outline for char {char!r}: allowed are {allowed}, upper-case Latin.")
    return outline


@lru_cache(maxsize=8192)
def _halved(char: str, grow: int, halvings: int, face: _OutlineFace) -> Mask:
    """The base of a character, halved so often: shrinking from the nearest one costs a fraction."""
    if not halvings:
        return _base_mask(char, grow, face)
    larger = _halved(char, grow, halvings - 1, face)
    size = (max(1, larger.shape[1] // 2), max(1, larger.shape[0] // 2))
    return cast(Mask, cv2.resize(larger, size, interpolation=cv2.INTER_AREA))


@lru_cache(maxsize=256)
def _base_mask(char: str, grow: int, face: _OutlineFace) -> Mask:
    """A character at the resolution that all sizes are shrunk from."""
    outline = _outline(char, face).replace("+", "|+").replace("=", "|=").replace(" - ", " |- ")
    width, *shapes = outline.split("|")
    scale = _BASE_PX_PER_UNIT * _OVERSAMPLING
    canvas = np.zeros((_UNITS_HIGH * scale, round(float(width) * scale)), np.uint8)
    for shape in shapes:
        sign, *items = shape.split()
        for piece in pen_line(items, width=_PEN_WIDTHS[face]) if sign == "=" else [polygon(items)]:
            points = np.asarray(piece) * (scale * 2**_SUBPIXEL_BITS)
            cv2.fillPoly(canvas, [points.round().astype(np.int32)], 0 if sign == "-" else 255, shift=_SUBPIXEL_BITS)
    if grow:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _OVERSAMPLING * abs(grow) + 1,) * 2)
        canvas = cast(Mask, (cv2.dilate if grow > 0 else cv2.erode)(canvas, kernel))
    size = (round(float(width) * _BASE_PX_PER_UNIT), _UNITS_HIGH * _BASE_PX_PER_UNIT)
    mask = cast(Mask, cv2.resize(canvas, size, interpolation=cv2.INTER_AREA))
    return np.ascontiguousarray(mask[::-1, ::-1]) if char == "9" else mask
