"""The JSON Schema of results, held to what they write."""

import json
from importlib import resources
from typing import Any, get_args

import pytest

from fakes import frame_with, patch_pipeline
from platereader import Box, Detection, InvalidArgumentError, PlateReading, Quad, StreamUpdate, TrackedPlate
from platereader.results import Reason, Status, json_schema

jsonschema = pytest.importorskip("jsonschema")
FRAME = frame_with({50: Box(20, 30, 100, 50), 200: Box(200, 150, 290, 175)})


def closed(schema: Any) -> Any:
    """The same schema, in which nothing is left open."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    items = {name: closed(item) for name, item in schema.items()}
    return {"additionalProperties": False, **items} if "properties" in items else items


def validate(result: PlateReading | TrackedPlate | StreamUpdate) -> None:
    """Raise unless what ``to_dict`` gives is exactly what the schema says."""
    validator = jsonschema.Draft202012Validator(closed(json_schema(type(result))))
    validator.validate(json.loads(json.dumps(result.to_dict(), allow_nan=False)))


def test_the_schemas_are_schemas() -> None:
    for kind in (PlateReading, TrackedPlate, StreamUpdate):
        schema = json_schema(kind)
        jsonschema.Draft202012Validator.check_schema(schema)
        assert schema["title"] == kind.__name__


def test_readings_are_as_the_schema_says() -> None:
    corners = Quad((20, 30), (100, 30), (100, 50), (20, 50))
    tilted = Detection(Box(20, 30, 100, 50), 0.9, corners, 1, truncated=False)
    readings = (*patch_pipeline().read(FRAME), *patch_pipeline().read_detections(FRAME, [tilted]))
    assert len(readings) >= 2
    for reading in readings:
        validate(reading)
    (crop,) = patch_pipeline().read_plates([FRAME[30:50, 20:100]])
    validate(crop)


def test_streams_are_as_the_schema_says() -> None:
    updates = list(patch_pipeline().read_stream([FRAME] * 3, fps=5))
    assert updates[-1].finished
    for update in updates:
        validate(update)
        for plate in (*update.active, *update.finished):
            validate(plate)


@pytest.mark.parametrize(
    ("name", "value"),
    [("confidence", 1.5), ("status", "good"), ("reason", "dirty"), ("lines", 3), ("detection", {}), ("text", 7)],
)
def test_what_is_wrong_is_no_reading(name: str, value: object) -> None:
    data = {**patch_pipeline().read(FRAME)[0].to_dict(), name: value}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, json_schema(PlateReading))
    del data[name]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, json_schema(PlateReading))


def test_it_lists_every_status_and_reason() -> None:
    properties = json_schema(PlateReading)["properties"]
    assert properties["status"]["enum"] == list(get_args(Status))
    assert properties["reason"]["enum"] == [*get_args(Reason), None]


def test_it_is_a_file_of_the_package() -> None:
    text = resources.files("platereader.results").joinpath("_schema.json").read_text(encoding="utf-8")
    assert json.loads(text)["$defs"] == json_schema(StreamUpdate)["$defs"]


def test_other_kinds_are_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="allowed are the classes PlateReading, TrackedPlate, StreamUpdate"):
        json_schema(Box)  # type: ignore[arg-type]
