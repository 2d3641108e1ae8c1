"""Lettering that is on no plate: shop and road signs, posters, badges, telephone numbers, stickers.

Nothing here could be a plate: words, or numbers as they are written for telephones, prices, dates and houses.
"""

from __future__ import annotations

import colorsys
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage
from platereader.lab.synthesis.fields import pick
from platereader.lab.synthesis.glyphs import glyph_aspect, glyph_mask
from platereader.lab.synthesis.scene import Cutout

# The last ones are those that the outlines of plates can spell, some letters mirrored or upside down.
_LATIN_WORDS, _CYRILLIC_WORDS, _OUTLINED_WORDS = (
    line.split() for line in Path(__file__).with_name("words.txt").read_text(encoding="utf-8").splitlines()
)


def digits(count: int, rng: np.random.Generator) -> str:
    """So many digits."""
    return "".join(str(digit) for digit in rng.integers(0, 10, count).tolist())


def word(rng: np.random.Generator) -> str:
    """One word in small Latin letters."""
    return pick(_LATIN_WORDS, rng=rng)


def words(count: int, rng: np.random.Generator) -> str:
    """So many Latin words, all in capitals, titled or small."""
    return _cased(" ".join(word(rng) for _ in range(count)), rng)


def cyrillic_words(rng: np.random.Generator) -> str:
    """One to three Cyrillic words in any case."""
    return _cased(" ".join(pick(_CYRILLIC_WORDS, rng=rng) for _ in range(1 + int(rng.integers(3)))), rng)


def outlined_words(rng: np.random.Generator) -> str:
    """One to three Cyrillic words in capitals that the outlines of plates can spell."""
    return " ".join(pick(_OUTLINED_WORDS, rng=rng) for _ in range(1 + int(rng.integers(3))))


def line(rng: np.random.Generator) -> str:
    """What stands alone in a line: never a few capitals with digits, which would be a plate."""
    kind = rng.random()
    if kind < 0.22:
        code, first, second, third = (digits(count, rng) for count in (3, 3, 2, 2))
        number = f"{first}-{second}-{third}"
        return pick((f"+7 ({code}) {number}", f"8-{code}-{number}", f"tel. {number}"), rng=rng)
    if kind < 0.36:
        return f"www.{word(rng)}-{word(rng)}.{pick(('ru', 'com', 'net'), rng=rng)}"
    if kind < 0.44:
        prices = (f"{digits(2, rng)}.{digits(2, rng)} $", f"-{digits(2, rng)}%", f"{digits(3, rng)},- Euro")
        return pick(prices, rng=rng)
    if kind < 0.55:
        return word(rng).title()
    return words(int(rng.integers(2, 4)), rng)


def caption(rng: np.random.Generator) -> str:
    """What cameras and agencies write on pictures: date and time, a camera's name, an owner's mark."""
    year, month, day = 2005 + int(rng.integers(22)), 1 + int(rng.integers(12)), 1 + int(rng.integers(28))
    hour, minute, second = int(rng.integers(24)), int(rng.integers(60)), int(rng.integers(60))
    time = f"{hour:02d}:{minute:02d}:{second:02d}"
    forms = (
        f"{year}-{month:02d}-{day:02d} {time}",
        f"{day:02d}.{month:02d}.{year} {time} CAM {digits(2, rng)}",
        f"{day:02d}/{month:02d}/{year}",
        f"{time}  {digits(2, rng)} km/h",
        f"Camera {digits(2, rng)}",
        f"(c) {word(rng).title()} {year}",
        f"www.{word(rng)}.com",
        f"{word(rng)} photo",
    )
    return pick(forms, rng=rng)


def _cased(text: str, rng: np.random.Generator) -> str:
    return text.upper() if rng.random() < 0.4 else text.title() if rng.random() < 0.6 else text


Paint: TypeAlias = tuple[int, int, int]
"""BGR, 0 to 255."""

Size: TypeAlias = tuple[int, int]
"""Height and width, pixels."""

_Area: TypeAlias = tuple[int, int, int, int]  # x1, y1, x2, y2

_SANS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX)
_FONTS = (*_SANS, *_SANS, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX)
# OpenCV 5 brought outlines of letters beyond ASCII, older versions draw question marks.
_WRITES_CYRILLIC = int(cv2.__version__.split(".")[0]) >= 5
# How to turn the outlines of plates into Cyrillic letters: themselves, or mirrored (axis 1) or upside down (axis 0).
_OUTLINED: dict[str, tuple[str, int | None]] = {
    **{char: (glyph, None) for char, glyph in zip("АВЕКМНОРСТУХЗЧ", "ABEKMHOPCTYX34", strict=True)},
    "Я": ("R", 1),
    "Э": ("C", 1),
    "П": ("U", 0),
}


