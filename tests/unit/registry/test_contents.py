"""What weight files say of themselves, read without an engine: whole ones, damaged ones, with tensors elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from exported_models import METADATA, write_exported
from onnx import SparseTensorProto, TensorProto, helper

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


@pytest.mark.parametrize("part", ["values", "indices"])
def test_the_parts_of_a_sparse_tensor_are_looked_at(part: str) -> None:
    sparse = SparseTensorProto(dims=[4])
    for name, kind in (("values", TensorProto.FLOAT), ("indices", TensorProto.INT64)):
        getattr(sparse, name).CopyFrom(TensorProto(name=name, data_type=kind, dims=[1]))
    getattr(sparse, part).data_location = TensorProto.EXTERNAL
    model = helper.make_model(helper.make_graph([], "g", [], [], sparse_initializer=[sparse]))
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


GRAPH = b"\x3a\x00"  # field 7, of no bytes


@pytest.mark.parametrize(
    ("fields", "whole"),
    [
        (b"", True),
        (b"\xfd\x7f" + bytes(4), True),  # four bytes
        (b"\xf9\x7f" + bytes(8), True),  # eight
        (b"\xf8\x7f" + b"\xff" * 9 + b"\x01", True),  # a number of ten bytes, which are 64 bits
        (b"\xf8\x7f" + b"\xff" * 10 + b"\x01", False),
        (b"\xfa\x7f\x81\x01" + bytes(129), True),  # so many bytes as a number of two says
        *((bytes([0xF8 | wire, 0x7F]) + bytes(20), False) for wire in (3, 4, 6, 7)),
        (b"\xfa\x7f\x83\x01" + bytes(128), False),
    ],
)
def test_fields_of_every_kind_are_passed_over_and_others_refused(fields: bytes, whole: bool) -> None:
    if whole:
        assert contents_of(GRAPH + fields, name="a").format == contents_of(fields + GRAPH, name="a").format == "onnx"
    else:
        with pytest.raises(WeightsCorruptError, match="not a whole one"):
            contents_of(GRAPH + fields, name="a")


@pytest.mark.parametrize(("depth", "whole"), [(10, True), (11, False)])
def test_graphs_within_graphs_are_followed_to_a_depth_of_32(depth: int, whole: bool) -> None:
    def field(number: int, body: bytes) -> bytes:
        return bytes([number << 3 | 2, len(body)]) + body

    graph = field(1, b"")
    for _ in range(depth):
        graph = field(1, field(5, field(6, graph)))  # a node, its attribute, and the graph in that
    if whole:
        assert contents_of(field(7, graph), name="a").precision == "fp32"
    else:
        with pytest.raises(WeightsCorruptError, match="not a whole one"):
            contents_of(field(7, graph), name="a")


@pytest.mark.parametrize(("header", "precision"), [("{}", "fp32"), ('{"__metadata__": {"precision": "int8"}}', "int8")])
def test_the_header_of_safetensors_says_its_precision(header: str, precision: str) -> None:
    data = len(header).to_bytes(8, "little") + header.encode()
    assert contents_of(data + b"{", name="a").precision == precision
    for wrong in (data[:-1], data[:8] + b"{" + data[9:-1] + b"]", data[:8] + data[9:] + b" "):
        with pytest.raises(WeightsCorruptError, match="neither a safetensors nor an ONNX file"):
            contents_of(wrong, name="a")
    for body in (b'{"__metadata__": 5}', b'{"__metadata__": null}'):
        with pytest.raises(WeightsCorruptError, match="neither a safetensors nor an ONNX file"):
            contents_of(len(body).to_bytes(8, "little") + body, name="a")


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
        ((1, 5, 6), (64, 96), ["0"]),
        ((1, 5, 5), (64, 96), None),
        ((2, 6, 90), (64, 96), None),
        ((9, 6), (64, 96), None),
        ((9, 8), (64, 96), None),
        ((1, 999, 9), (64, 96), None),
        ((1, 1000, 6), (64, 96), ["0"]),
        ((1, 1001, 6), (64, 96), None),  # rows before the suppression
        ((1, 2000, 1000), (64, 96), None),
        ((1, 6, 90), (32, 32), ["0", "1"]),
        ((1, 6, 90), (8192, 8192), ["0", "1"]),
        ((1, 6, 90), (8193, 96), None),
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


@pytest.mark.parametrize(
    ("change", "right"),
    [
        ({"imgsz": "[32, 8192]"}, True),
        *(({"imgsz": size}, False) for size in ("[31, 64]", "[64, 8193]", "[64]", "[64, 64, 64]", "[64, 64.0]")),
        ({"task": "pose", "kpt_shape": "[1000, 0]"}, True),
        *(({"task": "pose", "kpt_shape": shape}, False) for shape in ("[1001, 2]", "[-1, 2]")),
        *(({"names": names}, False) for names in ("{}", "['plate']")),
    ],
)
def test_metadata_are_taken_within_their_limits(tmp_path: Path, change: dict[str, str], right: bool) -> None:
    least = {name: METADATA[name] for name in ("task", "names", "imgsz", "stride")}
    path = write_exported(tmp_path / "a.onnx", np.zeros((1, 6, 90)), metadata={**least, **change})
    if right:
        settings = settings_of(path)
        assert settings is not None
        assert settings["classes"] == ["plate"]
        assert str(settings["keypoints" if "kpt_shape" in change else "input_size_px"]) in change.values()
    else:
        with pytest.raises(WeightsCorruptError, match="export it again"):
            settings_of(path)
    for name in least:  # without one of them only the shapes tell
        some = {key: value for key, value in least.items() if key != name}
        settings = settings_of(write_exported(path, np.zeros((1, 6, 90)), metadata=some))
        assert settings is not None
        assert settings["classes"] == ["0", "1"]


@pytest.mark.parametrize("where", ["initializer", "function", "default", "initialization", "algorithm"])
def test_a_tensor_in_another_file_is_found_wherever_it_stands(where: str) -> None:
    tensor = TensorProto(name="t", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    inner, empty = helper.make_graph([], "inner", [], [], [tensor]), helper.make_graph([], "g", [], [])
    model = helper.make_model(inner if where == "initializer" else empty)
    nodes = [helper.make_node("Constant", [], ["t"], value=tensor)] if where == "function" else []
    function = helper.make_function("d", "f", [], ["t"], nodes, [helper.make_opsetid("", 17)])
    if where == "default":
        function.attribute_proto.append(helper.make_attribute("a", tensor))
    model.functions.append(function)
    if where in {"initialization", "algorithm"}:
        getattr(model.training_info.add(), where).CopyFrom(inner)
    with pytest.raises(WeightsCorruptError, match="keeps tensors in other files"):
        contents_of(model.SerializeToString(), name="a.onnx")


@pytest.mark.parametrize("several", [True, False])
@pytest.mark.parametrize("kind", ["tensor", "graph", "sparse"])
def test_a_tensor_in_another_file_is_found_in_any_attribute_of_a_node(kind: str, several: bool) -> None:
    tensor = TensorProto(name="t", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    graph, sparse = helper.make_graph([], "inner", [], [], [tensor]), SparseTensorProto(dims=[4], values=tensor)
    value = {"tensor": tensor, "graph": graph, "sparse": sparse}[kind]
    node = helper.make_node("Any", [], ["t"], value=[value] if several else value)
    model = helper.make_model(helper.make_graph([node], "g", [], []))
    with pytest.raises(WeightsCorruptError, match="keeps tensors in other files"):
        contents_of(model.SerializeToString(), name="a.onnx")
