"""What weight files say of themselves, read without an engine: whole ones, damaged ones, with tensors elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from exported_models import METADATA, write_exported
from onnx import TensorProto, helper

from platereader.errors import WeightsCorruptError
from platereader.registry import Registry
from platereader.registry._contents import contents_of


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
