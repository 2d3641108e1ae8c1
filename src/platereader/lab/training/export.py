"""Trained weights as ONNX files, which run without torch: written node by node, the same bytes when made again.

A file in int8 holds the very weights, scales and zero points that torch computes with. A bias is an integer there, in
units of the sums; and what a residual block adds is rounded before it is added, for engines that add whole numbers.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from platereader._dependencies import check_installed
from platereader._files import write_bytes

OPSET: Final = 18
"""Version of the ONNX operators."""

FloatArray = NDArray[np.float32]
Sides: TypeAlias = Sequence[int | str]
"""Lengths of an array's sides; those with a name stay free."""


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """The numbers of one convolution.

    Attributes:
        weight: ``(O, I / groups, h, w)``, float32, or int8 with a scale an output channel.
        bias: float32 ``(O,)``.
        scale: of weights in int8, float32 ``(O,)``; None in floats.
        attributes: of the operator ``Conv``: ``strides``, ``pads``, ``dilations`` and ``group``.
    """

    weight: NDArray[Any]
    bias: FloatArray
    scale: FloatArray | None
    attributes: Mapping[str, Any]

    def scaled(self, factor: float) -> Kernel:
        """For inputs that are smaller by a factor; in int8 it is their scale that says so."""
        return self if self.scale is not None else replace(self, weight=(self.weight * factor).astype(np.float32))


class Graph:
    """Nodes and constants in the order in which they are added; a node's one output has the node's name.

    Args:
        network: folded; in int8 for its structure only.
        tensors: what ``runtimes._int8_tensors.quantized`` made of it; empty for a file in floats.

    Raises:
        MissingDependencyError: onnx is not installed.
    """

    def __init__(self, network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
        check_installed("onnx")
        self._onnx: Any = importlib.import_module("onnx")
        self._network = network
        self._tensors = tensors
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._scales: set[tuple[str, str]] = set()

    def node(self, operator: str, *inputs: str, name: str, **attributes: Any) -> str:
        """Add a node; its output."""
        self._nodes.append(self._onnx.helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def constant(self, name: str, values: ArrayLike) -> str:
        """Add a constant."""
        self._constants.append(self._onnx.numpy_helper.from_array(np.asarray(values), name))
        return name

    def kernel(self, layer: str) -> Kernel:
        """The convolution of that name in the network."""
        module = cast("nn.Conv2d", self._network.get_submodule(layer))
        if self._tensors:
            weight, bias, scale = (self._numbers(layer, kind) for kind in ("weight", "bias", "weight_scale"))
        else:
            weight, bias, scale = module.weight.detach().numpy(), cast(Tensor, module.bias).detach().numpy(), None
        attributes = {
            "strides": list(module.stride),
            "pads": [*module.padding, *module.padding],  # above and on the left, below and on the right
            "dilations": list(module.dilation),
            "group": module.groups,
        }
        return Kernel(weight, bias, scale, attributes)

    def held(self, features: str, layer: str, kind: str = "input") -> str:
        """What a convolution reads, or of the kind ``sum`` gives to one: in int8 through the numbers that hold it."""
        if not self._tensors:
            return features
        scale = self._scale(layer, kind)
        numbers = self.node("QuantizeLinear", features, *scale, name=f"{features}.numbers")
        return self.node("DequantizeLinear", numbers, *scale, name=f"{features}.held")

    def pixels(self, pictures: str, reader: str) -> str:
        """Numbers of uint8 pixels: 0 to 255 in floats, 0 to 1 in int8, whose scale says so."""
        if not self._tensors:
            return self.node("Cast", pictures, name="numbers", to=self._onnx.TensorProto.FLOAT)
        return self.node("DequantizeLinear", pictures, *self._scale(reader, "input"), name="numbers")

    def convolved(self, features: str, layer: str, kernel: Kernel | None = None) -> str:
        """The convolution ``layer``, with its own numbers or with others."""
        kernel = self.kernel(layer) if kernel is None else kernel
        attributes = {"kernel_shape": list(kernel.weight.shape[2:]), **kernel.attributes}
        return self.node("Conv", features, *self._weights(layer, kernel), name=f"{layer}.output", **attributes)

    def across(self, features: str, layer: str, *, name: str) -> str:
        """A convolution of single cells, ``(N, I, H, W)`` to ``(N, O, H, W)``, as a product.

        Its bias is added to whole channels: engines add to neighbouring numbers one by one where these differ.
        """
        rows = self.node("Transpose", features, name=f"{layer}.rows", perm=[0, 2, 3, 1])
        channels = self.node("Transpose", self.multiplied(rows, layer), name=f"{layer}.channels", perm=[0, 3, 1, 2])
        bias = self.constant(f"{layer}.bias", self.kernel(layer).bias[:, None, None])
        return self.node("Add", channels, bias, name=name)

    def multiplied(self, rows: str, layer: str) -> str:
        """The convolution ``layer`` without its bias, whose outputs each see a whole row ``(..., I)``: ``(..., O)``."""
        kernel = self.kernel(layer)
        matrix = np.ascontiguousarray(kernel.weight.reshape(len(kernel.weight), -1).T)
        if kernel.scale is None:
            weight = self.constant(f"{layer}.weight", matrix)
        else:
            weight = self._integers(f"{layer}.weight", matrix, kernel.scale, axis=1)
        return self.node("MatMul", rows, weight, name=f"{layer}.product")

    def write(self, path: Path, *, takes: tuple[str, type[np.generic], Sides], gives: Mapping[str, Sides]) -> None:
        """Write a checked model into a file, whose folder is made if missing.

        It ``takes`` an input of that name, number format and sides, and ``gives`` outputs, named with their sides.
        """
        helper = self._onnx.helper
        name, numbers, sides = takes
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(numbers))
        values = [helper.make_tensor_value_info(name, kind, list(sides))]
        outputs = [
            helper.make_tensor_value_info(output, self._onnx.TensorProto.FLOAT, list(given))
            for output, given in gives.items()
        ]
        graph = helper.make_graph(self._nodes, "network", values, outputs, self._constants)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="platereader", ir_version=10
        )
        self._onnx.checker.check_model(model, full_check=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, model.SerializeToString(deterministic=True))

    def _scale(self, layer: str, held: str) -> list[str]:
        names = [f"{layer}.{held}_{kind}" for kind in ("scale", "zero_point")]
        if (layer, held) not in self._scales:
            self._scales.add((layer, held))
            for name in names:
                self.constant(name, self._tensors[name].numpy())
        return names

    def _weights(self, layer: str, kernel: Kernel) -> tuple[str, str]:
        if kernel.scale is None:
            return self.constant(f"{layer}.weight", kernel.weight), self.constant(f"{layer}.bias", kernel.bias)
        unit = (kernel.scale * self._numbers(layer, "input_scale")).astype(np.float32)
        bias = np.round(kernel.bias / unit).astype(np.int32)
        return (
            self._integers(f"{layer}.weight", kernel.weight, kernel.scale, axis=0),
            self._integers(f"{layer}.bias", bias, unit, axis=0),
        )

    def _integers(self, name: str, integers: ArrayLike, scale: ArrayLike, *, axis: int) -> str:
        """Integers with a scale for each row of an axis, as floats."""
        held = self.constant(f"{name}.integers", integers), self.constant(f"{name}.scale", scale)
        return self.node("DequantizeLinear", *held, name=name, axis=axis)

    def _numbers(self, layer: str, kind: str) -> NDArray[Any]:
        return self._tensors[f"{layer}.{kind}"].numpy()
