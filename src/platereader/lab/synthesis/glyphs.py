"""The lettering of plates as vector outlines, drawn for this library.

Those of Russian plates follow GOST R 50577-2018: digits have a stroke of about 14.5 hundredths of their height (11 mm
of 76), letters 16 (9 mm of 58). For what they lack, and for the other faces, see ``faces``.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Literal, TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader.errors import UnknownNameError
from platereader.lab.synthesis.faces import DIN, FE, GOST_ADDED, PEN_WIDTHS
from platereader.lab.synthesis.outlines import pen_line, polygon
from platereader.plates._layout import Face

Mask: TypeAlias = NDArray[np.uint8]
"""uint8 ``(H, W)``, 0 = bare plate, 255 = ink."""

_UNITS_HIGH = 100
_BASE_PX_PER_UNIT = 4
_OVERSAMPLING = 2
_SUBPIXEL_BITS = 6

_OutlineFace: TypeAlias = Literal["gost", "fe", "din", "code"]

# One string a glyph, in a box 100 units high: its width, then shapes, each a chain of items as ``outlines`` has them.
# "+" starts a shape that adds ink, "-" one that cuts it out, "=" the line of a pen, of the width of the face.
_SIX = (
    "60.9 + o30.4,69.8,30.4,30.2,2 "
    "+ ~0,70,0.5,34,28,2 30.2,0,2 48.5,-0.5,3 47.5,5,2 ~45.5,7,29,21,22.5,37 21.5,40,2 33,39.7 33,60 "
    "- o30.6,69.2,15.5,15.5,2"
)

_OUTLINES = {
    "0": "60.4 + o30.2,50,30.2,50,2.25 - o30.2,50,16.2,35.1,2.25",
    "1": "47.5 + 31.5,0,4 47.5,0,3 47.5,100,2 33.3,100,2 33.3,19.5,3 9.2,45,4 -2,33.5,4",
    "2": "57.7 + 0.2,28.6,2 @29,29,28.7,29,184,395 20,85,3.5 57.3,85,2.5 57.3,100,3 0,100,3 0,83.5,5 "
    "@28.5,29,14.4,14.4,390,205 13,28.6,3.5",
    "3": "58.7 + 2.5,0,3 57.4,0,3 57.4,14,5 35.5,41.8,3.5 @29,70.2,29.6,29.6,302,532 -0.5,69.6,4 14,69.6,5 "
    "@29,70,14.6,14.6,150,-88 20,55.6,3 20,38.3,5 41,14,4 2.5,14,3",
    "4": "57 + 33,0 47.3,0 15.6,57,2.5 43.4,57,2.5 43.4,43,3 57,43,3 57,100,2 43.8,100,2 43.8,71,0.5 0,71,4 0,57,2",
    "5": "60.8 + 5,0.2,2.5 57.6,0.2,2.5 57.6,15,3 19.3,15,3 19.3,37,2 @29.5,68.5,31.2,31.5,270,500 -1.5,78.2,2.5 "
    "13,73.8,3 @29,67.8,17,16.8,145,-90 5,51.4,3",
    "6": _SIX,
    "7": "58.9 + 0.3,0,2.5 58.7,0,2.5 58.7,16,6 28.3,100,3 12.2,100,3 42.8,15,4 0.3,15,2.5",
    "8": "62.8 + o31.4,27,27.3,27,2 + o31.4,69,31.4,31,2 + 9.6,41,1 53.2,41,1 53.2,49,1 9.6,49,1 "
    "- o31.2,27.4,12.4,12.3,2.5 - o31.8,69,15.8,15.6,2",
    "A": "79.1 + 31.5,0,4 47.6,0,5 80.3,100,2.5 62.5,100,3 58,79.4,8 22,79.4,8 17,100,4 -1.6,100,3 "
    "- 39.7,22.8,4 51.8,63.6,4 27.6,63.6,4",
    "B": "69.8 + 0,0,4 @43,28,26.2,28,270,395 60.5,50,3 @43,72.3,26.8,27.7,-38,90 0.3,100,4 "
    "- 16,16.4,4 @41,29.2,12.6,12.8,270,450 16,42,4 - 16,58.2,4 @41,70.8,12.6,12.6,270,450 16,83.4,4",
    "C": "69.2 + @41.3,50,41.3,50,-55,-305 70,85.5,5 63.5,75.5,5 @41.7,50,25.3,33.6,60,300 63.5,24.5,5 70,14.5,5",
    "D": "70 + 0,0,4 70,0,36 70,100,36 0,100,4 - 15.8,16.2,3 54,16.2,21 54,83.8,21 15.8,83.8,3",
    "E": "58 + 0,0,4 57.6,0,3 57.6,15.9,3 18.9,15.9,2 18.9,40.3,2 52,40.3,3 52,55.9,3 18.9,55.9,2 18.9,84,2 58,84,3 "
    "58,100,3 0,100,4",
    "H": "74.5 + 0,0,4 18.8,0,4 18.8,39.5,3 55.8,39.5,3 55.8,0,4 74.5,0,4 74.5,100,4 55.8,100,4 55.8,57,3 18.8,57,3 "
    "18.8,100,4 0,100,4",
    "K": "68.4 + 0.2,0.5,3 15.2,0.5,3 15.2,44.2,5 53.7,0,5 68,0,3 69.5,4,3 36.6,40.8,6 67.2,91.5,4 69.8,99.8,3 "
    "53.5,100,4 26.8,53.9,5 15.2,67.7,4 15.2,99.7,3 0.2,99.7,3",
    "M": "82 + 0.4,0.2,3.5 15.5,0.2,5 40.4,40.8,3.6 65.4,0.2,5 81.6,0.2,3.5 81.4,100,3 65.6,100,3 67,27,4.3 "
    "40.4,70,3.5 14.5,25,4.8 15,100,3 0.4,100,3",
    "O": "84.6 + o42.3,50,42.3,50,2 - o42.6,50,25.7,33.7,2",
    "P": "67.1 + 0,0,4 @40,27.2,27,27.2,270,450 15.5,54.4,4 15.5,100,3 0,100,3 "
    "- 15.5,16,4 51.5,16,10 51.5,39,10 15.5,39,5",
    "T": "79.9 + 0,0,3 79.9,0,3 79.9,17.3,3 48.7,17.3,2 48.7,100,2.5 30.5,100,2.5 30.5,17.3,2 0,17.3,3",
    "X": "74.6 + -1.6,0,3 16.5,0,5 37.8,37.2,5.8 59.5,0,5 76.8,0.3,3 46.4,50,8 77,99.8,3 57,100,5 37.1,64.8,4.5 "
    "16.5,100,5 -2.3,99.8,3 28.7,50,8",
    "Y": "72.1 + -1.5,0.2,3.3 16.4,0.2,5 34.9,47.5,3.5 55.9,0.6,4 74,0.6,2.6 29.2,100,4 10.6,100,3.6 24.7,69.9,12",
}

_CODE_OUTLINES = {
    "R": "72 + 0,0 @42,28,28,28,270,450 14,56 14,100 0,100 + 30,50 46,50 72,100 56,100 "
    "- 14,13 @41,28,15,15,270,450 14,43",
    "U": "74 + 0,0 74,0 74,100,36 0,100,36 - 14,-1 60,-1 60,87,22 14,87,22",
    "S": "70 + @35,28.5,34,28,-25,-270 @35,71.5,21,15,-90,150 @35,71.5,35,28,155,-90 @35,28.5,19,15,90,325",
}

CHARACTERS = "0123456789ABCDEHKMOPTXY"
"""The 23 characters of Russian plates."""

_FACES: dict[_OutlineFace, dict[str, str]] = {
    "gost": _OUTLINES | GOST_ADDED,
    "fe": FE,
    "din": DIN,
    "code": _CODE_OUTLINES,
}
"""``"code"`` has the three letters of RUS, plain and thin."""


def glyph_aspect(char: str, *, face: Face | Literal["code"] = "gost") -> float:
    """Width of a character divided by its height.

    Raises:
        UnknownNameError: no outline for ``char``.
    """
    return float(_outline(char, face).split()[0]) / _UNITS_HIGH


@lru_cache(maxsize=16384)
def glyph_mask(
    char: str, *, width_px: int, height_px: int, grow: int = 0, face: Face | Literal["code"] = "gost"
) -> Mask:
    """The inked share of every pixel when a character fills a box, as a shared read-only array.

    Args:
        char: a digit or an upper-case Latin letter.
        width_px: width of the box in pixels, at least 1; need not keep the true aspect.
        height_px: its height in pixels, at least 1.
        grow: by how many quarters of a hundredth of the height every edge moves outwards; negative for thin strokes.
        face: shapes of the characters; ``"code"`` has the letters of RUS alone.

    Returns:
        uint8 ``(height_px, width_px)``, 0 = bare plate, 255 = ink, antialiased.

    Raises:
        UnknownNameError: no outline for ``char``.
    """
    halvings = max(0, math.floor(math.log2(_UNITS_HIGH * _BASE_PX_PER_UNIT / (2 * height_px))))
    base = _halved(char, grow, halvings, face) if halvings else _base_mask(char, grow, face)
    shrinks = width_px <= base.shape[1] and height_px <= base.shape[0]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    mask = cast(Mask, cv2.resize(base, (width_px, height_px), interpolation=method))
    mask.flags.writeable = False
    return mask


def _outline(char: str, face: _OutlineFace) -> str:
    """The outline of a character; a 9 is a 6 turned round."""
    outlines = _FACES[face]
    outline = outlines.get("6" if char == "9" else char)
    if outline is None:
        known = "".join(sorted({*outlines, *("9" if "6" in outlines else "")}))
        raise UnknownNameError(f"no outline for char {char!r}: allowed are {known}, upper-case Latin.")
    return outline


@lru_cache(maxsize=8192)
def _halved(char: str, grow: int, halvings: int, face: _OutlineFace) -> Mask:
    """The base of a character, halved so often, at least once: shrinking from the nearest one costs a fraction."""
    larger = _halved(char, grow, halvings - 1, face) if halvings > 1 else _base_mask(char, grow, face)
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
        for piece in pen_line(items, width=PEN_WIDTHS[face]) if sign == "=" else [polygon(items)]:
            points = np.asarray(piece) * (scale * 2**_SUBPIXEL_BITS)
            cv2.fillPoly(canvas, [points.round().astype(np.int32)], 0 if sign == "-" else 255, shift=_SUBPIXEL_BITS)
    if grow:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _OVERSAMPLING * abs(grow) + 1,) * 2)
        canvas = cast(Mask, (cv2.dilate if grow > 0 else cv2.erode)(canvas, kernel))
    size = (round(float(width) * _BASE_PX_PER_UNIT), _UNITS_HIGH * _BASE_PX_PER_UNIT)
    mask = cast(Mask, cv2.resize(canvas, size, interpolation=cv2.INTER_AREA))
    return np.ascontiguousarray(mask[::-1, ::-1]) if char == "9" else mask
