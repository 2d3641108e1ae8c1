"""Bytes that the networks move for a frame if no cache holds any of them: ``python -m benchmarks.memory_traffic``.

Reckoned from the ONNX files, nothing is run: every layer reads its inputs from memory and writes its output there, and
every weight comes from memory once a frame. An activation has four bytes in fp32 and one in int8. A ReLU is part of the
layer before it, and a change of shape alone moves nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path

import onnx

from benchmarks.processor_limits import CROPS, FRAME, MODELS, PLATES, inferred
from platereader.lab.tables import columns

READER = (PLATES, 3, 40, 176)
NETWORKS = (("finder", FRAME), ("refiner", CROPS), ("recognizer", READER))
IN_PLACE = frozenset({"Relu", "Reshape", "Unsqueeze", "Squeeze", "Flatten", "Constant"})
BYTES = {"fp32": 4, "int8": 1}


@dataclass(frozen=True, slots=True)
class Traffic:
    """Megabytes of one network in one precision, for a frame of three plates."""

    name: str
    precision: str
    weights_mb: float
    activations_mb: float
    largest_layer_mb: float


def traffic(name: str, shape: tuple[int, ...]) -> Iterator[Traffic]:
    """In fp32 and in int8; layers are counted in the file of fp32, weights in the file of either."""
    numbers = layer_numbers(inferred(MODELS / f"plate-{name}.onnx", shape))
    for precision, suffix in (("fp32", ""), ("int8", "-int8")):
        weights = weight_bytes(MODELS / f"plate-{name}{suffix}.onnx")
        moved, largest = (BYTES[precision] * count / 1e6 for count in (sum(numbers), max(numbers)))
        yield Traffic(name, precision, weights / 1e6, moved, largest)


def layer_numbers(graph: onnx.GraphProto) -> list[int]:
    """How many numbers each layer reads and writes, without its weights."""
    values = (*graph.value_info, *graph.output, *graph.input)
    constants = {tensor.name for tensor in graph.initializer}
    constants |= {name for node in graph.node if node.op_type == "Constant" for name in node.output}
    counts = {
        value.name: prod(axis.dim_value for axis in value.type.tensor_type.shape.dim)
        for value in values
        if value.name not in constants
    }
    return [
        sum(counts.get(name, 0) for name in (*node.input, *node.output))
        for node in graph.node
        if node.op_type not in IN_PLACE
    ]


def weight_bytes(path: Path) -> int:
    """Of everything that a network has learned."""
    return sum(len(onnx.numpy_helper.to_array(tensor).tobytes()) for tensor in onnx.load(path).graph.initializer)


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    found = [one for name, shape in NETWORKS for one in traffic(name, shape)]
    for precision in BYTES:
        parts = [one for one in found if one.precision == precision]
        weights, moved = sum(one.weights_mb for one in parts), sum(one.activations_mb for one in parts)
        found.append(Traffic("all", precision, weights, moved, max(one.largest_layer_mb for one in parts)))
    cells: dict[str, Callable[[Traffic], str]] = {
        "network": lambda one: one.name,
        "precision": lambda one: one.precision,
        "weights, MB": lambda one: f"{one.weights_mb:.1f}",
        "activations, MB": lambda one: f"{one.activations_mb:.1f}",
        "largest layer, MB": lambda one: f"{one.largest_layer_mb:.1f}",
        "together, MB": lambda one: f"{one.weights_mb + one.activations_mb:.1f}",
    }
    print(*columns(cells, found), sep="\n")


if __name__ == "__main__":
    main()
