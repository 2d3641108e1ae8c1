"""Results as tables, with the libraries that take them."""

import dataclasses

import pytest

from fakes import frame_with, patch_pipeline
from platereader import Box, InvalidArgumentError, PlateReading, to_rows

FRAME = frame_with({50: Box(20, 30, 100, 50), 200: Box(200, 150, 290, 175)})
COLUMNS = [
    "text",
    "number",
    "text_local",
    "masked_text",
    "confidence",
    "calibrated",
    "status",
    "reason",
    "country",
    "format",
    "region_code",
    "lines",
    "score",
    "x1",
    "y1",
    "x2",
    "y2",
]


def readings() -> list[PlateReading]:
    return patch_pipeline().read(FRAME)


def test_every_row_has_the_same_columns_and_those_of_the_caller_first() -> None:
    rows = to_rows(readings(), file="gate.jpg", hour=7)
    assert [list(row) for row in rows] == [["file", "hour", *COLUMNS]] * 2
    assert [(row["file"], row["hour"], row["text"]) for row in rows] == [
        ("gate.jpg", 7, "A123BC77"),
        ("gate.jpg", 7, None),
    ]
    assert to_rows(iter(readings())) == [reading.to_row() for reading in readings()]
    assert to_rows([]) == []


def test_what_is_no_plate_and_what_is_there_already_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match=r"plates\[0\] is the int 7, expected is a PlateReading or Tracked"):
        to_rows([7])  # type: ignore[list-item]
    with pytest.raises(InvalidArgumentError, match="columns has text, which"):
        to_rows(readings(), text="mine")


def test_crops_have_rows_without_a_place() -> None:
    one = readings()[0]
    crop = dataclasses.replace(one, evidence=dataclasses.replace(one.evidence, detection=None))
    (row,) = to_rows([crop])
    assert list(row) == COLUMNS
    assert [row[name] for name in ("score", "x1", "y2")] == [None] * 3


def test_pandas_takes_them() -> None:
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(to_rows(readings(), file="gate.jpg"))
    assert list(table.columns) == ["file", *COLUMNS]
    assert table["x2"].tolist() == [100.0, 290.0]


def test_polars_takes_them() -> None:
    polars = pytest.importorskip("polars")
    table = polars.DataFrame(to_rows(readings()), infer_schema_length=None)
    assert table.columns == COLUMNS
    assert table["status"].to_list() == ["read", "unreadable"]
    assert table["score"].dtype == polars.Float64


def test_arrow_takes_them() -> None:
    pa = pytest.importorskip("pyarrow")
    table = pa.Table.from_pylist(to_rows(readings()))
    assert table.column_names == COLUMNS
    assert table.to_pylist() == to_rows(readings())


def test_plates_of_a_stream_have_rows() -> None:
    *_, update = patch_pipeline().read_stream([FRAME] * 3, fps=5)
    rows = to_rows(update.finished, camera="gate")
    assert [row["text"] for row in rows] == [plate.text for plate in update.finished]
    assert all(row["camera"] == "gate" and row["passage_id"] >= 1 and row["x2"] > row["x1"] for row in rows)
    assert len({tuple(row) for row in rows}) == 1
