"""What fast-alpr runs by default, on ONNX Runtime: YOLOv9-t at 384 px, and a compact transformer for each plate.

Its path is re-enacted from the public code of fast-alpr, open-image-models and fast-plate-ocr: a square letterbox with
linear interpolation, non-maximum suppression inside of the network, a bare crop letterboxed to 64 x 128 px, one call of
the reader a plate, the best character of each slot. The weights are random, which takes the same time; as a random
detector finds nothing, the true boxes are read after it has done all of its work.
"""

from __future__ import annotations

import importlib
import os
import tempfile
import warnings
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.comparison import Prepared, UnavailableError, timed
from platereader._arrays import BgrImage

_DETECTOR_PX = 384
_MIN_SCORE = 0.25
_MAX_IOU = 0.45
_MOST = 100
_FILL = (114, 114, 114)

SIZE_PX = (64, 128)
"""Height and width of a plate for the reader."""

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_"

BoxPx = tuple[int, int, int, int]


def prepared(frame: BgrImage, boxes: Sequence[BoxPx], *, models: Path, threads: int) -> Prepared:
    """Get ready in this process.

    Args:
        frame: uint8 ``(H, W, 3)`` BGR.
        boxes: of its plates, for a detector that has not learned to find them.
        models: folder that ``export`` has filled.
        threads: of each network.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    detector, reader = (
        onnxruntime.InferenceSession(models / name, options, providers=["CPUExecutionProvider"])
        for name in ("detector.onnx", "reader.onnx")
    )
    networks = _Networks(detector, reader)
    crops = [frame[y1:y2, x1:x2] for x1, y1, x2, y2 in islice(cycle(boxes), 8)]
    batches = {count: np.zeros((count, *SIZE_PX, 3), np.uint8) for count in (1, 8)}

    def whole_frame() -> list[str]:
        networks.detect(frame)
        return networks.read_all(frame, boxes)

    turn = timed(
        {
            "frame": whole_frame,
            "detect": lambda: networks.detect(frame),
            "plates": lambda: networks.read_all(frame, boxes),
            "text 1": lambda: networks.read(crops[:1]),
            "text 8": lambda: networks.read(crops),
            "net 1": lambda: reader.run(None, {"pictures": batches[1]}),
            "net 8": lambda: reader.run(None, {"pictures": batches[8]}),
        },
        per={"plates": len(boxes), "text 8": 8, "net 8": 8},
    )
    return Prepared(turn, {"plates": len(boxes), "threads": threads})


class _Networks:
    """Both networks with what fast-alpr does before and after them."""

    def __init__(self, detector: Any, reader: Any) -> None:
        self._detector, self._reader = detector, reader
        self._letters = np.array(list(ALPHABET))

    def detect(self, frame: BgrImage) -> list[list[int]]:
        """Boxes in pixels of the frame."""
        picture, scale, (left, top) = letterbox(frame, (_DETECTOR_PX, _DETECTOR_PX))
        planes = picture.transpose(2, 0, 1)[::-1] / 255.0
        found = cast("NDArray[np.float32]", self._detector.run(None, {"images": planes.astype(np.float32)[None]})[0])
        boxes: list[list[int]] = ((found[:, :4] - (left, top, left, top)) / scale).astype(int).tolist()
        return boxes

    def read(self, crops: Sequence[BgrImage]) -> list[str]:
        """Texts of plates, in one call of the network."""
        coloured = (cast(BgrImage, cv2.cvtColor(crop, cv2.COLOR_BGR2RGB)) for crop in crops)
        pictures = np.stack([letterbox(picture, SIZE_PX)[0] for picture in coloured])
        probabilities = cast("NDArray[np.float32]", self._reader.run(None, {"pictures": pictures})[0])
        return ["".join(row) for row in self._letters[probabilities.argmax(-1)]]

    def read_all(self, frame: BgrImage, boxes: Sequence[BoxPx]) -> list[str]:
        """Texts of the plates of a frame, one call of the network for each."""
        return [self.read([frame[y1:y2, x1:x2]])[0] for x1, y1, x2, y2 in boxes]


def letterbox(picture: BgrImage, size_px: tuple[int, int]) -> tuple[NDArray[np.uint8], float, tuple[float, float]]:
    """The picture in the middle of ``size_px`` (height, width), its scale, and the border on the left and above."""
    height, width = picture.shape[:2]
    scale = min(size_px[0] / height, size_px[1] / width)
    inner = round(width * scale), round(height * scale)
    left, top = (size_px[1] - inner[0]) / 2, (size_px[0] - inner[1]) / 2
    small = cv2.resize(picture, inner, interpolation=cv2.INTER_LINEAR)
    sides = (round(top - 0.1), round(top + 0.1), round(left - 0.1), round(left + 0.1))
    framed = cv2.copyMakeBorder(small, *sides, cv2.BORDER_CONSTANT, value=_FILL)
    return cast("NDArray[np.uint8]", framed), scale, (left, top)


def export(folder: Path) -> None:
    """Write both networks, untrained, as ``detector.onnx`` and ``reader.onnx``.

    Raises:
        UnavailableError: a package for it is missing.
    """
    try:
        import onnx

        importlib.import_module("onnxscript")  # torch's exporter needs it
    except ModuleNotFoundError as error:
        raise UnavailableError(f"{error}: pip install onnx onnxscript") from error
    import torch

    from benchmarks.compact_transformer import CompactTransformer

    detector = _yolo()
    to_onnx = cast("Any", torch.onnx).export
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's exporter and the packages that it needs
        picture = torch.zeros(1, 3, _DETECTOR_PX, _DETECTOR_PX)
        to_onnx(detector, (picture,), folder / "raw.onnx", input_names=["images"], output_names=["raw"], **_PLAINLY)
        plates = torch.zeros(2, *SIZE_PX, 3, dtype=torch.uint8)
        to_onnx(
            CompactTransformer().eval(),
            (plates,),
            folder / "reader.onnx",
            input_names=["pictures"],
            output_names=["probabilities"],
            dynamic_shapes=({0: torch.export.Dim("plates")},),
            **_PLAINLY,
        )
    onnx.save(suppressing(onnx.load(folder / "raw.onnx")), folder / "detector.onnx")


_PLAINLY: dict[str, Any] = {"dynamo": True, "external_data": False, "verbose": False}


def _yolo() -> Any:
    """YOLOv9-t of one class, its normalisation fused, ready to be exported."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(YOLO_OFFLINE="1", YOLO_CONFIG_DIR=folder, YOLO_AUTOINSTALL="false", MPLCONFIGDIR=folder)
        from ultralytics.nn.tasks import DetectionModel

        network = cast("Any", DetectionModel)("yolov9t.yaml", nc=1, verbose=False).eval().fuse(verbose=False)
    network.model[-1].export, network.model[-1].format = True, "onnx"
    return network


