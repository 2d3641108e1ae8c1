"""Results are frozen, comparable and JSON-safe."""

import dataclasses
import json

import numpy as np
import pytest

from fakes import frame_with, patch_pipeline
from platereader import Box, Detection, PlateReading, Quad, StreamUpdate


def reading() -> PlateReading:
    return patch_pipeline().read(frame_with({50: Box(20, 30, 100, 50)}))[0]


def test_reading_round_trips_through_json() -> None:
    original = reading()
    again = PlateReading.from_dict(json.loads(json.dumps(original.to_dict())))
    assert again == original
    assert again.detection == original.detection
    assert again.candidates == original.candidates
    assert again.to_dict() == original.to_dict()


def test_detection_with_corners_round_trips() -> None:
    detection = Detection(Box(0, 1, 20, 9), 0.5, Quad((0, 1), (20, 2), (19, 9), (1, 8)), 2)
    assert Detection.from_dict(json.loads(json.dumps(detection.to_dict()))) == detection


def test_derived_fields_follow_the_text() -> None:
    one = reading()
    assert one.text_local == "А123ВС77"
    assert (one.country, one.format) == ("RU", "standard")
    assert one.region is not None
    assert "Moscow" in one.region.name


def test_unreadable_has_no_derived_text() -> None:
    (one,) = patch_pipeline().read(frame_with({200: Box(20, 30, 100, 50)}))
    assert (one.masked_text, one.text_local, one.country, one.format, one.region) == (None,) * 5
    assert PlateReading.from_dict(one.to_dict()) == one


def test_evidence_is_outside_of_equality_and_repr() -> None:
    one = reading()
    other = dataclasses.replace(
        one, evidence=dataclasses.replace(one.evidence, log_probs=np.zeros((1, 24), np.float32))
    )
    assert one == other
    assert "log_probs" not in repr(one)


def test_results_are_frozen_and_slotted() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        reading().verdict = reading().verdict  # type: ignore[misc]
    assert not hasattr(reading(), "__dict__")


def test_stream_update_is_json_safe() -> None:
    updates = list(patch_pipeline().read_stream([frame_with({50: Box(20, 30, 100, 50)})] * 3, fps=5))
    document = json.loads(json.dumps(updates[-1].to_dict()))
    assert StreamUpdate.from_dict(document) == updates[-1]
    assert (document["finished"][0]["passage_id"], document["finished"][0]["country"]) == (1, "RU")
    assert document["finished"][0]["text"] == "A123BC77"
    assert document["finished"][0]["best"]["status"] == "read"
