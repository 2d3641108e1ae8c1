"""Finder and refiner as ONNX files that take the pixels as they are, uint8 ``(N, H, W, 3)`` BGR.

Their first convolution reads rows of bytes: three channels of neighbouring pixels lie side by side in a frame, so a row
is one channel of three times the width, and no engine has to sort it first. Where it has few channels, those of two
neighbouring outputs stand at one place: engines compute 16 channels at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final, cast

import numpy as np
from torch import Tensor, nn

from platereader.detection._finder_network import FINDER_FLOW, STAGES, FinderNetwork, Separable
from platereader.detection._refiner import CROP_SIZE
from platereader.detection._refiner_network import REFINER_FLOW, RefinerNetwork
from platereader.lab.training.export import Graph, Kernel
from platereader.runtimes._int8_tensors import Flow

_CHANNELS, _TAPS = 3, 3
_FEW = 8
_TWICE: Final = np.array([1, 1, 2, 2], np.float32)


def export_finder(network: FinderNetwork, tensors: Mapping[str, Tensor], output: Path) -> None:
    """Write a folded finder, in int8 with the ``tensors`` of its int8 file; number and size of pictures stay free.

    Raises:
        MissingDependencyError: onnx is not installed.
    """
    graph = _DetectorGraph(network, tensors, FINDER_FLOW)
    level = graph.stem("pictures", "stem.0.0", "stem.1.0")
    levels: list[str] = []
    for stage, (depth, _) in enumerate(STAGES):
        for block in range(depth):
            level = graph.separable(level, f"stages.{stage}.{block}")
        levels.append(level)
    fine, middle, coarse = levels
    middle = graph.separable(graph.joined(middle, coarse, "reduce.0.0"), "top_down.0")
    fine = graph.separable(graph.joined(fine, middle, "reduce.1.0"), "top_down.1")

    shape = graph.constant("cells", np.array([0, 5, -1], np.int64))
    cells: list[str] = []
    for number, level in enumerate((fine, middle, coarse)):
        seen = graph.separable(level, f"heads.{number}.0")
        said = graph.across(seen, f"heads.{number}.1", name=f"heads.{number}.said")
        cells.append(graph.node("Reshape", said, shape, name=f"heads.{number}.cells"))
    said = graph.node("Concat", *cells, name="said", axis=2)  # (N, 5, A)
    axis = graph.constant("axis", np.array([1], np.int64))
    for name, first, last in (("scores", 0, 1), ("sides", 1, 5)):
        graph.node(
            "Slice",
            said,
            *(graph.constant(f"{name}.{at}", np.array([at], np.int64)) for at in (first, last)),
            axis,
            name=name,
        )
    graph.write(
        output,
        takes=("pictures", np.uint8, ("pictures", "height", "width", _CHANNELS)),
        gives={"scores": ("pictures", 1, "cells"), "sides": ("pictures", 4, "cells")},
    )


def export_refiner(network: RefinerNetwork, tensors: Mapping[str, Tensor], output: Path) -> None:
    """Write a folded refiner, in int8 with the ``tensors`` of its int8 file; the number of its crops stays free.

    Raises:
        MissingDependencyError: onnx is not installed.
    """
    graph = _DetectorGraph(network, tensors, REFINER_FLOW)
    fine = graph.layer(graph.stem("crops", "stem.0.0", "stem.1.0"), "stem.2.0")
    middle = graph.chain(fine, "middle")
    coarse = graph.chain(middle, "coarse")
    middle = graph.layer(graph.joined(middle, coarse, "reduce.0.0"), "top_down.0")
    fine = graph.layer(graph.joined(fine, middle, "reduce.1.0"), "heat.0.0")

    graph.across(fine, "heat.1", name="heat")
    kinds = graph.multiplied(graph.node("Flatten", coarse, name="kinds.rows"), "kinds.0")
    graph.node("Add", kinds, graph.constant("kinds.0.bias", graph.kernel("kinds.0").bias), name="kinds")
    height, width = CROP_SIZE
    graph.write(
        output,
        takes=("crops", np.uint8, ("crops", height, width, _CHANNELS)),
        gives={"heat": ("crops", 4, height // 4, width // 4), "kinds": ("crops", 3)},
    )


class _DetectorGraph(Graph):
    """A graph of the layers of a detector's network."""

    def __init__(self, network: FinderNetwork | RefinerNetwork, tensors: Mapping[str, Tensor], flow: Flow) -> None:
        super().__init__(network, tensors)
        self._readers = flow.readers()

    def stem(self, pictures: str, first: str, second: str) -> str:
        """The first two convolutions."""
        kernel, next_kernel = self.kernel(first).scaled(1 / 255), self.kernel(second)
        places = 2 if len(kernel.weight) <= _FEW else 1
        lines = self.node("Reshape", pictures, self.constant("bytes", np.array([0, 0, -1], np.int64)), name="lines")
        rows = self.node("Unsqueeze", lines, self.constant("channel", np.array([1], np.int64)), name="rows")
        given = self.convolved(self.pixels(rows, first), first, _over_bytes(kernel, places=places))
        next_kernel = _over_pairs(next_kernel) if places == 2 else next_kernel
        return self._rectified(self.convolved(self._rectified(given, first), second, next_kernel), second)

    def layer(self, features: str, name: str) -> str:
        """A convolution with its ReLU, as it is read."""
        return self._rectified(self.convolved(features, name), name)

    def chain(self, features: str, stage: str) -> str:
        """The layers of a stage."""
        for number in range(len(cast(nn.Sequential, self._network.get_submodule(stage)))):
            features = self.layer(features, f"{stage}.{number}.0")
        return features

    def separable(self, features: str, block: str) -> str:
        """A ``Separable``."""
        across = f"{block}.across.0"
        changed = self.convolved(self.layer(features, f"{block}.each.0"), across)
        if cast(Separable, self._network.get_submodule(block)).adds:
            changed = self.node("Add", features, self.held(changed, across, "sum"), name=f"{block}.sum")
        return self._rectified(changed, across)

    def joined(self, level: str, coarser: str, layer: str) -> str:
        """The sum of a level and the next coarser one, of which the ``layer`` makes as many channels."""
        reader = self._readers[layer]
        twice = self.node(
            "Resize",
            *(self.layer(coarser, layer), "", self.constant(f"{layer}.scales", _TWICE)),
            name=f"{layer}.twice",
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
        both = self.node("Add", level, self.held(twice, reader), name=f"{layer}.sum")
        return self.held(both, reader)

    def _rectified(self, features: str, layer: str) -> str:
        """The positive part of what a layer gives, as it is read."""
        positive = self.node("Relu", features, name=f"{layer}.relu")
        return self.held(positive, self._readers[layer])


def _over_bytes(kernel: Kernel, *, places: int) -> Kernel:
    """A convolution of stride 2 that reads bytes of pixels in rows; so many outputs stand at one place."""
    outputs, stride = len(kernel.weight), 2 * _CHANNELS
    taps = kernel.weight.transpose(0, 2, 3, 1).reshape(outputs, _TAPS, -1)  # (O, 3, 9): rows, bytes
    weight = np.zeros((places * outputs, 1, _TAPS, taps.shape[2] + (places - 1) * stride), taps.dtype)
    for place in range(places):
        columns = slice(place * stride, place * stride + taps.shape[2])
        weight[place * outputs : (place + 1) * outputs, 0, :, columns] = taps
    return replace(
        kernel,
        weight=weight,
        bias=np.tile(kernel.bias, places),
        scale=None if kernel.scale is None else np.tile(kernel.scale, places),
        attributes={**kernel.attributes, "strides": [2, places * stride], "pads": [1, _CHANNELS, 1, 0]},
    )


def _over_pairs(kernel: Kernel) -> Kernel:
    """A convolution of stride 2 that reads places with two neighbouring inputs as channels."""
    left, middle, right = np.moveaxis(kernel.weight, 3, 0)  # (O, I, 3) each
    before, here = np.concatenate((np.zeros_like(left), left), axis=1), np.concatenate((middle, right), axis=1)
    attributes = {**kernel.attributes, "strides": [2, 1], "pads": [1, 1, 1, 0]}
    return replace(kernel, weight=np.stack((before, here), axis=3), attributes=attributes)
