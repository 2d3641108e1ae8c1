"""The system we succeed, Runoi/ANPR-System, re-enacted from its description, as quick as it can be run.

YOLOv8n by ultralytics' own ``predict`` at its default size; for every box the crop in grey, Gaussian 5 x 5, Otsu, outer
contours with the largest first; the first that ``approxPolyDP`` with 2 % of its perimeter makes a quad is
straightened, or else the crop stays as it is; 32 x 128 px; the CRNN of 8.7 million parameters in int8, one plate at a
time; greedy CTC.

Its weights are not at hand, so all are random, which takes the same time. As a random detector finds nothing, the true
boxes are read after it has done all of its work; sorting out candidates, of which it has none, costs it nothing. It
gets two threads, which ultralytics would not leave it, and an int8 LSTM, where its own seems to have stayed in fp32.
"""

from __future__ import annotations

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

from benchmarks.comparison import Prepared, timed
from platereader._arrays import BgrImage

ALPHABET = "0123456789ABCEHKMOPTXY"
_SIZE_PX = (128, 32)
_CORNERS = 4

BoxPx = tuple[int, int, int, int]


def prepared(frame: BgrImage, boxes: Sequence[BoxPx], *, threads: int) -> Prepared:
    """Get ready in this process.

    Args:
        frame: uint8 ``(H, W, 3)`` BGR.
        boxes: of its plates, for a detector that has not learned to find them.
        threads: for torch and OpenCV.
    """
    import torch  # before ultralytics, which would leave it one thread otherwise

    yolo, network = _detector(), _reader()

    def detect() -> Sequence[BoxPx]:
        yolo.predict(frame, verbose=False)[0].boxes.xyxy.cpu().numpy().astype(int).tolist()
        return boxes

    def read(crop: BgrImage) -> str:
        return greedy(network(network_input(straightened(crop))))

    def read_all(where: Sequence[BoxPx]) -> list[str]:
        return [read(frame[y1:y2, x1:x2]) for x1, y1, x2, y2 in where]

    detect()  # its first call sets the threads
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    crops = [frame[y1:y2, x1:x2] for x1, y1, x2, y2 in islice(cycle(boxes), 8)]
    one = network_input(straightened(crops[0]))
    turn = timed(
        {
            "frame": lambda: read_all(detect()),
            "detect": detect,
            "plates": lambda: read_all(boxes),
            "text 1": lambda: read(crops[0]),
            "text 8": lambda: list(map(read, crops)),
            "net 1": lambda: network(one),
        },
        per={"plates": len(boxes), "text 8": len(crops)},
    )
    facts = {"plates": len(boxes), "threads": torch.get_num_threads(), "straightened": _share(crops[: len(boxes)])}
    return Prepared(turn, facts)


def straightened(crop: BgrImage) -> BgrImage:
    """The quad that Otsu's threshold and the contours give, straightened, or the crop as it is."""
    quad = _quad(crop)
    if quad is None:
        return crop
    top_left, top_right, bottom_right, bottom_left = ordered = _ordered(quad)
    width = round(float(max(np.linalg.norm(top_right - top_left), np.linalg.norm(bottom_right - bottom_left))))
    height = round(float(max(np.linalg.norm(bottom_left - top_left), np.linalg.norm(bottom_right - top_right))))
    if min(width, height) < 1:
        return crop
    target = np.array([(0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1)], np.float32)
    matrix = cv2.getPerspectiveTransform(ordered, target)
    return cast(BgrImage, cv2.warpPerspective(crop, matrix, (width, height)))


def network_input(plate: BgrImage) -> NDArray[np.float32]:
    """The plate as float32 ``(1, 1, 32, 128)``, -1 to 1, stretched without regard to its aspect."""
    grey = cv2.resize(cv2.cvtColor(plate, cv2.COLOR_BGR2GRAY), _SIZE_PX)
    picture: NDArray[np.float32] = grey.astype(np.float32) / np.float32(127.5) - np.float32(1)
    return picture[None, None]


def greedy(scores: NDArray[np.float32]) -> str:
    """The best class of each of the T steps of ``(T, 1, C)``, repeats merged, blanks dropped."""
    path = scores[:, 0].argmax(1).tolist()
    return "".join(ALPHABET[now - 1] for now, before in zip(path, [0, *path], strict=False) if now not in (0, before))


def _quad(crop: BgrImage) -> NDArray[np.float32] | None:
    """The largest contour with four corners, ``(4, 2)``."""
    soft = cv2.GaussianBlur(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), (5, 5), 0)
    ink = cv2.threshold(soft, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1]
    contours = cv2.findContours(ink, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
    for contour in sorted(contours, key=cv2.contourArea, reverse=True):
        corners = cv2.approxPolyDP(contour, 0.02 * cv2.arcLength(contour, True), True)
        if len(corners) == _CORNERS:
            return corners.reshape(_CORNERS, 2).astype(np.float32)
    return None


def _ordered(quad: NDArray[np.float32]) -> NDArray[np.float32]:
    """Top left, top right, bottom right, bottom left."""
    total, difference = quad.sum(1), quad[:, 1] - quad[:, 0]
    return quad[[total.argmin(), difference.argmin(), total.argmax(), difference.argmax()]]


def _share(crops: Sequence[BgrImage]) -> str:
    return f"{sum(_quad(crop) is not None for crop in crops)} of {len(crops)}"


def _detector() -> Any:
    """A YOLOv8n of one class, written to a file and loaded as a user's own; ultralytics keeps to itself."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(YOLO_OFFLINE="1", YOLO_CONFIG_DIR=folder, YOLO_AUTOINSTALL="false", MPLCONFIGDIR=folder)
        from ultralytics import YOLO
        from ultralytics.nn.tasks import DetectionModel

        untrained = cast("Any", YOLO)("yolov8n.yaml", task="detect")
        untrained.model = cast("Any", DetectionModel)("yolov8n.yaml", nc=1, verbose=False)
        untrained.save(f"{folder}/plates.pt")
        return cast("Any", YOLO)(Path(folder) / "plates.pt")


def _reader() -> Any:
    """From float32 ``(1, 1, 32, 128)`` to the scores ``(T, 1, C)`` of the int8 CRNN."""
    import torch

    from benchmarks.predecessor_network import Crnn, in_int8

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.ao and quantised tensors are deprecated: they are what is re-enacted
        network = in_int8(Crnn().eval())

    def run(picture: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return cast("NDArray[np.float32]", network(torch.from_numpy(picture)).numpy())

    return run
