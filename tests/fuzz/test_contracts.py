"""What a part, a program or a network may say, in all its forms: a result that holds, or an error of ours."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from fakes import Says, patch_pipeline
from fuzz.strategies import JSON_VALUES, NUMBERS, TEXTS, cases, frames
from platereader import Box, Detection, InvalidArgumentError, InvalidImageError, Pipeline, PlateReaderError, Quad
from platereader._geometry import iou, shared_area
from platereader.cli.tables import csv_cell, printable, printable_json
from platereader.decoding import BeamDecoder, GreedyDecoder
from platereader.errors import ContractError, InvalidGeometryError, TimestampError
from platereader.plates import DEFAULT_SCHEMES, RUSSIA, RUSSIAN, KnownPlates
from platereader.results import Candidate, PlateImage

FRAME = np.zeros((240, 320, 3), np.uint8)
SIDES = st.floats(-50, 400, allow_nan=False)
BOXES = st.builds(
    lambda x, y, width, height: Box(x, y, x + width, y + height), SIDES, SIDES, st.floats(0, 300), st.floats(0, 300)
)
STEERING = {chr(number) for number in (*range(32), *range(127, 160), 0x202E, 0x2066)}


@given(st.lists(NUMBERS, min_size=4, max_size=4), NUMBERS, JSON_VALUES)
def test_a_detection_that_is_made_can_be_right(sides: list[Any], score: Any, lines: Any) -> None:
    with suppress(InvalidArgumentError, InvalidGeometryError):
        box = Box(*sides)
        assert box.x1 <= box.x2
        assert all(map(math.isfinite, box.to_tuple()))
        detection = Detection(box, score, None, lines)
        assert Detection.from_dict(json.loads(json.dumps(detection.to_dict(), allow_nan=False))) == detection


@given(BOXES, BOXES)
def test_boxes(one: Box, other: Box) -> None:
    assert 0 <= iou(one, other) <= 1 + 1e-9
    assert shared_area(one, other) == shared_area(other, one) <= min(one.area, other.area) * (1 + 1e-9)
    inside = one.clipped(320, 240)
    assert inside is None or (0 <= inside.x1 < inside.x2 <= 320 and 0 <= inside.y1 < inside.y2 <= 240)


@given(st.lists(st.lists(NUMBERS, max_size=3), max_size=5))
@example([[10**400, 0]] * 4)
def test_corners(points: list[Any]) -> None:
    with suppress(InvalidGeometryError):
        quad = Quad.from_points(points)
        assert all(map(math.isfinite, (x for point in quad.points for x in point)))


ANSWERS = st.one_of(
    JSON_VALUES,
    frames(),
    st.lists(st.lists(st.builds(Detection, BOXES, st.floats(0, 1)), max_size=3), max_size=2),
    st.lists(frames().map(PlateImage), max_size=2),
)


@given(st.sampled_from(["detector", "recognizer", "rectifier"]), ANSWERS)
@example("recognizer", [10**400])
def test_a_part_that_says_anything(part: str, answer: Any) -> None:
    parts: Any = patch_pipeline().parts
    pipeline = Pipeline(replace(parts, **{part: Says(answer)}))
    with suppress(ContractError):
        for reading in pipeline.read_detections(FRAME, [Detection(Box(10, 10, 110, 40), 0.9)]):
            json.dumps(reading.to_dict(), allow_nan=False)
    with suppress(ContractError):
        pipeline.read(FRAME)


@cases(0.5)
@given(ANSWERS)
def test_a_tracker_that_says_anything(answer: Any) -> None:
    stream = Pipeline(replace(patch_pipeline().parts, tracker=lambda: Says(answer))).stream()
    with suppress(ContractError):
        stream.update(FRAME, 0.0)
        stream.finish()


def _posteriors(seed: int, steps: int, sharpness: float) -> Any:
    """Log probabilities ``(1, T, C)`` of any sharpness, some of them of nothing at all."""
    rng = np.random.default_rng(seed)
    logits = rng.standard_normal((1, steps, RUSSIAN.columns)) * sharpness
    logits[:, rng.random(steps) < 0.2] -= 1e5 * rng.random()
    logits -= np.logaddexp.reduce(logits, axis=2, keepdims=True)
    return (logits + np.log(rng.choice([1.0, 0.5, 1e-6]))).astype(np.float32)


POSTERIORS = st.builds(
    _posteriors, st.integers(0, 2**32 - 1), st.integers(1, 24), st.sampled_from([0.0, 1.0, 8.0, 60.0, 1e4])
)
DECODERS = (GreedyDecoder(RUSSIAN), BeamDecoder(RUSSIAN))


@given(POSTERIORS)
def test_any_posteriors_are_decoded_and_judged(log_probs: Any) -> None:
    for decoder in DECODERS:
        (candidates,) = decoder.decode(log_probs)
        assert all(math.isfinite(one.log_prob) or one.log_prob == -math.inf for one in candidates)
    parts: Any = replace(patch_pipeline().parts, recognizer=Says(log_probs))
    for reading in Pipeline(parts).read_plates([np.zeros((20, 100, 3), np.uint8)]):
        assert 0 <= reading.confidence <= 1
        json.dumps(reading.to_dict(), allow_nan=False)


@given(frames(), st.lists(st.builds(Detection, BOXES, st.floats(0, 1)), max_size=3))
def test_any_array_is_a_frame_or_refused(frame: Any, detections: list[Detection]) -> None:
    pipeline = patch_pipeline()
    for enter in (
        pipeline.read,
        lambda one: pipeline.read_detections(one, detections),
        lambda one: pipeline.read_plates([one]),
    ):
        with suppress(InvalidImageError, InvalidArgumentError):
            enter(frame)


@cases(0.5)
@given(st.lists(st.tuples(st.one_of(NUMBERS, st.none(), TEXTS), st.booleans()), max_size=6))
def test_a_stream_takes_any_times(times: list[Any]) -> None:
    stream = patch_pipeline().stream()
    for timestamp_s, shown in times:
        frame = FRAME.copy()
        frame[10:40, 10:110, 0] = 50 * shown
        with suppress(TimestampError, InvalidArgumentError):
            json.dumps(stream.update(frame, timestamp_s).to_dict(), allow_nan=False)
    stream.finish()


@given(st.one_of(TEXTS, st.text(RUSSIAN.characters, max_size=12)), st.sampled_from([None, 1, 2]))
def test_any_text_fits_a_plate_or_none(text: str, lines: Any) -> None:
    fit = DEFAULT_SCHEMES.fit(text, lines=lines)
    assert not fit.legal or fit.format
    assert RUSSIA.spelling.to_latin(text) == RUSSIA.spelling.to_latin(RUSSIA.spelling.to_latin(text))


@cases(0.3)
@given(st.lists(st.one_of(TEXTS, JSON_VALUES), max_size=4))
def test_any_list_of_known_plates(texts: list[Any]) -> None:
    with suppress(PlateReaderError):
        KnownPlates(texts)


@given(st.one_of(TEXTS, st.text()))
def test_nothing_steers_a_terminal_or_a_spreadsheet(text: str) -> None:
    assert not STEERING & set(printable(text))
    assert not csv_cell(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert json.loads(printable_json(json.dumps(text, ensure_ascii=False))) == text


@given(st.lists(st.tuples(TEXTS, NUMBERS), max_size=4))
@example([("A", -(10**400))])
def test_candidates(items: list[tuple[str, Any]]) -> None:
    with suppress(InvalidArgumentError):
        made = [Candidate(text, log_prob, None) for text, log_prob in items]
        json.dumps([one.to_dict() for one in made], allow_nan=False)
