"""Small ONNX files: models in the layout of ultralytics, and ones that keep their tensors elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

METADATA = {"task": "detect", "names": "{0: 'plate'}", "imgsz": "[64, 96]", "stride": "32", "license": "AGPL-3.0"}
"""What ultralytics writes into the files that it exports, among other things."""


def write_exported(
    path: Path, boxes: Any, *, metadata: Mapping[str, str] = METADATA, size_px: tuple[int, int] = (64, 96)
) -> Path:
    """A model of ultralytics that finds the same boxes in every picture.

    Args:
        path: file to write.
        boxes: ``(4 + classes, N)``: middle, width and height in pixels of the input, and a score for each class.
        metadata: of the file.
        size_px: height and width of its input.
    """
    values = np.asarray(boxes, np.float32)[None]
    zero = numpy_helper.from_array(np.zeros((1, 1, 1, 1), np.float32), "zero")
    nodes = [
        helper.make_node("Mul", ["images", "zero"], ["nothing"]),
        helper.make_node("ReduceMax", ["nothing"], ["least"], keepdims=0),
        helper.make_node("Add", ["boxes", "least"], ["output0"]),
    ]
    graph = helper.make_graph(
        nodes,
        "main_graph",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, *size_px])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, list(values.shape))],
        [zero, numpy_helper.from_array(values, "boxes")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, dict(metadata))
    onnx.save(model, path)
    return path


def write_external(path: Path, *, source: Path) -> Path:
    """An ONNX file with its tensors in another file beside it."""
    onnx.save(
        onnx.load(source),
        path,
        save_as_external_data=True,
        all_tensors_to_one_file=True,
        location=f"{path.name}.data",
        size_threshold=0,
    )
    return path
