"""ONNX files that describe themselves: YOLO models, told by the metadata of ultralytics or by their shapes."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

from platereader.errors import WeightsCorruptError
from platereader.registry._contents import Contents, contents_of
from platereader.registry._manifest import WeightEntry, entry_of

YOLO: Final = "yolo"
"""What such an entry's ``settings`` say under ``network``."""

_REQUIRED = frozenset({"task", "names", "imgsz", "stride"})
_SIDES = 4
_MOST_FINAL_ROWS = 1000
_FINAL_COLUMNS = {2: 7, 3: 6}  # of an output of so many dimensions with suppression inside


def understood_shapes(contents: Contents) -> str:
    """Which YOLO models need no description, and what a file has in their place; nothing for no ONNX file."""
    if contents.format != "onnx":
        return ""

    def spelled(shapes: Sequence[Sequence[int]]) -> str:
        return " and ".join(f"({', '.join(str(side or '?') for side in shape)})" for shape in shapes) or "none"

    return (
        " A YOLO model without metadata needs none if its only input is (1, 3, H, W), and its only output (1, 4 + "
        "classes, N) of N > 4 + classes boxes, (1, N, 6) or (N, 7), as ultralytics and open-image-models export them: "
        f"the inputs here are {spelled(contents.inputs)}, the outputs {spelled(contents.outputs)}."
    )


def exported_entry(path: Path, data: bytes) -> WeightEntry | None:
    """The entry of a YOLO model; None for any other file.

    Its settings are ``network``, ``input_size_px`` (height and width), ``classes`` (their names) and ``keypoints``
    (how many, and of how many numbers each).

    Raises:
        WeightsCorruptError: the metadata of ultralytics cannot be read, or it does not find boxes.
    """
    try:
        contents = contents_of(data, name=str(path))
    except WeightsCorruptError:
        return None
    described = contents.format == "onnx" and contents.metadata.keys() >= _REQUIRED
    settings = _by_metadata(contents.metadata, name=str(path)) if described else _by_shapes(contents)
    if settings is None:
        return None
    licence = contents.metadata.get("license", "unknown")
    return entry_of(path, data, kind="detector", settings={"network": YOLO, **settings}, licence=licence)


def _by_metadata(metadata: Mapping[str, str], *, name: str) -> dict[str, Any]:
    """The settings of a model that ultralytics exported."""
    if metadata["task"] not in {"detect", "pose"}:
        raise WeightsCorruptError(
            f"{name} is a model of ultralytics for the task {metadata['task']!r}, allowed are 'detect' and 'pose': "
            "export one that finds boxes, or use UltralyticsDetector with the file it was exported from."
        )
    size, names = _literal(metadata["imgsz"]), _literal(metadata["names"])
    keypoints = _literal(metadata.get("kpt_shape", "")) if metadata["task"] == "pose" else [0, 0]
    if not _are_integers(size, 32, 8192) or not _are_integers(keypoints, 0, 1000) or not _is_filled(names):
        raise WeightsCorruptError(
            f"{name} has the metadata imgsz = {metadata['imgsz']!r}, names = {metadata['names']!r} and kpt_shape = "
            f"{metadata.get('kpt_shape')!r}, expected are two sides in pixels, a dictionary of classes and for a pose "
            "model two numbers: export it again."
        )
    numbered = sorted(cast("dict[object, object]", names).items(), key=lambda item: str(item[0]).zfill(9))
    classes = [str(name) for _, name in numbered]
    return {"input_size_px": size, "classes": classes, "keypoints": keypoints}


def _by_shapes(contents: Contents) -> dict[str, Any] | None:
    """The settings of a model of one picture of a fixed size and one output of a known shape."""
    if len(contents.inputs) != 1 or len(contents.outputs) != 1:
        return None
    picture, output = contents.inputs[0], contents.outputs[0]
    if len(picture) != 4 or picture[:2] not in {(0, 3), (1, 3)} or not _are_integers(list(picture[2:]), 32, 8192):
        return None
    if len(output) == 3 and output[1] > _MOST_FINAL_ROWS > output[2]:
        return None  # raw rows of a YOLOv5 or 7, whose scores are products
    if not output or output[-1] == _FINAL_COLUMNS.get(len(output)) or (len(output) == 2 and not output[-1]):
        classes = 1  # it does not say how many: the first is the plate
    elif len(output) == 3 and output[0] in {0, 1} and _SIDES < output[1] < output[2]:
        classes = output[1] - _SIDES
    else:
        return None
    return {"input_size_px": list(picture[2:]), "classes": list(map(str, range(classes))), "keypoints": [0, 0]}


def _literal(text: str) -> object:
    """The numbers, texts, lists and dictionaries that a text spells; None for any other text."""
    try:
        return cast(object, ast.literal_eval(text))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def _is_filled(value: object) -> bool:
    return isinstance(value, dict) and bool(cast("dict[object, object]", value))


def _are_integers(value: object, least: int, most: int) -> bool:
    """Whether it is a list of two whole numbers in a range."""
    numbers: Sequence[object] = cast("list[object]", value) if isinstance(value, list) else []
    return len(numbers) == 2 and all(type(one) is int and least <= one <= most for one in numbers)
