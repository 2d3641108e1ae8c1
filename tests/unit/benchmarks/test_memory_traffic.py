"""What the networks move through memory is counted, and the page on many machines says it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the extra platereader-anpr[dev]")

from onnx import TensorProto, helper, numpy_helper

from benchmarks.memory_traffic import NETWORKS, layer_numbers, traffic, weight_bytes

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "many-machines.md"


def test_layers_and_weights_of_a_small_network(tmp_path: Path) -> None:
    """A product of 2 x 3 numbers with 3 x 5 weights, a ReLU that is part of it, and a sum with a constant."""
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["given", "weights"], ["product"]),
            helper.make_node("Relu", ["product"], ["positive"]),
            helper.make_node("Constant", [], ["one"], value=numpy_helper.from_array(np.ones((2, 5), np.float32))),
            helper.make_node("Add", ["positive", "one"], ["result"]),
        ],
        "small",
        [helper.make_tensor_value_info("given", TensorProto.FLOAT, [2, 3])],
        [helper.make_tensor_value_info("result", TensorProto.FLOAT, [2, 5])],
        [numpy_helper.from_array(np.zeros((3, 5), np.float32), "weights")],
        value_info=[helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 5]) for name in ("product", "positive")],
    )
    assert layer_numbers(graph) == [6 + 10, 10 + 10]
    path = tmp_path / "small.onnx"
    path.write_bytes(helper.make_model(graph).SerializeToString())
    assert weight_bytes(path) == 4 * 15


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_the_page_says_what_the_shipped_networks_move(precision: str) -> None:
    """To a tenth: a changed network may move a little more."""
    parts = [one for name, shape in NETWORKS for one in traffic(name, shape) if one.precision == precision]
    row = re.search(rf"^\| {precision} \| (\S+) \| (\S+) \| (\S+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert row is not None
    assert [float(cell) for cell in row.groups()] == pytest.approx(
        [
            sum(one.weights_mb for one in parts),
            sum(one.activations_mb for one in parts),
            max(one.largest_layer_mb for one in parts),
        ],
        rel=0.1,
    )