def random_paint(rng: np.random.Generator) -> Paint:
    """Any colour that things are painted in: half of them strong, the others greys, dark and pale tones."""
    kind, hue = rng.random(), rng.random()
    if kind < 0.5:
        red, green, blue = colorsys.hsv_to_rgb(hue, rng.uniform(0.5, 1.0), rng.uniform(0.3, 1.0))
    elif kind < 0.65:
        red, green, blue = colorsys.hsv_to_rgb(hue, rng.uniform(0.05, 0.4), rng.uniform(0.6, 1.0))
    else:
        red = green = blue = float(rng.choice((0.02, 0.1, 0.25, 0.5, 0.75, 0.97)))
    return int(255 * blue), int(255 * green), int(255 * red)


def _ink_on(field: Paint, rng: np.random.Generator) -> Paint:
    """A colour that stands out from the field."""
    light = _brightness(field)
    for _ in range(3):
        ink = random_paint(rng)
        if abs(_brightness(ink) - light) > 80:
            return ink
    return (16, 16, 16) if light > 120 else (245, 245, 245)


def _brightness(paint: Paint) -> float:
    return 0.11 * paint[0] + 0.59 * paint[1] + 0.3 * paint[2]


# ---------------------------------------------------------------- letters


def _write(target: NDArray[np.uint8], text: str, *, area: _Area, ink: Paint | int, font: int, bold: float) -> None:
    """One line of a stroke font, as large as the area lets it be, in its middle."""
    x1, y1, x2, y2 = area
    (wide, tall), under = cv2.getTextSize(text, font, 1.0, 2)
    scale = min((x2 - x1) / (wide + 4), (y2 - y1) / (tall + 0.6 * under + 2))
    if scale < 0.12:
        return
    thick = max(1, round(scale * bold))
    origin = (round((x1 + x2 - wide * scale) / 2), round((y1 + y2 + (tall - 0.3 * under) * scale) / 2))
    cv2.putText(target, text, origin, font, scale, ink, thick, cv2.LINE_AA)


def _write_outlined(target: NDArray[np.uint8], text: str, *, area: _Area, ink: Paint | int, grow: int) -> None:
    """One line of Cyrillic capitals out of the outlines of plates."""
    x1, y1, x2, y2 = area
    glyphs = [_OUTLINED.get(char, ("", None)) for char in text]
    aspects = [glyph_aspect(glyph) + 0.14 if glyph else 0.4 for glyph, _ in glyphs]
    height = int(min(y2 - y1, (x2 - x1) / sum(aspects)))
    if height < 4:
        return
    x, top = (x1 + x2 - height * sum(aspects)) / 2, (y1 + y2 - height) // 2
    for (glyph, axis), aspect in zip(glyphs, aspects, strict=True):
        width = max(2, int(height * (aspect - 0.14)))
        if glyph:
            mask = glyph_mask(glyph, width_px=width, height_px=height, grow=grow)
            mask = mask if axis is None else np.flip(mask, axis)
            place = target[top : top + height, int(x) : int(x) + width]
            share = mask[:, : place.shape[1], None].astype(np.float32) / np.float32(255)
            flat = place.reshape(*place.shape[:2], -1)
            flat[...] = (flat + (np.asarray(ink, np.float32) - flat) * share).astype(np.uint8)
        x += height * aspect


def _random_line(target: NDArray[np.uint8], *, area: _Area, ink: Paint | int, rng: np.random.Generator) -> None:
    """A line in any lettering."""
    if rng.random() < 0.2:
        _write_outlined(target, outlined_words(rng), area=area, ink=ink, grow=int(rng.integers(-8, 6)))
    else:
        text = cyrillic_words(rng) if _WRITES_CYRILLIC and rng.random() < 0.35 else line(rng)
        _write(target, text, area=area, ink=ink, font=pick(_FONTS, rng=rng), bold=float(rng.choice((1, 2, 3, 4.5, 6))))


def _random_lines(
    target: NDArray[np.uint8], *, area: _Area, count: int, ink: Paint | int, rng: np.random.Generator
) -> None:
    """Lines below one another, of different heights."""
    x1, y1, x2, y2 = area
    edges = np.concatenate(((0.0,), np.cumsum(rng.uniform(0.5, 1.5, count))))
    rows = (y1 + (y2 - y1) * edges / edges[-1]).astype(int).tolist()
    for top, bottom in pairwise(rows):
        gap = (bottom - top) // 8
        _random_line(target, area=(x1, top + gap, x2, bottom - gap), ink=ink, rng=rng)


def _board(size: Size, paint: Paint) -> BgrImage:
    return np.full((*size, 3), paint, np.uint8)


def _margins(size: Size, share: float) -> _Area:
    edge = max(1, int(share * min(size)))
    return edge, edge, size[1] - edge, size[0] - edge


