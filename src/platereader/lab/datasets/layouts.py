"""The layouts of labelled sets, each to rows: a picture with its plates, or a skipped row with its reason."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TypeAlias, TypeVar, cast

from platereader._files import read_bytes
from platereader._geometry import Box, Quad
from platereader.errors import FileError, InvalidGeometryError, MediaFileError
from platereader.lab.datasets.labels import LabelledImage, LabelledPlate, SkippedRow
from platereader.media._images import IMAGE_SUFFIXES, image_size
from platereader.plates import DEFAULT_SCHEMES
from platereader.results import Lines

Row: TypeAlias = LabelledImage | SkippedRow
"""One row of a set: usable, or skipped with its reason."""

_Value = TypeVar("_Value")

_KINDS: Mapping[type, str] = {str: "a string", int: "a whole number", bool: "true, false", list: "a list"}
# The quality of a box that is the whole picture, which shows nothing but the plate.
_WHOLE_PICTURE = "whole"
# Shares that a YOLO writer rounded to a little outside of the picture.
_YOLO_SLACK = 1e-3
# No picture is as large: numbers beyond are nonsense, and overflow in what is computed of them.
_MAX_COORDINATE = 1e6
_MAX_LABEL_BYTES = 1 << 30


class _BrokenRowError(ValueError):
    """One label is wrong; becomes a ``SkippedRow``."""


def read_folder(root: Path) -> Iterator[Row]:
    """Rows of whichever layout an existing folder and those below it hold."""
    files = sorted(item for item in root.rglob("*") if item.is_file() and not item.name.startswith("."))
    pictures = [item for item in files if item.suffix.lower() in IMAGE_SUFFIXES]
    by_stem = {item.with_suffix(""): item for item in pictures}
    tables = [item for item in files if item.name == "labels.jsonl"]
    ria = [item for item in files if item.suffix == ".json" and item.parent.name == "ann"]
    voc = [item for item in files if item.suffix == ".xml"]
    yolo = [item for item in files if item.suffix == ".txt" and _picture_of(item, by_stem, "labels", "images")]
    if tables:
        for table in tables:
            yield from read_jsonl(table)
    elif ria:
        yield from (_row(item, None, partial(_ria_picture, item, by_stem)) for item in ria)
    elif voc:
        yield from (_row(item, None, partial(_voc_row, item, by_stem)) for item in voc)
    elif yolo:
        yield from _read_yolo(pictures, files)
    else:
        yield from (_row(item, None, partial(_named_picture, item)) for item in pictures)


def _row(path: Path, line: int | None, build: Callable[[], LabelledImage]) -> Row:
    """The picture, or what is wrong with its label."""
    try:
        return build()
    except (_BrokenRowError, InvalidGeometryError, MediaFileError) as error:
        return SkippedRow(path, line, str(error))
    except OSError as error:
        return SkippedRow(path, line, f"cannot be read ({error})")


def read_jsonl(table: Path) -> Iterator[Row]:
    """Our own layout, an existing ``.jsonl`` file: one picture a line, paths relative to the table."""
    try:
        lines = _labels(table).splitlines()
    except FileError as error:
        yield SkippedRow(table, None, str(error))
        return
    for number, text in enumerate(lines, start=1):
        if text.strip():
            yield _row(table, number, partial(_jsonl_picture, text, table.parent))


def _jsonl_picture(text: bytes, folder: Path) -> LabelledImage:
    row = _parse_json(text)
    name = row.get("file")
    if not isinstance(name, str) or not name:
        raise _BrokenRowError("no picture: expected a string in 'file'")
    plates = row.get("plates", [])
    if not isinstance(plates, list):
        raise _BrokenRowError("'plates' is not a list")
    ignored = cast("list[object]", _optional(row, "ignore", list) or [])
    picture = folder / name
    if not picture.is_file():
        raise _BrokenRowError(f"there is no picture {picture.name!r} in {str(picture.parent)!r}")
    return LabelledImage(
        picture,
        _optional(row, "width", int),
        _optional(row, "height", int),
        tuple(_jsonl_plate(_mapping(item, "a plate")) for item in cast("list[object]", plates)),
        _optional(row, "country", str),
        tuple(_box(_numbers(item, 4, "a box in 'ignore'")) for item in ignored),
        _optional(row, "complete", bool),
        None if row.get("fires") is None else _numbers([row["fires"]], 1, "'fires'")[0],
    )


def _jsonl_plate(plate: Mapping[str, object]) -> LabelledPlate:
    box, corners, quality = plate.get("box"), plate.get("corners"), _optional(plate, "box_quality", str)
    lines = _optional(plate, "lines", int)
    if lines not in {None, 1, 2}:
        raise _BrokenRowError("'lines' is neither 1 nor 2")
    return LabelledPlate(
        box=None if box is None or quality == _WHOLE_PICTURE else _box(_numbers(box, 4, "box")),
        corners=None if corners is None else _quad(corners),
        text=_clean_text(_optional(plate, "text", str)),
        plate_type=_optional(plate, "plate_type", str),
        box_quality=quality,
        country=_optional(plate, "country", str),
        line_count=cast("Lines | None", lines),
    )


def _quad(value: object) -> Quad:
    points = cast("list[object]", value) if isinstance(value, list) else []
    if len(points) != 4:
        raise _BrokenRowError("'corners' is not a list of 4 points")
    quad = Quad.from_points([_numbers(point, 2, "corners") for point in points])
    if not quad.is_convex:
        raise _BrokenRowError("'corners' do not run clockwise around an area: expected TL, TR, BR, BL")
    return quad


def _box(sides: Sequence[float]) -> Box:
    """The box with these sides, which has an area."""
    box = Box(*sides)
    if box.area <= 0:
        raise _BrokenRowError(f"box {box.to_tuple()} has no area")
    return box


def _ria_picture(annotation: Path, by_stem: Mapping[Path, Path]) -> LabelledImage:
    """AUTO.RIA: the text stands in ``description``; file names are known to disagree with it at times."""
    row = _parse_json(_labels(annotation))
    text = _clean_text(_optional(row, "description", str))
    if text is None:
        raise _BrokenRowError("no text in 'description'")
    picture = _picture_of(annotation, by_stem, "ann", "img")
    if picture is None:
        raise _BrokenRowError("its picture is not in img/ beside ann/")
    return LabelledImage(picture, None, None, (LabelledPlate(box=None, text=text),))


def _voc_row(annotation: Path, by_stem: Mapping[Path, Path]) -> LabelledImage:
    """Pascal VOC: every object is a plate."""
    data = _labels(annotation)
    if b"<!ENTITY" in data.replace(b"\0", b""):  # UTF-16 has a zero byte beside each letter
        raise _BrokenRowError("declares XML entities, which no annotation needs")
    try:
        tree = ET.fromstring(data)  # noqa: S314 - without entities there is nothing to expand
    except (ET.ParseError, LookupError, ValueError) as error:  # the last two for its encoding
        raise _BrokenRowError(f"is not valid XML ({error})") from error
    picture = _voc_picture(annotation, tree.findtext("filename"), by_stem)
    names = ("xmin", "ymin", "xmax", "ymax")
    boxes = [[item.findtext(f"bndbox/{name}") for name in names] for item in tree.iter("object")]
    plates = tuple(LabelledPlate(_box(_numbers(box, 4, "bndbox"))) for box in boxes)
    width, height = image_size(picture)
    stated = [_number(tree.findtext(f"size/{name}")) for name in ("width", "height")]
    if all(stated) and stated != [width, height]:
        raise _BrokenRowError(f"its size {stated} is not that of the picture, {width}x{height} px")
    return LabelledImage(picture, width, height, plates)


def _voc_picture(annotation: Path, name: str | None, by_stem: Mapping[Path, Path]) -> Path:
    """The picture beside the annotation, in the usual folders, or under the name that the annotation gives."""
    folders = (annotation.parent, annotation.parent.parent / "images", annotation.parent.parent / "JPEGImages")
    found = chain(
        (
            _picture_of(annotation, by_stem, labels, images)
            for labels in ("Annotations", "annotations", "labels")
            for images in ("JPEGImages", "images")
        ),
        (by_stem.get((folder / Path(name).name).with_suffix("")) for folder in folders if name),
    )
    picture = next((one for one in found if one is not None), None)
    if picture is None:
        raise _BrokenRowError("its picture is not beside it, in images/ or in JPEGImages/")
    return picture


def _read_yolo(pictures: Sequence[Path], files: Sequence[Path]) -> Iterator[Row]:
    """YOLO: a txt for each picture; as everywhere in that format, no txt means no plates."""
    tables = {item.with_suffix(""): item for item in files if item.suffix == ".txt"}
    for picture in pictures:
        table = _picture_of(picture, tables, "images", "labels")
        yield _row(table or picture, None, partial(_yolo_picture, picture, table))
    by_stem = {item.with_suffix(""): item for item in pictures}
    for table in tables.values():
        if "labels" in table.parts[:-1] and _picture_of(table, by_stem, "labels", "images") is None:
            yield SkippedRow(table, None, "has no picture in images/ or beside it")


def _yolo_picture(picture: Path, table: Path | None) -> LabelledImage:
    width, height = image_size(picture)
    plates: list[LabelledPlate] = []
    lines = [] if table is None else _labels(table).decode(errors="replace").splitlines()
    for number, line in enumerate(lines, start=1):
        if line.strip():
            x, y, w, h = _yolo_shares(line, number)
            left, top = (x - w / 2) * width, (y - h / 2) * height
            plates.append(LabelledPlate(_box((left, top, left + w * width, top + h * height))))
    return LabelledImage(picture, width, height, tuple(plates))


def _yolo_shares(line: str, number: int) -> list[float]:
    """Centre, width and height as shares of the picture; what rounding put just outside of 0..1 is clipped."""
    _, *shares = _numbers(line.split(), 5, f"line {number}: 'class x y width height'")
    if not all(-_YOLO_SLACK <= value <= 1 + _YOLO_SLACK for value in shares):
        raise _BrokenRowError(f"line {number}: numbers outside of 0..1; YOLO labels are shares of the picture")
    x, y, w, h = (min(max(value, 0.0), 1.0) for value in shares)
    if not w or not h:
        raise _BrokenRowError(f"line {number}: a box without area")
    return [x, y, w, h]


def _named_picture(picture: Path) -> LabelledImage:
    """A crop named by its text."""
    text = _named_text(picture.stem)
    if text is None or not re.fullmatch(r"(?=.*[0-9])[A-Z0-9]{3,12}", text):
        raise _BrokenRowError("its name is not the text of a plate")
    return LabelledImage(picture, None, None, (LabelledPlate(box=None, text=text),))


def _named_text(stem: str) -> str | None:
    """The text in a name: up to the first ``_``, ``-``, blank or bracket, as what follows mostly tells copies apart.

    Where only more of the parts fit a plate type the text goes on to there: ``A123BC-77`` has a region.
    """
    parts = re.split(r"[_\-\s(\[]", stem)
    texts = [_clean_text("".join(parts[:count])) for count in range(1, len(parts) + 1)]
    return next((text for text in texts if text and DEFAULT_SCHEMES.fit(text).legal), texts[0])


def _picture_of(item: Path, by_stem: Mapping[Path, Path], here: str, there: str) -> Path | None:
    """The counterpart of a file: beside it, or under the same path with the folder ``here`` replaced by ``there``."""
    stem = item.with_suffix("")
    if stem in by_stem:
        return by_stem[stem]
    parts = list(stem.parts)
    for index in range(len(parts) - 2, -1, -1):
        if parts[index] == here:
            return by_stem.get(Path(*parts[:index], there, *parts[index + 1 :]))
    return None


def _labels(path: Path) -> bytes:
    """The bytes of a file with labels; raises FileError where it cannot be read."""
    return read_bytes(path, limit_bytes=_MAX_LABEL_BYTES, what="the labels")


def _parse_json(data: bytes) -> Mapping[str, object]:
    try:
        value: object = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _BrokenRowError(f"is not valid JSON ({error})") from error
    return _mapping(value, "the row")


def _mapping(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _BrokenRowError(f"{name} is not an object")
    return cast("dict[str, object]", value)


def _numbers(value: object, count: int, name: str) -> list[float]:
    items = cast("list[object]", value) if isinstance(value, list) else []
    numbers = [_number(item) for item in items]
    if len(numbers) != count or None in numbers:
        raise _BrokenRowError(f"{name} is not {count} numbers")
    usable = [number for number in numbers if number is not None and abs(number) <= _MAX_COORDINATE]
    if len(usable) != count:
        raise _BrokenRowError(f"{name} has a number beyond {_MAX_COORDINATE:.0f}, or one that is none")
    return usable


def _number(value: object) -> float | None:
    """A number, or one written as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _optional(row: Mapping[str, object], name: str, kind: type[_Value]) -> _Value | None:
    """A value of that kind; whole numbers are from 1 on."""
    value = row.get(name)
    if value is not None and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
        raise _BrokenRowError(f"{name!r} is neither {_KINDS[kind]} nor null")
    if kind is int and isinstance(value, int) and not 1 <= value <= _MAX_COORDINATE:
        raise _BrokenRowError(f"{name!r} is not between 1 and {_MAX_COORDINATE:.0f}")
    return value


def _clean_text(text: str | None) -> str | None:
    """Latin look-alikes without spaces; None for an empty text."""
    return DEFAULT_SCHEMES.to_latin(text) or None if text else None
