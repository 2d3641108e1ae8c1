"""Trained weights as ONNX files, which run without torch: the same network, and the same bytes when made again."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import torch

from platereader._dependencies import check_installed
from platereader._files import write_bytes
from platereader.detection._network import network_from_file
from platereader.runtimes._quiet_import import import_onnxruntime
from platereader.runtimes._torch import fuse_normalisation

__all__ = ["OPSET", "export_detector", "import_onnx", "write_model"]

OPSET: Final = 18
"""Version of the ONNX operators."""

_OUTPUTS = ("sides", "classes", "corners")


def export_detector(weights: Path, output: Path) -> None:
    """Write the detector's network; number, height and width of its pictures stay free.

    Args:
        weights: safetensors file of a ``detection._network.PlateNetwork``.
        output: file to write.

    Raises:
        WeightsError: the weights are missing, damaged or of another network.
        MissingDependencyError: a package of the extra ``train`` is not installed.
    """
    import_onnx("onnxscript")
    network = fuse_normalisation(network_from_file(weights))
    free = torch.export.Dim.DYNAMIC
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own workings
        program: Any = torch.onnx.export(
            network,
            (torch.zeros(2, 3, 64, 96),),
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            input_names=["pictures"],
            output_names=list(_OUTPUTS),
            dynamic_shapes={"pictures": {0: free, 2: free, 3: free}},
        )
    model = program.model_proto
    _name_sides(model.graph.input, ("pictures", 3, "height", "width"))
    for value, channels in zip(model.graph.output, (64, 2, 8), strict=True):
        _name_sides([value], ("pictures", channels, "cells"))
    write_model(output, model)


def import_onnx(*others: str) -> Any:
    """The package onnx, after a check that further packages are there.

    Raises:
        MissingDependencyError: one of them is not installed.
    """
    import_onnxruntime()  # without its telemetry, before its quantisation is imported
    check_installed("onnx", *others)
    for package in others:
        importlib.import_module(package)
    return importlib.import_module("onnx")


def write_model(path: Path, model: Any) -> None:
    """Write a checked ONNX model; the folder is made if missing.

    What says where and how it was made (source lines, folders, names of intermediate shapes) is left out.
    """
    onnx = import_onnx()
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output):
        part.doc_string = ""
        del part.metadata_props[:]
    del graph.value_info[:]
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, model.SerializeToString(deterministic=True))


def _name_sides(values: Sequence[Any], sides: Sequence[int | str]) -> None:
    """Give the sides of inputs or outputs their length or their name."""
    for value in values:
        for dimension, side in zip(value.type.tensor_type.shape.dim, sides, strict=True):
            dimension.Clear()
            if isinstance(side, str):
                dimension.dim_param = side
            else:
                dimension.dim_value = side
