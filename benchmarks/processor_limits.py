"""How close the networks come to what this processor can do.

``python -m benchmarks.processor_limits --threads 1 2`` measures a bare matrix product in fp32 and in int8 and a copy in
memory, counts the multiplications of finder, refiner and reader, times them on ONNX Runtime in both precisions in the
same turns, and prints the share of the limit that each of them reaches.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper

from platereader._files import write_json
from platereader.lab.speed.machine import this_machine
from platereader.lab.speed.turns import interleaved
from platereader.lab.tables import columns

MODELS = Path(__file__).resolve().parents[1] / "models"
FRAME, CROPS, PLATES = (1, 576, 832, 3), (3, 64, 128, 3), 3
SIDE = 1536
COPIED_BYTES = 256 * 2**20
ROUNDS = 20


@dataclass(frozen=True, slots=True)
class Figure:
    """What one thing took with so many threads: the median in milliseconds.

    ``billions`` are of multiplications with an addition, or of bytes that are read and written.
    """

    name: str
    threads: int
    milliseconds: float
    billions: float

    @property
    def rate(self) -> float:
        """Billions a second."""
        return 1e3 * self.billions / self.milliseconds


def measure(threads: int, *, rounds: int) -> list[Figure]:
    """All figures with so many threads, in turns of one run."""
    work: dict[str, tuple[Callable[[], object], float]] = {
        "matrix product fp32": (product(np.float32, threads), SIDE**3 / 1e9),
        "matrix product int8": (product(np.uint8, threads), SIDE**3 / 1e9),
        "copy in memory": (copy(), 2 * COPIED_BYTES / 1e9),
    }
    for name, shape in (("finder", FRAME), ("refiner", CROPS), ("recognizer", None)):
        count = None
        for precision, suffix in (("fp32", ""), ("int8", "-int8")):
            path = MODELS / f"plate-{name}{suffix}.onnx"
            call, pixels = network(path, shape, threads)
            count = count or multiplications(path, pixels)
            work[f"{name} {precision}"] = call, count / 1e9
    seconds = interleaved({name: call for name, (call, _) in work.items()}, rounds=rounds)
    return [Figure(name, threads, 1e3 * median(seconds[name]), billions) for name, (_, billions) in work.items()]


def product(number: type[np.float32 | np.uint8], threads: int) -> Callable[[], object]:
    """A product of two square matrices on ONNX Runtime."""
    rng = np.random.default_rng(0)
    if number is np.uint8:  # what ONNX Runtime multiplies fastest: activations without a sign, weights with one
        kind, operator, result = TensorProto.UINT8, "MatMulInteger", TensorProto.INT32
        weights: NDArray[Any] = rng.integers(-63, 64, (SIDE, SIDE)).astype(np.int8)
        given: NDArray[Any] = rng.integers(0, 128, (SIDE, SIDE)).astype(np.uint8)
    else:
        kind, operator, result = TensorProto.FLOAT, "MatMul", TensorProto.FLOAT
        weights = rng.random((SIDE, SIDE), np.float32)
        given = rng.random((SIDE, SIDE), np.float32)
    shape = [SIDE, SIDE]
    graph = helper.make_graph(
        [helper.make_node(operator, ["given", "weights"], ["result"])],
        "product",
        [helper.make_tensor_value_info("given", kind, shape)],
        [helper.make_tensor_value_info("result", result, shape)],
        [onnx.numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    run = session(model.SerializeToString(), threads)
    return lambda: run.run(None, {"given": given})


def copy() -> Callable[[], object]:
    """A copy between two arrays that no cache holds; numpy copies with one thread."""
    source, target = np.ones(COPIED_BYTES, np.uint8), np.zeros(COPIED_BYTES, np.uint8)
    return lambda: np.copyto(target, source)


def network(path: Path, shape: tuple[int, ...] | None, threads: int) -> tuple[Callable[[], object], tuple[int, ...]]:
    """A call of a network with random pixels, and the shape of its input."""
    run = session(path.read_bytes(), threads)
    (first,) = run.get_inputs()
    sides = tuple(PLATES if isinstance(side, str) or side is None else side for side in first.shape)
    wanted = sides if shape is None else shape
    numbers = np.uint8 if first.type == "tensor(uint8)" else np.float32
    pixels = (255 * np.random.default_rng(0).random(wanted, np.float32)).astype(numbers)
    return lambda: run.run(None, {first.name: pixels}), wanted


def session(model: bytes, threads: int) -> onnxruntime.InferenceSession:
    """A session whose idle threads sleep."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def inferred(path: Path, shape: tuple[int, ...]) -> onnx.GraphProto:
    """The graph of a network, in which every value has the shape that an input of this shape gives it."""
    model = onnx.load(path)
    for axis, side in zip(model.graph.input[0].type.tensor_type.shape.dim, shape, strict=True):
        axis.dim_value = side
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    return onnx.shape_inference.infer_shapes(model, data_prop=True).graph


def multiplications(path: Path, shape: tuple[int, ...]) -> int:
    """Multiplications of all convolutions and matrix products of a network for an input of this shape."""
    graph = inferred(path, shape)
    shapes = {
        value.name: [axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in (*graph.value_info, *graph.output, *graph.input)
    }
    shapes |= {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    count = 0
    for node in graph.node:
        if node.op_type == "Conv":
            count += int(np.prod(shapes[node.output[0]])) * int(np.prod(shapes[node.input[1]][1:]))
        elif node.op_type in ("MatMul", "Gemm"):
            count += int(np.prod(shapes[node.output[0]])) * shapes[node.input[0]][-1]
    return count


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    machine = this_machine()
    print(*machine.lines(), sep="\n")
    figures = [one for threads in given.threads for one in measure(threads, rounds=given.rounds)]
    limits = {one.threads: one.rate for one in figures if one.name == "matrix product fp32"}
    cells: dict[str, Callable[[Figure], str]] = {
        "what": lambda one: one.name,
        "threads": lambda one: str(one.threads),
        "ms": lambda one: f"{one.milliseconds:.2f}",
        "billions": lambda one: f"{one.billions:.3f}",
        "billions a second": lambda one: f"{one.rate:.1f}",
        "of the fp32 product": lambda one: (
            "" if "copy" in one.name else f"{100 * one.rate / limits[one.threads]:.0f} %"
        ),
    }
    print(*columns(cells, figures), sep="\n")
    if given.json is not None:
        write_json(given.json, {"machine": machine.to_dict(), "figures": [asdict(one) for one in figures]})


if __name__ == "__main__":
    main()
