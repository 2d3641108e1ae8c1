"""Labelled pictures that can be decoded, and which of them may be trained on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from platereader.errors import MediaFileError
from platereader.lab.datasets import load_dataset
from platereader.lab.datasets.labels import Dataset, LabelledImage, SkippedRow, is_held_out, name_hash
from platereader.media._images import read_image

HELD_OUT_NEGATIVES = 300
"""Pictures without plates, first by sha1 of the file name, that are kept for measuring false alarms."""


def load_photographs(folder: Path) -> Dataset:
    """Read a labelled set and decode every picture once, so that a damaged one is known before training starts.

    Raises:
        DatasetError: the set cannot be used at all.
    """
    dataset = load_dataset(folder)
    images, skipped = list[LabelledImage](), list(dataset.skipped)
    for image in dataset.images:
        try:
            read_image(image.path)
        except MediaFileError as error:
            skipped.append(SkippedRow(image.path, None, str(error)))
            continue
        images.append(image)
    return Dataset(tuple(images), tuple(skipped))


def trainable(images: Iterable[LabelledImage]) -> list[LabelledImage]:
    """The pictures that are not held out and show no car of a held-out one."""
    everything = list(images)
    held_out = [image for image in everything if is_held_out(image.path)]
    return without_cars_of(held_out, (image for image in everything if not is_held_out(image.path)))


def without_cars_of(held_out: Iterable[LabelledImage], images: Iterable[LabelledImage]) -> list[LabelledImage]:
    """The pictures that show no car of the held-out ones, told by the text of its plate."""
    texts = {text for image in held_out for text in image.texts}
    return [image for image in images if not texts & image.texts]


def held_out_negatives(images: Sequence[LabelledImage]) -> list[LabelledImage]:
    """The pictures without plates that are never trained on: 300, but of a small set no more than two thirds."""
    ordered = sorted(images, key=lambda image: name_hash(image.path))
    return ordered[: min(HELD_OUT_NEGATIVES, 2 * len(ordered) // 3)]
