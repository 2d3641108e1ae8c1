"""The example pictures read as they always did; ``generate.py`` says how the file came about."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from golden.generate import ENGINES, GOLDEN, PICTURES, Row, rows_of
from platereader import Pipeline, read_image


@dataclass(frozen=True)
class Tolerance:
    """How far processors may differ: in confidence, and in pixels of a side or corner."""

    confidence: float
    px: float


# Measured with oneDNN held to AVX2, AVX-512 and VNNI: fp32 differs by 1.5e-7 and by no pixel.
TOLERANCES = {"fp32": Tolerance(1e-4, 0.05), "int8": Tolerance(0.02, 1.0)}
EXPECTED: dict[str, dict[str, list[Row]]] = json.loads(GOLDEN.read_text(encoding="utf-8"))


def numbers(row: Row) -> Iterator[float]:
    """Sides of the box, then the corners."""
    yield from row["box"]
    for point in row["corners"] or ():
        yield from point


@pytest.mark.parametrize(("engine", "precision"), ENGINES)
def test_the_example_pictures_read_as_in_the_golden_file(engine: str, precision: str) -> None:
    pytest.importorskip({"onnx": "onnxruntime"}.get(engine, engine), reason=f"the engine {engine} is not installed")
    found, tolerance = rows_of(Pipeline.build(engine=engine, precision=precision)), TOLERANCES[precision]
    expected = EXPECTED[f"{engine} {precision}"]
    assert found.keys() == expected.keys()
    for picture, rows in expected.items():
        assert [_said(row) for row in found[picture]] == [_said(row) for row in rows]
        for row, before in zip(found[picture], rows, strict=True):
            assert row["confidence"] == pytest.approx(before["confidence"], abs=tolerance.confidence)
            assert list(numbers(row)) == pytest.approx(list(numbers(before)), abs=tolerance.px)


def _said(row: Row) -> tuple[str | None, str, str | None]:
    return row["text"], row["status"], row["reason"]


def test_the_golden_file_has_readings_of_every_picture() -> None:
    for engine, precision in ENGINES:
        pictures = EXPECTED[f"{engine} {precision}"]
        assert len(pictures) == 4
        assert all(any(row["status"] == "read" and row["corners"] for row in rows) for rows in pictures.values())


@pytest.mark.parametrize("width", [1280, 4000])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_plate_is_read_close_up(width: int, share: float) -> None:
    frame, pipeline = read_image(PICTURES / "street-4.jpg"), Pipeline.build(engine="onnx", precision="fp32")
    detection = next(one.detection for one in pipeline.read(frame) if one.text == "Y237KO33")
    assert detection is not None
    size = np.array([1, 2 / 3]) * detection.box.width / share
    left, top = (np.array(detection.box.center) - size / 2).astype(int).tolist()
    shown = frame[top : top + int(size[1]), left : left + int(size[0])]
    (reading,) = pipeline.read(np.asarray(cv2.resize(shown, (width, width * 2 // 3)), np.uint8))
    assert (reading.text, reading.status) == ("Y237KO33", "read")