def suppressing(model: Any) -> Any:
    """The network with suppression behind it: from ``raw`` ``(1, 5, A)`` to ``(M, 5)``, boxes and scores."""
    from onnx import TensorProto, helper, numpy_helper

    constants = {
        "parts": np.array([4, 1], np.int64),
        "most": np.array([_MOST], np.int64),
        "iou": np.array([_MAX_IOU], np.float32),
        "least": np.array([_MIN_SCORE], np.float32),
        "last": np.array([2], np.int64),
        "to_corners": np.array([[1, 0, 1, 0], [0, 1, 0, 1], [-0.5, 0, 0.5, 0], [0, -0.5, 0, 0.5]], np.float32),
        "last_axis": np.array([1], np.int64),
        "first_axis": np.array([0], np.int64),
    }
    nodes = [
        helper.make_node("Split", ["raw", "parts"], ["sides", "scores"], axis=1),
        helper.make_node("Transpose", ["sides"], ["boxes"], perm=[0, 2, 1]),
        helper.make_node(
            "NonMaxSuppression", ["boxes", "scores", "most", "iou", "least"], ["picked"], center_point_box=1
        ),
        helper.make_node("Gather", ["picked", "last"], ["cells"], axis=1),
        helper.make_node("Flatten", ["cells"], ["column"], axis=1),
        helper.make_node("Squeeze", ["column", "last_axis"], ["cell"]),
        helper.make_node("Transpose", ["raw"], ["rows"], perm=[0, 2, 1]),
        helper.make_node("Squeeze", ["rows", "first_axis"], ["table"]),
        helper.make_node("Gather", ["table", "cell"], ["found"], axis=0),
        helper.make_node("Split", ["found", "parts"], ["centred", "score"], axis=1),
        helper.make_node("MatMul", ["centred", "to_corners"], ["corners"]),
        helper.make_node("Concat", ["corners", "score"], ["plates"], axis=1),
    ]
    graph = model.graph
    graph.initializer.extend(numpy_helper.from_array(values, name) for name, values in constants.items())
    graph.node.extend(nodes)
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("plates", TensorProto.FLOAT, [None, 5]))
    return model
