"""Readings drawn onto a copy of the frame: outline, text and confidence, coloured by status; and the area of interest.

A label has the local spelling where the font has all of its letters. The font in ``_font`` is DejaVu Sans Condensed
Bold 2.37, cut down to Latin and Cyrillic letters.
"""

from __future__ import annotations

import io
import math
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from platereader._arrays import BgrImage, check_image
from platereader._geometry import Box, Point, Quad, shared_area
from platereader.errors import InvalidArgumentError, MediaFileError
from platereader.plates import ILLEGIBLE
from platereader.results import Detection, HasVerdict, PlateReading, Status, StreamUpdate
from platereader.results._checks import described

_Area: TypeAlias = "Sequence[Point] | NDArray[np.floating]"

# Ink of the outline and of the label's background, blue-green-red, and whether its text is white.
_COLOURS: dict[Status, tuple[tuple[int, int, int], bool]] = {
    "read": ((60, 140, 10), True),
    "uncertain": ((0, 190, 255), False),
    "unreadable": ((90, 90, 90), True),
}
_WHITE = (255, 255, 255)
_BLACK = (0, 0, 0)
_MIN_FONT_PX = 7
_FONT_SHARES = (1.0, 0.75, 0.5)  # smaller where the usual size finds no room
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
    font: str | None
    show_country: bool
    unreadable: str = "unreadable"

    def label(self, shown: str | None, plate: HasVerdict) -> str:
        """What the label says: the text, in local letters if the font has them, the country and the confidence."""
        if shown is None:
            return self.unreadable
        local = _local(shown, plate.text_local)
        text = local if _has_letters(local, self.font) else shown
        country = f" {plate.country}" if self.show_country and plate.country is not None else ""
        return f"{text}{country} {math.floor(100 * plate.confidence)}%"


def draw_readings(
    frame: BgrImage,
    readings: Sequence[PlateReading],
    *,
    show_country: bool = False,
    font: str | Path | None = None,
    area: Sequence[Point] | NDArray[np.floating] | None = None,
    unreadable: str = "unreadable",
) -> BgrImage:
    """Outline and label every reading that has a place in the frame.

    An uncertain reading is written with ``?`` for its doubtful characters; confidences are rounded down. A label is as
    large as suits plate and frame and covers no plate: one that finds no room, as beside a plate that fills the frame,
    is left out.

    Args:
        frame: uint8 ``(H, W, 3)`` BGR; never written to.
        readings: of this frame; those of already cropped plates have no place and are left out.
        show_country: whether the code of a plate's country stands beside its text, for pipelines that read several.
        font: a TrueType or OpenType file, whose letters are used for local spellings; by default one with Latin and
            Cyrillic letters.
        area: the polygon in which plates are looked for, as for ``Pipeline.build``; it gets a thin white outline.
        unreadable: the label of a plate without a text, in the language of those who look at it.

    Returns:
        uint8 ``(H, W, 3)`` BGR, a new array.

    Raises:
        InvalidImageError: ``frame`` is not such an array.
        InvalidArgumentError: ``readings`` are something else, such as a single one, or ``area`` is no polygon.
        MediaFileError: ``font`` is no font that can be read.
    """
    checked, style = _checked(readings), _Style(_font_file(font), show_country, unreadable)
    marks = [_mark_of(reading, reading.detection, style) for reading in checked if reading.detection is not None]
    return _draw(frame, marks, style, area)


def draw_update(
    frame: BgrImage,
    update: StreamUpdate,
    *,
    show_country: bool = False,
    font: str | Path | None = None,
    area: Sequence[Point] | NDArray[np.floating] | None = None,
    unreadable: str = "unreadable",
) -> BgrImage:
    """Box and label every plate that a stream follows; thin where the place is only predicted.

    Args:
        frame: the frame that ``update`` is about: uint8 ``(H, W, 3)`` BGR; never written to.
        update: what ``PlateStream.update`` returned for it.
        show_country: as for ``draw_readings``.
        font: likewise.
        area: likewise.
        unreadable: likewise.

    Returns:
        uint8 ``(H, W, 3)`` BGR, a new array.

    Raises:
        InvalidImageError: ``frame`` is not such an array.
        InvalidArgumentError: ``update`` is something else, or ``area`` is no polygon.
        MediaFileError: ``font`` is no font that can be read.
    """
    if not isinstance(cast(object, update), StreamUpdate):
        raise InvalidArgumentError(
            f"update is {described(update)}, expected is a StreamUpdate: pass what PlateStream.update returned for the "
            "frame, or readings to draw_readings."
        )
    style = _Style(_font_file(font), show_country, unreadable)
    marks = [
        _Mark(
            Quad.from_box(plate.box),
            f"#{plate.passage_id} {style.label(plate.text, plate)}",
            plate.status,
            seen=plate.last_seen_s >= update.timestamp_s,
        )
        for plate in update.active
    ]
    return _draw(frame, marks, style, area)