# ---------------------------------------------------------------- things


def shop_sign(size: Size, *, rng: np.random.Generator) -> Cutout:
    """A board of ``(height, width)`` px with one to four lines, perhaps with a rim."""
    field = random_paint(rng)
    board, ink = _board(size, field), _ink_on(field, rng)
    most = 1 if size[1] > 5 * size[0] else 2 if size[1] > 2.5 * size[0] else 5
    if rng.random() < 0.3:
        cv2.rectangle(board, (1, 1), (size[1] - 2, size[0] - 2), ink, max(1, size[0] // 24))
    _random_lines(board, area=_margins(size, 0.1), count=1 + int(rng.integers(most)), ink=ink, rng=rng)
    return Cutout(board)


def dealer_plate(size: Size, *, rng: np.random.Generator) -> Cutout:
    """What hangs in the place of a plate on an unregistered car: an empty field, or words in place of a number."""
    field = (245, 245, 245) if rng.random() < 0.5 else random_paint(rng)
    board, ink = _board(size, field), _ink_on(field, rng)
    if rng.random() < 0.5:
        cv2.rectangle(board, (2, 2), (size[1] - 3, size[0] - 3), ink, max(1, size[0] // 24))
    kind = rng.random()
    area = _margins(size, 0.15)
    if kind < 0.3:
        text = f"{word(rng)} {word(rng)}".title()
        _write(board, text, area=area, ink=ink, font=pick(_FONTS, rng=rng), bold=3)
    elif kind < 0.6:
        _random_lines(board, area=area, count=2, ink=ink, rng=rng)
    return Cutout(board)


def door_number(size: Size, *, rng: np.random.Generator) -> Cutout:
    """A plate with one to three digits, sometimes under a line of text."""
    field = random_paint(rng)
    board, ink = _board(size, field), _ink_on(field, rng)
    x1, y1, x2, y2 = _margins(size, 0.12)
    number, top = digits(1 + int(rng.integers(3)), rng), y1
    if rng.random() < 0.5:
        top = y1 + (y2 - y1) // 3
        _random_line(board, area=(x1, y1, x2, top), ink=ink, rng=rng)
    _write(board, number, area=(x1, top, x2, y2), ink=ink, font=_FONTS[int(rng.integers(4))], bold=5)
    return Cutout(board)


def direction_board(size: Size, *, rng: np.random.Generator) -> Cutout:
    """A blue, green, brown, white or yellow road sign with names, distances and arrows."""
    fields: tuple[Paint, ...] = ((150, 70, 10), (70, 110, 10), (240, 240, 240), (30, 190, 245), (30, 60, 110))
    field = pick(fields, rng=rng)
    ink: Paint = (250, 250, 250) if _brightness(field) < 130 else (20, 20, 20)
    board = _board(size, field)
    cv2.rectangle(board, (1, 1), (size[1] - 2, size[0] - 2), ink, max(1, min(size) // 30))
    x1, y1, x2, y2 = _margins(size, 0.12)
    if rng.random() < 0.6:
        reach = min(y2 - y1, (x2 - x1) // 4)
        x = x1 + reach // 3
        ends = [(x, y1), (x, y1 + reach)][:: int(rng.choice((1, -1)))]
        cv2.arrowedLine(board, ends[0], ends[1], ink, max(1, reach // 10), cv2.LINE_AA, tipLength=0.4)
        x1 += reach
    count = 1 + int(rng.integers(4 if size[1] < 3 * size[0] else 2))
    step = (y2 - y1) // count
    for row in range(count):
        text = f"{words(1, rng).title()} {word(rng).title()} {int(rng.integers(1, 400))}"
        top, gap = y1 + row * step, step // 8
        _write(board, text, area=(x1, top + gap, x2, top + step - gap), ink=ink, font=_SANS[row % 2], bold=3)
    return Cutout(board)


def round_sign(size: Size, *, rng: np.random.Generator) -> Cutout:
    """A round road sign: a speed limit, or a coloured disc with a bar, a word or a stroke."""
    side = min(size)
    board, cover = _board((side, side), (245, 245, 245)), np.zeros((side, side), np.uint8)
    middle, radius = (side // 2, side // 2), side // 2 - 1
    cv2.circle(cover, middle, radius, 255, -1, cv2.LINE_AA)
    area = (int(0.2 * side), int(0.3 * side), int(0.8 * side), int(0.7 * side))
    if rng.random() < 0.5:
        cv2.circle(board, middle, int(radius * 0.9), (30, 20, 205), max(1, side // 8), cv2.LINE_AA)
        _write(board, f"{10 * int(rng.integers(1, 14))}", area=area, ink=(20, 20, 20), font=1, bold=4)
    else:
        field: Paint = (30, 20, 200) if rng.random() < 0.5 else (180, 80, 20)
        cv2.circle(board, middle, int(radius * 0.92), field, -1, cv2.LINE_AA)
        if rng.random() < 0.5:
            ends = (int(side * 0.2), int(side * 0.42)), (int(side * 0.8), int(side * 0.58))
            cv2.rectangle(board, *ends, (245,) * 3, -1)
        else:
            _write(board, word(rng).upper(), area=area, ink=(245, 245, 245), font=1, bold=3)
    return Cutout(board, cover)


def lettering(size: Size, *, rng: np.random.Generator) -> Cutout:
    """Letters without a field: on lorries, buses, shop fronts."""
    cover = np.zeros(size, np.uint8)
    count = 1 if size[1] > 4 * size[0] else 1 + int(rng.integers(3))
    _random_lines(cover, area=_margins(size, 0.05), count=count, ink=255, rng=rng)
    return Cutout(_board(size, random_paint(rng)), cover)


def badge(size: Size, *, rng: np.random.Generator) -> Cutout:
    """The name of a model in chrome or paint, or a maker's oval."""
    cover = np.zeros(size, np.uint8)
    shade = np.linspace(rng.uniform(120, 250), rng.uniform(30, 250), size[0])[:, None, None]
    chrome = np.broadcast_to(shade, (*size, 3)).astype(np.uint8)
    text = pick((word(rng).title(), word(rng).upper(), f"{digits(1, rng)}.{digits(1, rng)}i"), rng=rng)
    if rng.random() < 0.3:
        middle, axes = (size[1] // 2, size[0] // 2), (max(1, size[1] // 2 - 2), max(1, size[0] // 2 - 2))
        cv2.ellipse(cover, middle, axes, 0, 0, 360, 255, -1, cv2.LINE_AA)
        inner = (max(1, int(axes[0] * 0.88)), max(1, int(axes[1] * 0.8)))
        cv2.ellipse(chrome, middle, inner, 0, 0, 360, random_paint(rng), -1, cv2.LINE_AA)
        _write(chrome, text, area=_margins(size, 0.25), ink=(235, 235, 235), font=cv2.FONT_HERSHEY_TRIPLEX, bold=2)
    else:
        _write(cover, text, area=_margins(size, 0.08), ink=255, font=pick(_FONTS, rng=rng), bold=4)
    return Cutout(chrome, cover)


def sticker(size: Size, *, rng: np.random.Generator) -> Cutout:
    """A rounded or oval sticker with lines."""
    field, cover = random_paint(rng), np.zeros(size, np.uint8)
    height, width = size
    if rng.random() < 0.5:
        cv2.ellipse(cover, (width // 2, height // 2), (width // 2, height // 2), 0, 0, 360, 255, -1, cv2.LINE_AA)
    else:
        radius = max(1, min(size) // 4)
        cv2.rectangle(cover, (radius, radius), (width - radius, height - radius), 255, 2 * radius - 1, cv2.LINE_AA)
        cover[radius : height - radius, radius : width - radius] = 255
    board = _board(size, field)
    _random_lines(board, area=_margins(size, 0.22), count=1 + int(rng.integers(3)), ink=_ink_on(field, rng), rng=rng)
    return Cutout(board, cover)


def poster(size: Size, *, rng: np.random.Generator) -> Cutout:
    """A heading, a block of colour, and paragraphs that are small strokes."""
    field = (240, 240, 240) if rng.random() < 0.6 else random_paint(rng)
    board, ink = _board(size, field), _ink_on(field, rng)
    x1, y1, x2, y2 = _margins(size, 0.08)
    heading = y1 + int((y2 - y1) * rng.uniform(0.15, 0.4))
    _random_line(board, area=(x1, y1, x2, heading), ink=ink, rng=rng)
    if rng.random() < 0.5:
        middle = int(x1 + (x2 - x1) * rng.uniform(0.2, 0.6))
        cv2.rectangle(board, (x1, heading + 2), (middle, y2), random_paint(rng), -1)
        x1 = middle + 2
    pitch = max(4, int((y2 - heading) / rng.integers(4, 14)))
    columns = max(2, (x2 - x1) * 2 // pitch)
    for top in range(heading + pitch // 2, y2 - pitch // 2, pitch):
        strokes = (rng.random((2, columns)) < 0.6).astype(np.uint8)
        strokes[:, rng.random(columns) < 0.15] = 0
        strokes[:, int(columns * rng.uniform(0.6, 1.0)) :] = 0
        mask = cv2.resize(strokes, (max(1, x2 - x1), max(1, pitch // 2)), interpolation=cv2.INTER_NEAREST)
        place = board[top : top + mask.shape[0], x1 : x1 + mask.shape[1]]
        place[mask[: place.shape[0]] > 0] = ink
    return Cutout(board)
