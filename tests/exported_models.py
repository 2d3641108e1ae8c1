"""Small ONNX files: YOLO models of every layout, and ones that keep their tensors elsewhere."""

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
    path: Path,
    output: Any,
    *,
    metadata: Mapping[str, str] = METADATA,
    size_px: tuple[int, int] = (64, 96),
    rows: str | int | None = None,
) -> Path:
    """A model that finds the same plates in every picture.

    Args:
        path: file to write.
        output: what it gives for any picture.
        metadata: of the file.
        size_px: height and width of its input.
        rows: what the file says of the number of plates, the first side of two or the second of three; None for the
            true one.
    """
    values = np.asarray(output, np.float32)
    shape: list[str | int] = list(values.shape)
    if rows is not None:
        shape[-2] = rows
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
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, shape)],
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
