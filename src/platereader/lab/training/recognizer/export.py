"""The reader as an ONNX file: its chain of convolutions, in floats or in the int8 numbers of its quantised file."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from platereader.lab.training.export import Graph
from platereader.recognition._network import ConvCtc, int8_recognizer, network_from_state
from platereader.recognition._shape import shape_of
from platereader.registry import WeightFile
from platereader.runtimes._int8_tensors import adding_layers, convolutions
from platereader.runtimes._tensors import tensors_of
from platereader.runtimes._torch import fuse_normalisation


def export_recognizer(weights: WeightFile, output: Path) -> None:
    """Write the reader's network in the precision of its safetensors file; the number of plates stays free.

    Raises:
        WeightsCorruptError: the weights are damaged or of another network.
        MissingDependencyError: onnx, of the extra ``train``, is not installed.
    """
    name, config = str(weights.path), shape_of(weights.settings, alphabet=weights.entry.alphabet)[1]
    tensors = tensors_of(weights.data, name=name)
    if weights.contents().precision == "int8":
        int8_recognizer(tensors, config=config, name=name)  # names what does not fit
        with torch.device("meta"):
            network = ConvCtc(config)
    else:
        network, tensors = fuse_normalisation(network_from_state(tensors, config=config, name=name).eval()), {}
    export_network(network, tensors, output)


def export_network(network: ConvCtc, tensors: Mapping[str, Tensor], output: Path) -> None:
    """Write a folded reader, in int8 with the ``tensors`` of its int8 file."""
    graph, config = Graph(network, tensors), network.config
    layers, adding = list(convolutions(network)), adding_layers(network)
    features, block = graph.held("pictures", layers[0]), ""
    for layer, reader in pairwise(layers):
        given = graph.convolved(features, layer)
        if layer in adding:
            given = graph.node("Add", graph.held(given, layer, "sum"), block, name=f"{layer}.sum")
        block = features
        features = graph.held(graph.node("Relu", given, name=f"{layer}.relu"), reader)
    scores = graph.convolved(features, layers[-1])
    columns = graph.node("Squeeze", scores, graph.constant("height", np.array([2], np.int64)), name="columns")
    steps = graph.node("Transpose", columns, name="steps", perm=[0, 2, 1])
    graph.node("LogSoftmax", steps, name="log_probs", axis=-1)
    graph.write(
        output,
        takes=("pictures", np.float32, ("plates", 3, *config.size_px)),
        gives={"log_probs": ("plates", config.width_px // 4, config.classes)},
    )
