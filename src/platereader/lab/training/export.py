"""Trained weights as ONNX files, which run without torch: the same network, and the same bytes when made again."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from platereader._dependencies import check_installed
from platereader._files import write_bytes
from platereader.detection._finder_network import FinderNetwork
from platereader.detection._refiner_network import CROP_SIZE, RefinerNetwork
from platereader.runtimes._quiet_import import import_onnxruntime

OPSET: Final = 18
"""Version of the ONNX operators."""

_Sides = Sequence[int | str]


def export_finder(network: FinderNetwork, output: Path) -> None:
    """Write a folded finder; number, height and width of its pictures stay free; raises as ``import_onnx``."""
    _export(
        network,
        output,
        example=torch.zeros(2, 3, 64, 96),
        takes=("pictures", ("pictures", 3, "height", "width")),
        gives={"scores": ("pictures", 1, "cells"), "sides": ("pictures", 4, "cells")},
    )


def export_refiner(network: RefinerNetwork, output: Path) -> None:
    """Write a folded refiner; the number of its crops stays free; raises as ``import_onnx``."""
    _export(
        network,
        output,
        example=torch.zeros(2, 3, *CROP_SIZE),
        takes=("crops", ("crops", 3, *CROP_SIZE)),
        gives={"heat": ("crops", 4, *(side // 4 for side in CROP_SIZE)), "kinds": ("crops", 3)},
    )


def _export(
    network: nn.Module, output: Path, *, example: Tensor, takes: tuple[str, _Sides], gives: dict[str, _Sides]
) -> None:
    """Write a network; sides that are texts stay free."""
    import_onnx("onnxscript")
    name, sides = takes
    free = torch.export.Dim.DYNAMIC
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own workings
        program: Any = torch.onnx.export(
            network,
            (example,),
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            input_names=[name],
            output_names=list(gives),
            dynamic_shapes=({index: free for index, side in enumerate(sides) if isinstance(side, str)},),
        )
    model = program.model_proto
    _name_sides(model.graph.input, sides)
    for value, given in zip(model.graph.output, gives.values(), strict=True):
        _name_sides([value], given)
    write_model(output, model)


def import_onnx(*others: str) -> Any:
    """The package onnx; raises MissingDependencyError where it or one of some further packages is not installed."""
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


def _name_sides(values: Sequence[Any], sides: _Sides) -> None:
    """Give the sides of inputs or outputs their length or their name."""
    for value in values:
        for dimension, side in zip(value.type.tensor_type.shape.dim, sides, strict=True):
            dimension.Clear()
            if isinstance(side, str):
                dimension.dim_param = side
            else:
                dimension.dim_value = side
