"""What the reader is trained on: plates made up on the fly and labelled photographs, as batches of network input."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset
from typing_extensions import override

from platereader.arrays import BgrImage
from platereader.datasets import LabelledImage, is_calibration, read_image
from platereader.geometry import Box, Quad
from platereader.plates.alphabet import Alphabet
from platereader.recognition.preprocess import prepare
from platereader.rectification.layout import join_lines, lines_by_aspect, rectify_quad
from platereader.results import Lines, PlateImage
from platereader.synthesis.crops import CropProfile, jitter_real, plate_sample
from platereader.synthesis.pose import CornerError
from platereader.training.photographs import load_photographs, trainable

__all__ = [
    "Batch",
    "PlateBatches",
    "RealPlate",
    "Sample",
    "background_photographs",
    "exact_crops",
    "jittered_crops",
    "load_real_plates",
    "to_batch",
]

# The detector's corners are off by about 2.5 % of the width in the median.
# A heavier tail would cut off characters that the label still names, which teaches a reader to invent them.
_PROFILE = CropProfile(corner_error=CornerError(median=0.026, tail=0.5))
_SURROUNDINGS = 0.8
_BACKGROUND_SIDE_PX = 480


class Sample(NamedTuple):
    """One plate laid out as one line, and what it says."""

    plate: PlateImage
    text: str


class Batch(NamedTuple):
    """Network input float32 ``(N, 1, H, W)``, the classes of all texts one after the other, and N text lengths."""

    pictures: Tensor
    targets: Tensor
    lengths: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class RealPlate:
    """A labelled plate with some of its surroundings.

    Attributes:
        pixels: uint8 ``(H, W, 3)`` BGR.
        corners: float32 ``(4, 2)`` in these pixels, as in ``Quad``.
        lines: lines of text.
        text: what it says.
        name: file it comes from.
    """

    pixels: BgrImage
    corners: NDArray[np.float32]
    lines: Lines
    text: str
    name: str


def load_real_plates(images: Sequence[LabelledImage], *, alphabet: Alphabet, calibration: bool) -> list[RealPlate]:
    """Cut the Russian plates with text and fitted corners out of labelled pictures.

    Args:
        images: of all labelled sets, see ``load_photographs``.
        alphabet: plates with other characters are left out.
        calibration: take the fifth that is kept from training instead of the other four, which are then without the
            cars of that fifth.
    """
    chosen = [image for image in images if is_calibration(image.path)] if calibration else trainable(images)
    plates: list[RealPlate] = []
    for image in chosen:
        if image.country in (None, "RU"):
            plates += _plates_of(image, alphabet=alphabet)
    return plates


def _plates_of(image: LabelledImage, *, alphabet: Alphabet) -> list[RealPlate]:
    """The usable plates of one photograph, which is decoded only if there are any."""
    found: list[RealPlate] = []
    for plate in image.plates:
        text, corners = plate.text, plate.corners
        kind = plate.plate_type or ""
        if not text or corners is None or plate.box_quality == "loose" or kind.startswith("foreign"):
            continue
        # A plate seen steeply is as narrow as one with two lines: the label knows better, unless it must be wrong.
        lines = plate.lines or lines_by_aspect(corners)
        mislabelled = plate.lines == 2 and lines_by_aspect(corners) == 1
        if not mislabelled and set(text) <= set(alphabet.characters):
            pixels, origin = _surroundings(read_image(image.path), corners.box)
            found.append(RealPlate(pixels, corners.to_array() - origin, lines, text, image.path.name))
    return found


def _surroundings(frame: BgrImage, box: Box) -> tuple[BgrImage, NDArray[np.float32]]:
    """The plate and what is near, so that hundreds of photographs fit in memory, and the origin (x, y) of the cut."""
    room = _SURROUNDINGS * box.width
    near = box.padded(room, room).clipped(frame.shape[1], frame.shape[0]) or box
    left, top, right, bottom = (int(side) for side in near.to_tuple())
    return frame[top:bottom, left:right].copy(), np.array((left, top), np.float32)


def background_photographs(folder: Path, *, count: int, rng: np.random.Generator) -> list[BgrImage]:
    """Random pictures of a labelled set without plates, at most 480 px on a side; none of the calibration fifth."""
    images = [image for image in load_photographs(folder).images if not image.plates and not is_calibration(image.path)]
    chosen: list[int] = rng.permutation(len(images))[:count].tolist()
    return [_shrunk(read_image(images[index].path)) for index in chosen]


def _shrunk(frame: BgrImage) -> BgrImage:
    scale = min(1.0, _BACKGROUND_SIDE_PX / max(frame.shape[:2]))
    return np.asarray(cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def exact_crops(plates: Iterable[RealPlate]) -> list[Sample]:
    """The plates as the rectifier cuts them out by their labelled corners: for validation."""
    return [
        Sample(rectify_quad(plate.pixels, Quad.from_points(plate.corners), plate.lines), plate.text) for plate in plates
    ]


def jittered_crops(plates: Iterable[RealPlate], *, rng: np.random.Generator) -> list[Sample]:
    """The plates cut out by wrong corners and disturbed, as in training."""
    return [_real_sample(plate, rng=rng) for plate in plates]


class PlateBatches(Dataset[Batch]):
    """Batch number i of a run: the same for the same seed, however often the run was interrupted.

    Args:
        alphabet: of the network.
        batch_size: plates in a batch.
        real: labelled plates to mix in.
        real_share: share of them, 0 to 1; without any, all plates are made up.
        backgrounds: photographs that made-up plates are put on.
        seed: of the run.
    """

    def __init__(
        self,
        alphabet: Alphabet,
        *,
        batch_size: int,
        real: Sequence[RealPlate],
        real_share: float,
        backgrounds: Sequence[BgrImage],
        seed: int,
    ) -> None:
        self.alphabet = alphabet
        self.batch_size = batch_size
        self.real = real
        self.real_share: float = real_share if real else 0.0
        self.backgrounds = backgrounds
        self.seed = seed

    @override
    def __getitem__(self, index: int) -> Batch:
        """Make batch number ``index``."""
        rng = np.random.default_rng((self.seed, index))
        return to_batch([self.sample(rng) for _ in range(self.batch_size)], alphabet=self.alphabet)

    def sample(self, rng: np.random.Generator) -> Sample:
        """One random plate."""
        if rng.random() < self.real_share:
            return _real_sample(self.real[int(rng.integers(len(self.real)))], rng=rng)
        made_up = plate_sample(rng, profile=_PROFILE, backgrounds=self.backgrounds)
        return Sample(_one_line(made_up.pixels, lines=made_up.lines), made_up.text)


def to_batch(samples: Sequence[Sample], *, alphabet: Alphabet) -> Batch:
    """Network input and targets of some samples."""
    labels = [alphabet.encode(sample.text) for sample in samples]
    return Batch(
        torch.from_numpy(prepare([sample.plate for sample in samples])),
        torch.tensor([label for text in labels for label in text]),
        torch.tensor([len(text) for text in labels]),
    )


def _real_sample(plate: RealPlate, *, rng: np.random.Generator) -> Sample:
    pixels = jitter_real(plate.pixels, corners=plate.corners, lines=plate.lines, rng=rng, profile=_PROFILE)
    return Sample(_one_line(pixels, lines=plate.lines), plate.text)


def _one_line(pixels: BgrImage, *, lines: Lines) -> PlateImage:
    return PlateImage(pixels if lines == 1 else join_lines(pixels), lines)
