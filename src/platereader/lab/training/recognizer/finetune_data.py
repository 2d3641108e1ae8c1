"""Labelled plates of the user: which of them can be used, which are held out, and batches in which they are mixed.

A plate is held out if any picture of it is: no text is on both sides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Dataset
from typing_extensions import override

from platereader._arrays import BgrImage
from platereader._contracts import checked_rectify
from platereader._geometry import Box, Quad
from platereader.detection._refined import with_corners
from platereader.errors import DatasetError, MediaFileError
from platereader.lab.datasets import LabelledPlate, SkippedRow, is_calibration, load_dataset
from platereader.lab.datasets.labels import name_hash
from platereader.lab.datasets.plates import RealPlate, surroundings
from platereader.lab.training.finetuning import TuningSet, check_enough
from platereader.lab.training.recognizer.data import Batch, PlateBatches, Sample, jittered_crops, to_batch
from platereader.media._images import read_image
from platereader.plates import Alphabet
from platereader.protocols import Rectifier
from platereader.rectification._layout import lines_by_aspect, lines_by_box
from platereader.results import Detection, Lines

MIN_PLATES = 20
"""With fewer plates there is next to nothing to learn from and nothing to measure on."""


@dataclass(frozen=True, slots=True, eq=False)
class TuningPlate:
    """A labelled plate of the network's characters alone, with a little of its surroundings where the picture has any.

    ``lines`` are as labelled, else as the default rectifier guesses them; ``corners``, float32 ``(4, 2)`` in pixels of
    ``encoded``, as labelled, else as found, else those of the box ``detection``. ``encoded`` is a JPEG, a tenth of the
    size of its pixels, because fifty thousand are held in memory.
    """

    path: Path
    detection: Detection
    text: str
    lines: Lines
    corners: NDArray[np.float32]
    encoded: NDArray[np.uint8]

    @property
    def real(self) -> RealPlate:
        """The plate with its surroundings, decoded."""
        pixels = np.asarray(cv2.imdecode(self.encoded, cv2.IMREAD_COLOR), np.uint8)
        return RealPlate(pixels, self.corners, self.lines, self.text, self.path.name)


TuningPlates: TypeAlias = TuningSet[TuningPlate]
"""A labelled set of the user."""


def load_tuning_plates(folder: Path, *, alphabet: Alphabet) -> TuningPlates:
    """Read a labelled set of any layout of ``load_dataset``; a crop without a box is a plate that fills its picture.

    Raises:
        DatasetError: the set cannot be used at all, has fewer than 20 usable plates, or all of them say the same.
    """
    dataset = load_dataset(folder)
    skipped, found = list(dataset.skipped), list[TuningPlate]()
    for image in dataset.images:
        try:
            frame = read_image(image.path)
        except MediaFileError as error:
            skipped.append(SkippedRow(image.path, None, str(error)))
            continue
        for plate in image.plates:
            reason = _unusable(plate, frame, alphabet)
            if reason is None:
                found.append(_tuning_plate(image.path, frame, plate))
            else:
                skipped.append(SkippedRow(image.path, None, reason))
    check_enough(folder, len(found), least=MIN_PLATES, what="plates", skipped=skipped)
    return TuningSet(*split(found), skipped=skipped, label=lambda plate: f"{plate.path.name} {plate.text}")


def split(plates: Sequence[TuningPlate]) -> tuple[list[TuningPlate], list[TuningPlate]]:
    """Plates to train on, and those held out: the fifth by ``is_calibration``, or the first one by hash if that fails.

    Raises:
        DatasetError: all say the same.
    """
    held_out = [plate for plate in plates if is_calibration(plate.path)]
    held_out_texts = {plate.text for plate in held_out}
    train = [plate for plate in plates if plate.text not in held_out_texts]
    if not train or not held_out:
        first = min(plates, key=lambda plate: name_hash(plate.path))
        held_out = [plate for plate in plates if plate.text == first.text]
        train = [plate for plate in plates if plate.text != first.text]
    if not train:
        raise DatasetError(f"all {len(plates)} plates say {plates[0].text}: some must differ, to measure on.")
    return train, held_out


def straightened(plates: Sequence[TuningPlate], *, rectifier: Rectifier) -> list[Sample]:
    """The plates as a pipeline with that rectifier hands them to its recognizer; decodes their pictures again."""
    return [
        Sample(checked_rectify(rectifier, read_image(plate.path), [plate.detection])[0], plate.text) for plate in plates
    ]


def jittered(plates: Sequence[TuningPlate], *, rng: np.random.Generator, count: int) -> list[Sample]:
    """Random ones of the plates, ``count`` of them, cut out by wrong corners and disturbed, as in training."""
    chosen: list[int] = rng.integers(len(plates), size=count).tolist()
    return jittered_crops((plates[index].real for index in chosen), rng=rng)


@dataclass(eq=False)
class MixedBatches(Dataset[Batch]):
    """The batches of another training with the user's plates, at least one, in the place of a share of theirs."""

    plates: Sequence[TuningPlate]
    rest: PlateBatches
    share: float

    @override
    def __getitem__(self, index: int) -> Batch:
        """Make batch number ``index``."""
        rng = np.random.default_rng((self.rest.seed, index))
        count = int(rng.binomial(self.rest.batch_size, self.share))
        samples = [self.rest.sample(rng) for _ in range(self.rest.batch_size - count)]
        samples += jittered(self.plates, rng=rng, count=count)
        return to_batch(samples, alphabet=self.rest.alphabet, config=self.rest.config)


def _unusable(plate: LabelledPlate, frame: BgrImage, alphabet: Alphabet) -> str | None:
    """Why a label teaches nothing, or None."""
    if plate.text is None:
        return "a plate without a text"
    unknown = sorted(set(plate.text) - set(alphabet.characters))
    if unknown:
        return f"the text {plate.text!r} has {', '.join(unknown)}, the network knows {alphabet.characters}"
    if plate.is_loose:
        return f"the place of {plate.text} is only roughly known"
    places = {"box": _box_of(plate, frame)} | ({} if plate.corners is None else {"corners": plate.corners.box})
    for name, place in places.items():
        if place.clipped(frame.shape[1], frame.shape[0]) is None:
            return f"the {name} of {plate.text} lies outside of the picture"
    return None


def _tuning_plate(path: Path, frame: BgrImage, plate: LabelledPlate) -> TuningPlate:
    """A usable plate, cut out of its picture."""
    box = _box_of(plate, frame)
    outline = plate.corners or with_corners(frame, [Detection(box, 1.0)])[0].corners
    quad = outline or Quad.from_box(box)
    near, origin = surroundings(frame, quad.box)
    _, encoded = cv2.imencode(".jpg", near, [cv2.IMWRITE_JPEG_QUALITY, 95])
    lines = plate.lines or (lines_by_box(box) if outline is None else lines_by_aspect(outline))
    corners = (quad.to_array() - origin).astype(np.float32)
    detection = Detection(box, 1.0, plate.corners, plate.lines)
    return TuningPlate(path, detection, plate.text or "", lines, corners, np.asarray(encoded, np.uint8))


def _box_of(plate: LabelledPlate, frame: BgrImage) -> Box:
    """Where the plate is; the whole picture where the label says nothing."""
    return plate.bounds or Box(0.0, 0.0, float(frame.shape[1]), float(frame.shape[0]))
