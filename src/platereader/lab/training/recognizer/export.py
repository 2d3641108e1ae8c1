"""The reader as an ONNX file: its chain of convolutions, in floats or in the int8 numbers of its quantised file.

The int8 file has the very weights, scales and zero points that torch computes with. A bias is an integer there, in
units of the sums, which is the one thing that is rounded once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from platereader.lab.training.export import OPSET, import_onnx, write_model
from platereader.recognition._network import ConvCtc, Residual, network_from_state
from platereader.recognition._quantized import int8_runtime
from platereader.recognition._shape import ConvCtcConfig, shape_of
from platereader.registry import WeightFile
from platereader.runtimes._int8_tensors import convolutions
from platereader.runtimes._tensors import tensors_of
from platereader.runtimes._torch import fuse_normalisation

_INPUT, _OUTPUT = "pictures", "log_probs"


def export_recognizer(weights: WeightFile, output: Path) -> None:
    """Write the reader's network in the precision of its safetensors file; the number of plates stays free.

    Raises:
        WeightsCorruptError: the weights are damaged or of another network.
        MissingDependencyError: a package of the extra ``train`` is not installed.
    """
    name, config = str(weights.path), shape_of(weights.settings, alphabet=weights.entry.alphabet)[1]
    tensors = tensors_of(weights.data, name=name)
    if weights.contents().precision == "int8":
        int8_runtime(tensors, config=config, name=name)  # names what does not fit
        with torch.device("meta"):
            network = ConvCtc(config)
    else:
        network, tensors = fuse_normalisation(network_from_state(tensors, config=config, name=name).eval()), {}
    write_model(output, _model(network, tensors, config=config))


def _model(network: ConvCtc, tensors: Mapping[str, Tensor], *, config: ConvCtcConfig) -> Any:
    """The ONNX model of a folded network, with the int8 ``tensors`` if there are any."""
    graph = _Graph(tensors)
    chain = list(convolutions(network).items())
    second = {id(block.second[0]) for block in network.modules() if isinstance(block, Residual)}
    features, block = _INPUT, ""
    for number, (name, convolution) in enumerate(chain):
        read = graph.rounded(features, name)
        features = graph.convolved(read, name, convolution)
        if id(convolution) in second:
            features = graph.node("Add", features, block, name=f"{name}.sum")
        if number < len(chain) - 1:
            features = graph.node("Relu", features, name=f"{name}.relu")
        block = read
    columns = graph.node("Squeeze", features, graph.constant("height", np.array([2], np.int64)), name="columns")
    steps = graph.node("Transpose", columns, name="steps", perm=[0, 2, 1])
    graph.node("LogSoftmax", steps, name=_OUTPUT, axis=-1)
    shape_in: list[int | str] = ["plates", 1, *config.size_px]
    return graph.model(shape_in, ["plates", config.width_px // 4, config.classes])


class _Graph:
    """Nodes and constants in the order in which they are added; a node's one output has the node's name."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self._onnx = import_onnx()
        self._tensors = tensors
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def node(self, operator: str, *inputs: str, name: str, **attributes: Any) -> str:
        self._nodes.append(self._onnx.helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def constant(self, name: str, values: ArrayLike) -> str:
        self._constants.append(self._onnx.numpy_helper.from_array(np.asarray(values), name))
        return name

    def rounded(self, features: str, name: str) -> str:
        """What the convolution of that name reads: in int8 through the numbers that it is held in."""
        if not self._tensors:
            return features
        held = [
            self.constant(f"{name}.{kind}", self._tensors[f"{name}.{kind}"].numpy())
            for kind in ("input_scale", "input_zero_point")
        ]
        numbers = self.node("QuantizeLinear", features, *held, name=f"{name}.numbers")
        return self.node("DequantizeLinear", numbers, *held, name=f"{name}.input")

    def convolved(self, features: str, name: str, convolution: nn.Conv2d) -> str:
        """One convolution with its bias."""
        padding = cast("tuple[int, int]", convolution.padding)
        return self.node(
            "Conv",
            features,
            *(self._int8_weights(name) if self._tensors else self._weights(name, convolution)),
            name=f"{name}.output",
            kernel_shape=list(convolution.kernel_size),
            strides=list(convolution.stride),
            pads=[*padding, *padding],
            dilations=list(convolution.dilation),
        )

    def _weights(self, name: str, convolution: nn.Conv2d) -> tuple[str, str]:
        bias = cast(Tensor, convolution.bias)
        return (
            self.constant(f"{name}.weight", convolution.weight.detach().numpy()),
            self.constant(f"{name}.bias", bias.detach().numpy()),
        )

    def _int8_weights(self, name: str) -> tuple[str, str]:
        scale = self._tensors[f"{name}.weight_scale"].numpy()  # (O,)
        unit = (scale * self._tensors[f"{name}.input_scale"].numpy()).astype(np.float32)
        bias = np.round(self._tensors[f"{name}.bias"].numpy() / unit).astype(np.int32)
        return (
            self._scaled(f"{name}.weight", self._tensors[f"{name}.weight"].numpy(), scale),
            self._scaled(f"{name}.bias", bias, unit),
        )

    def _scaled(self, name: str, integers: ArrayLike, scale: ArrayLike) -> str:
        """Integers with a scale for each row, as floats."""
        held = self.constant(f"{name}.integers", integers), self.constant(f"{name}.scale", scale)
        return self.node("DequantizeLinear", *held, name=name, axis=0)

    def model(self, shape_in: list[int | str], shape_out: list[int | str]) -> Any:
        helper, kind = self._onnx.helper, self._onnx.TensorProto.FLOAT
        values = (
            [helper.make_tensor_value_info(name, kind, shape)]
            for name, shape in ((_INPUT, shape_in), (_OUTPUT, shape_out))
        )
        graph = helper.make_graph(self._nodes, "recognizer", *values, self._constants)
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="platereader", ir_version=10
        )
