"""What weight files say of themselves, read without an engine: whole ones, damaged ones, with tensors elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from exported_models import METADATA, write_exported
from onnx import TensorProto, helper

from platereader.errors import WeightsCorruptError
from platereader.registry import Registry
from platereader.registry._contents import contents_of
from platereader.registry._exported import exported_entry


def test_every_shipped_file_is_what_its_entry_says() -> None:
    registry = Registry.default()
    for entry in registry.entries:
        contents = registry.read(entry).contents()
        assert (contents.format, contents.precision) == (entry.format, entry.precision)


def test_metadata_are_those_that_onnx_reads(tmp_path: Path) -> None:
    path = write_exported(tmp_path / "a.onnx", np.zeros((5, 1)), metadata={**METADATA, "имя": "знак"})
    found = contents_of(path.read_bytes(), name="a")
    assert found.metadata == {prop.key: prop.value for prop in onnx.load(path).metadata_props}
    assert found.metadata["имя"] == "знак"


@pytest.mark.parametrize("where", ["data_location", "external_data"])
def test_either_sign_of_another_file_is_enough(where: str) -> None:
    tensor = TensorProto(name="t", data_type=TensorProto.FLOAT, dims=[1])
    if where == "data_location":
        tensor.data_location = TensorProto.EXTERNAL
    else:
        tensor.external_data.add(key="location", value="elsewhere")
    model = helper.make_model(helper.make_graph([], "g", [], [], [tensor]))
    with pytest.raises(WeightsCorruptError, match="keeps tensors in other files"):
        contents_of(model.SerializeToString(), name="a.onnx")


def test_a_file_that_was_cut_off_is_none(tmp_path: Path) -> None:
    data = write_exported(tmp_path / "a.onnx", np.zeros((5, 1))).read_bytes()
    for length in (1, len(data) // 2, len(data) - 1):
        with pytest.raises(WeightsCorruptError, match="not a whole one"):
            contents_of(data[:length], name="a")


def test_numbers_of_four_and_eight_bytes_are_passed_over(tmp_path: Path) -> None:
    path = write_exported(tmp_path / "a.onnx", np.zeros((5, 1)))
    fixed = b"\xfd\x7f" + b"\x12" * 4 + b"\xf9\x7f" + b"\x12" * 8  # field 2047 as fixed32, as fixed64
    assert contents_of(fixed + path.read_bytes(), name="a") == contents_of(path.read_bytes(), name="a")


def settings_of(path: Path) -> dict[str, Any] | None:
    entry = exported_entry(path, path.read_bytes())
    return None if entry is None else dict(entry.settings)


def test_a_model_of_boxes_has_no_keypoints_and_its_classes_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    names = {number: f"class {number}" for number in (10, 11, *range(10))}
    metadata = {**METADATA, "names": str(names)}
    settings = settings_of(write_exported(tmp_path / "a.onnx", np.zeros((1, 16, 90)), metadata=metadata))
    classes = [f"class {number}" for number in range(12)]
    assert settings == {"network": "yolo", "input_size_px": [64, 96], "classes": classes, "keypoints": [0, 0]}


@pytest.mark.parametrize(
    ("shape", "size_px", "classes"),
    [
        ((1, 6, 90), (64, 96), ["0", "1"]),
        ((1, 90, 6), (64, 96), ["0"]),
        ((9, 7), (64, 96), ["0"]),
        ((1, 4, 90), (64, 96), None),  # four sides, and no score
        ((1, 6, 90), (31, 96), None),
        ((1, 6, 90), (64, 31), None),
    ],
)
def test_a_model_without_metadata_is_known_by_its_shapes(
    tmp_path: Path, shape: tuple[int, ...], size_px: tuple[int, int], classes: list[str] | None
) -> None:
    settings = settings_of(write_exported(tmp_path / "a.onnx", np.zeros(shape), metadata={}, size_px=size_px))
    expected = {"network": "yolo", "input_size_px": list(size_px), "classes": classes, "keypoints": [0, 0]}
    assert settings == (None if classes is None else expected)


@pytest.mark.parametrize("where", ["initializer", "attribute", "branch", "function"])
def test_a_tensor_in_another_file_is_found_wherever_it_stands(where: str) -> None:
    tensor = TensorProto(name="t", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    inner = helper.make_graph([], "inner", [], [], [tensor])
    constant = helper.make_node("Constant", [], ["t"], value=tensor)
    graphs = {
        "initializer": inner,
        "attribute": helper.make_graph([constant], "g", [], []),
        "branch": helper.make_graph([helper.make_node("If", ["x"], ["y"], then_branch=inner)], "g", [], []),
        "function": helper.make_graph([], "g", [], []),
    }
    opset = helper.make_opsetid("", 17)
    functions = [helper.make_function("d", "f", [], ["t"], [constant], [opset])] if where == "function" else []
    model = helper.make_model(graphs[where], functions=functions)
    with pytest.raises(WeightsCorruptError, match="keeps tensors in other files"):
        contents_of(model.SerializeToString(), name="a.onnx")
