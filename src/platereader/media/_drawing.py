"""Readings drawn onto a copy of the frame: outline, text and confidence, coloured by status.

The letters of Russian plates look alike in both scripts, so a label in Latin letters serves readers of Cyrillic, too;
the font has no Cyrillic.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from platereader._arrays import BgrImage, check_image
from platereader._geometry import Box, Quad, shared_area
from platereader.results import PlateReading, Status, StreamUpdate

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


@dataclass(frozen=True, slots=True)
class _Mark:
    """One plate to draw: where, what to write, how sure, and whether it was seen in this very frame."""

    outline: Quad
    text: str
    status: Status
    seen: bool = True


def draw_readings(frame: BgrImage, readings: Sequence[PlateReading]) -> BgrImage:
    """Outline and label every reading that has a place in the frame.

    An uncertain reading is written with ``?`` for its doubtful characters; confidences are rounded down.

    Args:
        frame: uint8 ``(H, W, 3)`` BGR; never written to.
        readings: of this frame; those of already cropped plates have no place and are left out.

    Returns:
        uint8 ``(H, W, 3)`` BGR, a new array.

    Raises:
        InvalidImageError: ``frame`` is not such an array.
    """
    return _draw(frame, [mark for reading in readings if (mark := _mark_of(reading)) is not None])


def draw_update(frame: BgrImage, update: StreamUpdate) -> BgrImage:
    """Box and label every plate that a stream follows; thin where the place is only predicted.

    Args:
        frame: the frame that ``update`` is about: uint8 ``(H, W, 3)`` BGR; never written to.
        update: what ``PlateStream.update`` returned for it.

    Returns:
        uint8 ``(H, W, 3)`` BGR, a new array.

    Raises:
        InvalidImageError: ``frame`` is not such an array.
    """
    marks = [
        _Mark(
            Quad.from_box(plate.box),
            f"#{plate.passage_id} {_label_text(plate.text, plate.confidence)}",
            plate.status,
            seen=plate.last_seen_s >= update.timestamp_s,
        )
        for plate in update.active
    ]
    return _draw(frame, marks)


def _mark_of(reading: PlateReading) -> _Mark | None:
    detection = reading.detection
    if detection is None:
        return None
    shown = reading.masked_text if reading.status == "uncertain" else reading.text
    outline = detection.corners or Quad.from_box(detection.box)
    return _Mark(outline, _label_text(shown, reading.confidence), reading.status)


def _label_text(text: str | None, confidence: float) -> str:
    """What the label says."""
    return _UNREADABLE if text is None else f"{text} {math.floor(100 * confidence)}%"


def _draw(frame: BgrImage, marks: Sequence[_Mark]) -> BgrImage:
    """Outlines first, so that none crosses a label."""
    canvas: BgrImage = check_image(frame).copy()
    for mark in marks:
        _draw_outline(canvas, mark)
    occupied = [mark.outline.box for mark in marks]
    for mark in marks:
        text = _text_mask(mark.text, _font_px(mark, canvas))
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


@lru_cache(maxsize=32)
def _font(size_px: int) -> ImageFont.FreeTypeFont:
    """The font that comes inside Pillow."""
    return cast(ImageFont.FreeTypeFont, ImageFont.load_default(size_px))


def _text_mask(text: str, font_px: int) -> NDArray[np.float32]:
    """float32 ``(H, W)``: 1 = ink, with a margin; letters are written without marks, what the font lacks as ``?``."""
    bare = (char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    visible = "".join(char if char.isascii() else "?" for char in bare)
    font = _font(font_px)
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
