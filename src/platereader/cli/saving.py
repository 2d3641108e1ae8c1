"""Writing pictures: annotated copies, and crops with labels that training takes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from platereader._arrays import BgrImage
from platereader._files import append_text
from platereader._geometry import Box
from platereader.cli.sources import Source
from platereader.errors import InvalidArgumentError
from platereader.results import Detection, PlateReading

# How much around a plate is kept with it, in plate widths: enough to train on other corners than the found ones.
_MARGIN = 0.3
_LOSSY = frozenset({".jpg", ".jpeg"})


@dataclass(slots=True)
class AnnotatedCopies:
    """A folder of pictures with their readings drawn on.

    Attributes:
        folder: where they go; made with the first picture.
        sources: files that must not be written over.
        show_country: whether the code of its country stands beside each plate.
    """

    folder: Path
    sources: Sequence[Source]
    show_country: bool = False
    _used: set[Path] = field(default_factory=set[Path])

    def __post_init__(self) -> None:
        for source in self.sources:
            self._used.add(source.path.resolve())

    def save(self, source: Source, frame: BgrImage, readings: Sequence[PlateReading]) -> None:
        """Write one annotated copy under the path of its source below the folder that was given."""
        from platereader.media._drawing import draw_readings

        suffix = ".jpg" if source.relative_path.suffix.lower() in _LOSSY else ".png"
        path = _unused_path((self.folder / source.relative_path).with_suffix(suffix), self._used)
        write_picture(path, draw_readings(frame, readings, show_country=self.show_country))


@dataclass(slots=True)
class Crops:
    """A labelled set of plates: ``images/*.png`` and ``labels.jsonl``, as ``load_dataset`` takes it.

    A sure reading becomes the label. Any other is only suggested, in ``suggestion``, and ``text`` is left null for a
    person to fill in.

    Attributes:
        folder: where it goes.

    Raises:
        InvalidArgumentError: the folder already has a ``labels.jsonl``.
    """

    folder: Path
    _used: set[Path] = field(default_factory=set[Path])

    def __post_init__(self) -> None:
        if (self.folder / "labels.jsonl").exists():
            raise InvalidArgumentError(f"--save-crops is {str(self.folder)!r}, which has labels: name a new folder.")

    def save(self, source: Source, frame: BgrImage, readings: Sequence[PlateReading]) -> None:
        """Write the plates of one picture, each with a little of what is around it."""
        for index, reading in enumerate(readings, start=1):
            detection = reading.detection
            window = None if detection is None else _crop_window(frame, detection.box)
            if detection is None or window is None:
                continue
            x1, y1, x2, y2 = window
            path = _unused_path(self.folder / "images" / f"{source.relative_path.stem}-{index}.png", self._used)
            write_picture(path, frame[y1:y2, x1:x2])
            row = {"file": f"images/{path.name}", "width": x2 - x1, "height": y2 - y1}
            row |= {"plates": [_label(reading, detection, left=x1, top=y1)], "source": str(source.path)}
            row |= {"country": reading.country if reading.status == "read" else None}
            append_text(self.folder / "labels.jsonl", json.dumps(row, ensure_ascii=False) + "\n")


def _crop_window(frame: BgrImage, box: Box) -> tuple[int, int, int, int] | None:
    """Whole pixels around a plate: x1, y1, x2, y2; None when it is outside of the frame."""
    margin_px = _MARGIN * box.width
    window = box.padded(margin_px, margin_px).clipped(frame.shape[1], frame.shape[0])
    if window is None:
        return None
    return int(window.x1), int(window.y1), int(np.ceil(window.x2)), int(np.ceil(window.y2))


def _label(reading: PlateReading, detection: Detection, *, left: int, top: int) -> dict[str, Any]:
    """A plate of ``labels.jsonl``, in pixels of its crop."""
    moved = detection.box.moved(-left, -top)
    corners = detection.corners and [[round(x - left, 1), round(y - top, 1)] for x, y in detection.corners.points]
    sure = reading.status == "read"
    return {
        "text": reading.text if sure else None,
        "suggestion": None if sure else reading.masked_text,
        "plate_type": reading.format if sure else None,
        "box": [round(value, 1) for value in moved.to_tuple()],
        "corners": corners,
    }


def _unused_path(path: Path, used: set[Path]) -> Path:
    """``path``, or the next numbered one that neither this run nor a source has; marks it as used."""
    unused, number = path, 2
    while unused.resolve() in used:
        unused = path.with_stem(f"{path.stem}-{number}")
        number += 1
    used.add(unused.resolve())
    return unused


def write_picture(path: Path, pixels: BgrImage) -> None:
    """Encode by the ending of the name; Pillow opens any path on any system."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.ascontiguousarray(pixels[:, :, ::-1])).save(path, quality=92)
