"""ONNX files that describe themselves: models that ultralytics exported, which carry their task, classes and size."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final, cast

from platereader.errors import WeightsCorruptError
from platereader.registry._contents import contents_of
from platereader.registry._manifest import WeightEntry, entry_of

__all__ = ["ULTRALYTICS", "exported_entry"]

ULTRALYTICS: Final = "ultralytics"
"""What such an entry's ``settings`` say under ``exported_by``."""

_REQUIRED = frozenset({"task", "names", "imgsz", "stride"})


def exported_entry(path: Path, data: bytes) -> WeightEntry | None:
    """The entry of a model that ultralytics exported; None for any other file.

    Its settings are ``exported_by``, ``input_size_px`` (height and width) and ``classes`` (their names).

    Raises:
        WeightsCorruptError: its metadata cannot be read, or it does not find boxes.
    """
    try:
        contents = contents_of(data, name=str(path))
    except WeightsCorruptError:
        return None
    metadata = contents.metadata
    if contents.format != "onnx" or not metadata.keys() >= _REQUIRED:
        return None
    if metadata["task"] != "detect":
        raise WeightsCorruptError(
            f"{path} is a model of ultralytics for the task {metadata['task']!r}, allowed is 'detect': export one that "
            "finds boxes, or use UltralyticsDetector with the file it was exported from."
        )
    size, names = _literal(metadata["imgsz"]), _literal(metadata["names"])
    if not _is_size(size) or not isinstance(names, dict) or not names:
        raise WeightsCorruptError(
            f"{path} has the metadata imgsz = {metadata['imgsz']!r} and names = {metadata['names']!r}, expected are "
            "two sides in pixels and a dictionary of classes: export it again."
        )
    classes = [str(name) for name in cast("dict[object, object]", names).values()]
    settings = {"exported_by": ULTRALYTICS, "input_size_px": size, "classes": classes}
    return entry_of(path, data, kind="detector", settings=settings, licence=metadata.get("license", "unknown"))


def _literal(text: str) -> object:
    """The numbers, texts, lists and dictionaries that a text spells; None for any other text."""
    try:
        return cast(object, ast.literal_eval(text))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def _is_size(value: object) -> bool:
    sides = cast("list[object]", value) if isinstance(value, list) else []
    return len(sides) == 2 and all(isinstance(side, int) and 32 <= side <= 8192 for side in sides)
