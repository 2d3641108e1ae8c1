"""What a notebook and a log show of a result."""

import base64
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import cv2
import numpy as np

from fakes import frame_with, judged, patch_pipeline
from platereader import Box, PlateReading, StreamUpdate, Verdict

FRAME = frame_with({50: Box(20, 30, 100, 50)})


def shown(result: object) -> str:
    """The HTML of a result, which has to be well formed."""
    text: str = result._repr_html_()  # type: ignore[attr-defined]
    ET.fromstring(text)  # noqa: S314
    return text


def test_a_reading_shows_its_crop_text_and_status() -> None:
    (reading,) = patch_pipeline().read(FRAME)
    text = shown(reading)
    assert all(word in text for word in ("A123BC77", "А123ВС77", "RU", "97%", ">read<"))
    (data,) = re.findall(r"base64,([^\"]+)", text)
    pixels = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(np.asarray(pixels), reading.evidence.plate.pixels)


def test_a_reading_without_its_picture_shows_the_rest() -> None:
    (reading,) = patch_pipeline().read(FRAME)
    text = shown(PlateReading.from_dict(reading.to_dict()))
    assert "<img" not in text
    assert "A123BC77" in text


def test_doubts_are_shown() -> None:
    (reading,) = patch_pipeline().read(FRAME)
    unsure = Verdict("A123BC77", 0.5, "uncertain", "weak_character", masked_text="A1?3BC77")
    text = shown(replace(reading, verdict=unsure))
    assert "A1?3BC77" in text
    assert "uncertain: weak character" in text
    nothing = shown(judged(replace(reading.evidence, candidates=())))
    assert ">-<" in nothing
    assert "unreadable" in nothing


def test_a_text_is_no_markup() -> None:
    (reading,) = patch_pipeline().read(FRAME)
    text = shown(replace(reading, verdict=Verdict("<b>", 0.5, "uncertain", masked_text="<b>")))
    assert "&lt;b&gt;" in text


def test_a_plate_of_a_stream_shows_its_best_picture() -> None:
    update = next(patch_pipeline().read_stream([FRAME], fps=5))
    (plate,) = update.active
    text = shown(plate)
    assert text == shown(replace(plate.best, verdict=plate.verdict))
    assert "A123BC77" in text
    assert "<img" in text


def test_an_update_is_one_short_line() -> None:
    update = next(patch_pipeline().read_stream([FRAME], fps=5))
    assert repr(update) == "StreamUpdate(timestamp_s=0.000, active=('A123BC77',), finished=())"
    many = StreamUpdate(1.0, update.active * 8, update.active)
    assert len(repr(many)) < 250
