"""What the pipeline says of the example pictures on named engines: ``python tests/golden/generate.py`` writes it anew.

The pictures are generated ones, so their texts may stand in the repository. A change of ``pictures.json`` is a change
of readings: write it anew only where that is meant, and say so in the CHANGELOG.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

import cv2
import numpy as np
from numpy.typing import NDArray

from platereader import Pipeline, PlateReading
from platereader.lab.speed.turns import torch_threads

GOLDEN = Path(__file__).with_name("pictures.json")
PICTURES = Path(__file__).resolve().parents[2] / "examples" / "pictures"
ENGINES = (("torch", "fp32"), ("onnx", "int8"), ("openvino", "int8"))
"""Engine and precision, named so that no processor chooses otherwise."""


class Row(TypedDict):
    """One reading, in full precision.

    Attributes:
        box: ``x1, y1, x2, y2`` in pixels.
        corners: four points in pixels, in reading order; None without any.
    """

    text: str | None
    status: str
    reason: str | None
    confidence: float
    box: list[float]
    corners: list[list[float]] | None


def row_of(reading: PlateReading) -> Row:
    """What is compared of a reading."""
    detection = reading.evidence.detection
    if detection is None:
        raise ValueError("a reading of a whole picture has a detection")
    corners = detection.corners
    return {
        "text": reading.text,
        "status": reading.status,
        "reason": reading.reason,
        "confidence": float(reading.confidence),
        "box": [float(edge) for edge in detection.box.to_tuple()],
        "corners": None if corners is None else [[float(x), float(y)] for x, y in corners.points],
    }


def rows_of(pipeline: Pipeline) -> dict[str, list[Row]]:
    """By picture, the readings from left to right; torch has one thread, since sums depend on how many there are."""
    with torch_threads(1):
        return {path.name: _rows(pipeline.read(_pixels(path))) for path in sorted(PICTURES.glob("*.jpg"))}


def _pixels(path: Path) -> NDArray[np.uint8]:
    pixels = cv2.imread(str(path))
    if pixels is None:
        raise ValueError(f"{path} is no picture")
    return np.asarray(pixels, np.uint8)


def _rows(readings: Sequence[PlateReading]) -> list[Row]:
    return sorted(map(row_of, readings), key=lambda row: row["box"])


def main() -> None:
    """Write the file anew."""
    golden = {
        f"{engine} {precision}": rows_of(Pipeline.build(engine=engine, precision=precision))
        for engine, precision in ENGINES
    }
    GOLDEN.write_text(json.dumps(golden, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