def _checked(readings: Sequence[PlateReading]) -> list[PlateReading]:
    """The readings of a caller; anything else is refused."""
    advice = "pass what Pipeline.read returned for this frame, or what a stream returned to draw_update."
    if isinstance(given := cast(object, readings), str) or not isinstance(given, Iterable):
        raise InvalidArgumentError(f"readings is {described(readings)}, expected is a list, also of one: {advice}")
    found = list(readings)
    for index, reading in enumerate(found):
        if not isinstance(cast(object, reading), PlateReading):
            wrong = described(reading)
            raise InvalidArgumentError(f"readings[{index}] is {wrong}, expected is a PlateReading: {advice}")
    return found


def _mark_of(reading: PlateReading, detection: Detection, style: _Style) -> _Mark:
    shown = reading.masked_text if reading.status == "uncertain" else reading.text
    outline = detection.corners or Quad.from_box(detection.box)
    return _Mark(outline, style.label(shown, reading), reading.status)


def _local(shown: str, text_local: str | None) -> str:
    """The local spelling with ``?`` where the text that is shown has it; the text where there is none."""
    if text_local is None or len(text_local) != len(shown):
        return shown
    return "".join(one if char != ILLEGIBLE else char for one, char in zip(text_local, shown, strict=True))


def _draw(frame: BgrImage, marks: Sequence[_Mark], style: _Style, area: _Area | None) -> BgrImage:
    """The area first, and outlines before labels, so that none is crossed."""
    canvas: BgrImage = check_image(frame).copy()
    if area is not None:
        _draw_polygon(canvas, _polygon(area), _WHITE, line_px=max(1, _line_px(canvas) // 2))
    for mark in marks:
        outline, ink = mark.outline.to_array(), _COLOURS[mark.status][0]
        _draw_polygon(canvas, outline, ink, line_px=_line_px(canvas) if mark.seen else 1, rim=mark.seen)
    plates = [mark.outline.box for mark in marks]
    labels: list[Box] = []
    for mark in marks:
        label = _placed(mark, canvas, style, plates=plates, labels=labels)
        if label is not None:
            labels.append(label[1])
            _draw_label(canvas, mark.status, *label)
    return canvas


def _line_px(canvas: BgrImage) -> int:
    """Width of an outline: two pixels on a screenful, more on a large photograph."""
    return max(1, int(max(canvas.shape[:2]) / 600 + 0.5))


def _font_px(mark: _Mark, canvas: BgrImage) -> int:
    """Height of the letters: that of the plate, within what suits the frame."""
    height, width = canvas.shape[:2]
    usual = max(height, width)
    wanted = min(max(0.8 * mark.outline.height, 14, usual / 60), max(18.0, usual / 28))
    # A letter is about 0.7 of its height wide; the label has to fit into the frame.
    return max(_MIN_FONT_PX, int(min(wanted, width / (0.7 * (len(mark.text) + 1)), height / 1.6)))


def _draw_polygon(
    canvas: BgrImage, points: NDArray[np.floating], ink: tuple[int, int, int], *, line_px: int, rim: bool = True
) -> None:
    """A closed line, with a dark rim that shows on any paint."""
    clipped = np.clip(points, -_MAX_COORDINATE_PX, _MAX_COORDINATE_PX) * (1 << _SUBPIXEL_BITS)
    polygon = [clipped.round().astype(np.int32)]
    for thickness, colour in ((line_px + 2, _BLACK), (line_px, ink)) if rim else ((line_px, ink),):
        cv2.polylines(canvas, polygon, True, colour, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)


def _polygon(area: _Area) -> NDArray[np.float64]:
    """The points of an area, float64 ``(N, 2)``."""
    try:
        points = np.asarray(area, dtype=np.float64)
    except (TypeError, ValueError):
        points = np.empty((0, 2))
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 3 or not np.isfinite(points).all():
        raise InvalidArgumentError(
            f"area is {described(area)}: pass 3 or more (x, y) in pixels of the frame, such as [(0, 400), (1280, 400), "
            "(1280, 720), (0, 720)]."
        )
    return points


def _font_file(font: str | Path | None) -> str | None:
    """The font's path, once it is known to be one."""
    if font is None:
        return None
    try:
        font_of(_MIN_FONT_PX, str(font))
    except OSError as error:
        raise MediaFileError(
            f"font is {str(font)!r}, which cannot be read as a font ({error}): name a .ttf or .otf file."
        ) from error
    return str(font)


@lru_cache(maxsize=32)
def font_of(size_px: int, file: str | None = None) -> ImageFont.FreeTypeFont:
    """The font of a file, or the one that is shipped."""
    shipped = resources.files("platereader.media") / "_font" / "DejaVuSansCondensed-Bold.ttf"
    return ImageFont.truetype(io.BytesIO(shipped.read_bytes()) if file is None else file, size_px)


@lru_cache(maxsize=1024)
def _has_letters(text: str, file: str | None) -> bool:
    """Whether a font has every character of a text; those of ASCII are taken for granted."""
    lacking = _glyph(_NO_CHARACTER, file)
    return all(char.isascii() or _glyph(char, file) != lacking for char in text)


def _glyph(char: str, file: str | None) -> bytes:
    picture = Image.new("L", (_GLYPH_PX, _GLYPH_PX), 0)
    ImageDraw.Draw(picture).text((0, 0), char, fill=255, font=font_of(_GLYPH_PX // 2, file))
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
    font = font_of(font_px, file)
    margin = round(font_px / 4)
    left, _, right, _ = font.getbbox(visible)
    _, top, _, bottom = font.getbbox("A0")
    size = (math.ceil(right - left) + 2 * margin, math.ceil(bottom - top) + 2 * margin)
    picture = Image.new("L", size, 0)
    ImageDraw.Draw(picture).text((margin - left, margin - top), visible, fill=255, font=font)
    mask: NDArray[np.float32] = np.asarray(picture, dtype=np.float32) / np.float32(255)
    return mask


def _placed(
    mark: _Mark, canvas: BgrImage, style: _Style, *, plates: Sequence[Box], labels: Sequence[Box]
) -> tuple[NDArray[np.float32], Box] | None:
    """The text and its place, on no plate, clear of other labels if it can be, as large as there is room; or None."""
    usual = _font_px(mark, canvas)
    sizes = sorted({max(_MIN_FONT_PX, int(share * usual)) for share in _FONT_SHARES}, reverse=True)
    for occupied in ([*plates, *labels], plates):
        for font_px in sizes:
            text = _text_mask(mark.text, font_px, style.font)
            for place in _places(mark.outline.box, text, canvas):
                if not any(shared_area(place, other) > 0 for other in occupied):
                    return text, place
    return None


def _places(box: Box, text: NDArray[np.float32], canvas: BgrImage) -> Iterator[Box]:
    """Where a label may stand: above the plate or below, nearer or further, or beside it; inside the frame."""
    height, width = text.shape
    frame_height, frame_width = canvas.shape[:2]
    gap = _line_px(canvas) + 2
    x, y = min(max(round(box.x1), 0), frame_width - width), min(max(round(box.y1), 0), frame_height - height)
    above, below = math.floor(box.y1) - gap - height, math.ceil(box.y2) + gap
    right, left = math.ceil(box.x2) + gap, math.floor(box.x1) - gap - width
    corners = [(x, above), (x, below), (x, above - height), (x, below + height), (right, y), (left, y)]
    for x1, y1 in corners:
        if 0 <= x1 <= frame_width - width and 0 <= y1 <= frame_height - height:
            yield Box(x1, y1, x1 + width, y1 + height)


def _draw_label(canvas: BgrImage, status: Status, text: NDArray[np.float32], place: Box) -> None:
    ink, white_text = _COLOURS[status]
    x1, y1, x2, y2 = map(int, place.to_tuple())
    weight = text[..., None]
    letters = np.asarray(_WHITE if white_text else _BLACK, dtype=np.float32)
    patch = weight * letters + (1 - weight) * np.asarray(ink, dtype=np.float32)
    canvas[y1:y2, x1:x2] = np.rint(patch).astype(np.uint8)
