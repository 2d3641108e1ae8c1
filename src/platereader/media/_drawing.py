"""Readings drawn onto a copy of the frame: outline, text and confidence, coloured by status.

A label has the local spelling where the font has all of its letters. The font that comes inside Pillow has Latin ones
only; the Cyrillic letters on plates look like them, so such a label serves readers of Cyrillic, too.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from platereader._arrays import BgrImage, check_image
from platereader._geometry import Box, Quad, shared_area
from platereader.errors import MediaFileError
from platereader.plates import ILLEGIBLE
from platereader.results import HasVerdict, PlateReading, Status, StreamUpdate

# Ink of the outline and of the label's background, blue-green-red, and whether its text is white.
_COLOURS: dict[Status, tuple[tuple[int, int, int], bool]] = {
    "read": ((60, 140, 10), True),
    "uncertain": ((0, 190, 255), False),
    "unreadable": ((90, 90, 90), True),
}
_WHITE = (255, 255, 255)
_BLACK = (0, 0, 0)
_UNREADABLE = "unreadable"
_MIN_FONT_PX = 7
_SUBPIXEL_BITS = 4
_MAX_COORDINATE_PX = 100_000
_GLYPH_PX = 40
_NO_CHARACTER = "\uffff"  # what every font draws like any other that it lacks


@dataclass(frozen=True, slots=True)
class _Mark:
    """One plate to draw: where, what to write, how sure, and whether it was seen in this very frame."""

    outline: Quad
    text: str
    status: Status
    seen: bool = True


@dataclass(frozen=True, slots=True)
class _Style:
    """How labels are written."""

    font: str | None
    show_country: bool

    def label(self, shown: str | None, plate: HasVerdict) -> str:
        """What the label says: the text, in local letters if the font has them, the country and the confidence."""
        if shown is None:
            return _UNREADABLE
        local = _local(shown, plate.text_local)
        text = local if _has_letters(local, self.font) else shown
        country = f" {plate.country}" if self.show_country and plate.country is not None else ""
        return f"{text}{country} {math.floor(100 * plate.confidence)}%"


def draw_readings(
    frame: BgrImage, readings: Sequence[PlateReading], *, show_country: bool = False, font: str | Path | None = None
) -> BgrImage:
    """Outline and label every reading that has a place in the frame.

    An uncertain reading is written with ``?`` for its doubtful characters; confidences are rounded down.

    Args:
        frame: uint8 ``(H, W, 3)`` BGR; never written to.
        readings: of this frame; those of already cropped plates have no place and are left out.
        show_country: whether the code of a plate's country stands beside its text, for pipelines that read several.
        font: a TrueType or OpenType file, whose letters are used for local spellings; by default one with Latin letters
            only.

    Returns:
        uint8 ``(H, W, 3)`` BGR, a new array.

    Raises:
        InvalidImageError: ``frame`` is not such an array.
        MediaFileError: ``font`` is no font that can be read.
    """
    style = _Style(_font_file(font), show_country)
    return _draw(frame, [mark for reading in readings if (mark := _mark_of(reading, style)) is not None], style)


def draw_update(
    frame: BgrImage, update: StreamUpdate, *, show_country: bool = False, font: str | Path | None = None
) -> BgrImage:
    """Box and label every plate that a stream follows; thin where the place is only predicted.

    Args:
        frame: the frame that ``update`` is about: uint8 ``(H, W, 3)`` BGR; never written to.
        update: what ``PlateStream.update`` returned for it.
        show_country: as for ``draw_readings``.
        font: likewise.

    Returns:
        uint8 ``(H, W, 3)`` BGR, a new array.

    Raises:
        InvalidImageError: ``frame`` is not such an array.
        MediaFileError: ``font`` is no font that can be read.
    """
    style = _Style(_font_file(font), show_country)
    marks = [
        _Mark(
            Quad.from_box(plate.box),
            f"#{plate.passage_id} {style.label(plate.text, plate)}",
            plate.status,
            seen=plate.last_seen_s >= update.timestamp_s,
        )
        for plate in update.active
    ]
    return _draw(frame, marks, style)


def _mark_of(reading: PlateReading, style: _Style) -> _Mark | None:
    detection = reading.detection
    if detection is None:
        return None
    shown = reading.masked_text if reading.status == "uncertain" else reading.text
    outline = detection.corners or Quad.from_box(detection.box)
    return _Mark(outline, style.label(shown, reading), reading.status)


def _local(shown: str, text_local: str | None) -> str:
    """The local spelling with ``?`` where the text that is shown has it; the text where there is none."""
    if text_local is None or len(text_local) != len(shown):
        return shown
    return "".join(one if char != ILLEGIBLE else char for one, char in zip(text_local, shown, strict=True))


def _draw(frame: BgrImage, marks: Sequence[_Mark], style: _Style) -> BgrImage:
    """Outlines first, so that none crosses a label."""
    canvas: BgrImage = check_image(frame).copy()
    for mark in marks:
        _draw_outline(canvas, mark)
    occupied = [mark.outline.box for mark in marks]
    for mark in marks:
        text = _text_mask(mark.text, _font_px(mark, canvas), style.font)
        place = _label_box(mark.outline.box, text, canvas, occupied)
        occupied.append(place)
        _draw_label(canvas, mark.status, text, place)
    return canvas


def _line_px(canvas: BgrImage) -> int:
    """Width of an outline: two pixels on a screenful, more on a large photograph."""
    return max(1, int(max(canvas.shape[:2]) / 600 + 0.5))


def _font_px(mark: _Mark, canvas: BgrImage) -> int:
    """Height of the letters: that of the plate, within what suits the frame."""
    height, width = canvas.shape[:2]
    usual = max(height, width)
    wanted = min(max(0.8 * mark.outline.height, 14, usual / 60), max(18.0, usual / 28))
    # A letter is about 0.6 of its height wide; the label has to fit into the frame.
    return max(_MIN_FONT_PX, int(min(wanted, width / (0.65 * (len(mark.text) + 1)), height / 1.6)))


def _draw_outline(canvas: BgrImage, mark: _Mark) -> None:
    """A coloured line around the plate on a dark rim, which shows on any paint."""
    points = np.clip(mark.outline.to_array(), -_MAX_COORDINATE_PX, _MAX_COORDINATE_PX) * (1 << _SUBPIXEL_BITS)
    polygon = [points.round().astype(np.int32)]
    ink, _ = _COLOURS[mark.status]
    line_px = _line_px(canvas)
    widths = ((line_px + 2, _BLACK), (line_px, ink)) if mark.seen else ((1, ink),)
    for thickness, colour in widths:
        cv2.polylines(canvas, polygon, True, colour, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)


def _font_file(font: str | Path | None) -> str | None:
    """The font's path, once it is known to be one.

    Raises:
        MediaFileError: it cannot be read as a font.
    """
    if font is None:
        return None
    try:
        _font(_MIN_FONT_PX, str(font))
    except OSError as error:
        raise MediaFileError(
            f"font is {str(font)!r}, which cannot be read as a font ({error}): name a .ttf or .otf file."
        ) from error
    return str(font)


@lru_cache(maxsize=32)
def _font(size_px: int, file: str | None) -> ImageFont.FreeTypeFont:
    """The font of a file, or the one that comes inside Pillow."""
    if file is not None:
        return ImageFont.truetype(file, size_px)
    return cast(ImageFont.FreeTypeFont, ImageFont.load_default(size_px))


@lru_cache(maxsize=1024)
def _has_letters(text: str, file: str | None) -> bool:
    """Whether a font has every character of a text; those of ASCII are taken for granted."""
    lacking = _glyph(_NO_CHARACTER, file)
    return all(char.isascii() or _glyph(char, file) != lacking for char in text)


def _glyph(char: str, file: str | None) -> bytes:
    """How a font draws a character."""
    picture = Image.new("L", (_GLYPH_PX, _GLYPH_PX), 0)
    ImageDraw.Draw(picture).text((0, 0), char, fill=255, font=_font(_GLYPH_PX // 2, file))
    return picture.tobytes()


def _visible(text: str, file: str | None) -> str:
    """The text with letters that the font lacks written without their marks, or as ``?``."""
    if text.isascii():
        return text
    whole = (char if _has_letters(char, file) else unicodedata.normalize("NFKD", char) for char in text)
    bare = (char for char in "".join(whole) if not unicodedata.combining(char))
    return "".join(char if _has_letters(char, file) else ILLEGIBLE for char in bare)


def _text_mask(text: str, font_px: int, file: str | None) -> NDArray[np.float32]:
    """float32 ``(H, W)``: 1 = ink, with a margin."""
    visible = _visible(text, file)
    font = _font(font_px, file)
    margin = max(2, round(font_px / 4))
    left, _, right, _ = font.getbbox(visible)
    _, top, _, bottom = font.getbbox("A0")
    size = (math.ceil(right - left) + 2 * margin, math.ceil(bottom - top) + 2 * margin)
    picture = Image.new("L", size, 0)
    # A stroke of a fraction of a pixel makes the thin font bold without closing its small letters.
    ImageDraw.Draw(picture).text((margin - left, margin - top), visible, fill=255, font=font, stroke_width=font_px / 40)
    mask: NDArray[np.float32] = np.asarray(picture, dtype=np.float32) / np.float32(255)
    return mask


def _label_box(box: Box, text: NDArray[np.float32], canvas: BgrImage, occupied: Iterable[Box]) -> Box:
    """Above the plate, or below, where no plate and no label is yet; inside the frame if it fits."""
    height, width = text.shape
    frame_height, frame_width = canvas.shape[:2]
    x = min(max(round(box.x1), 0), max(frame_width - width, 0))
    gap = _line_px(canvas) + 2
    above, below = math.floor(box.y1) - gap - height, math.ceil(box.y2) + gap
    rows = [y for y in (above, below, above - height, below + height) if 0 <= y <= frame_height - height]
    places = [Box(x, y, x + width, y + height) for y in rows]
    free = [place for place in places if not any(shared_area(place, other) > 0 for other in occupied)]
    fallback = Box(x, 0, x + width, height)
    return next(iter([*free, *places, fallback]))


def _draw_label(canvas: BgrImage, status: Status, text: NDArray[np.float32], place: Box) -> None:
    """Text on a filled patch."""
    ink, white_text = _COLOURS[status]
    x, y = int(place.x1), int(place.y1)
    patch = canvas[y : y + text.shape[0], x : x + text.shape[1]]
    weight = text[: patch.shape[0], : patch.shape[1], None]
    letters = np.asarray(_WHITE if white_text else _BLACK, dtype=np.float32)
    patch[:] = np.rint(weight * letters + (1 - weight) * np.asarray(ink, dtype=np.float32)).astype(np.uint8)
