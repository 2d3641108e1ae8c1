"""Labelled pictures from disk: our ``labels.jsonl``, YOLO txt, VOC xml, AUTO.RIA OCR, and folders named by their text.

A broken row is kept as a ``SkippedRow`` with its file, line and reason; only a set that cannot be used at all raises.
"""

from __future__ import annotations

from pathlib import Path

from platereader.errors import DatasetError
from platereader.lab.datasets.labels import Dataset, LabelledImage, LabelledPlate, SkippedRow, is_calibration
from platereader.lab.datasets.layouts import read_folder, read_jsonl

__all__ = ["Dataset", "LabelledImage", "LabelledPlate", "SkippedRow", "is_calibration", "load_dataset"]


def load_dataset(path: str | Path) -> Dataset:
    """Read a labelled set; its layout is recognised by what the folder holds.

    In this order: ``labels.jsonl`` (here or below), AUTO.RIA OCR (``img/NAME.png`` with ``ann/NAME.json``), Pascal VOC
    (``.xml``), YOLO (``.txt`` beside the pictures or in ``labels`` for ``images``, with or without train/val/test),
    and pictures named by their text (``A123BC77.jpg``, ``A123BC77_2.jpg``).

    Args:
        path: a folder, or a ``.jsonl`` file.

    Raises:
        DatasetError: nothing is there, no layout fits, or every row is broken.
    """
    root = Path(path)
    if root.is_file() and root.suffix == ".jsonl":
        rows = list(read_jsonl(root))
    elif root.is_dir():
        rows = list(read_folder(root))
    else:
        raise DatasetError(f"path {str(root)!r} is neither a folder nor a .jsonl file: pass the folder of the set.")
    images = tuple(row for row in rows if isinstance(row, LabelledImage))
    skipped = tuple(row for row in rows if isinstance(row, SkippedRow))
    if not images:
        first = f"; the first: {skipped[0]}" if skipped else ""
        raise DatasetError(
            f"path {str(root)!r} has no usable picture ({len(skipped)} broken rows{first}): expected labels.jsonl, "
            "img/ with ann/*.json, Pascal VOC .xml, YOLO .txt, or pictures named by their text."
        )
    return Dataset(images, skipped)
