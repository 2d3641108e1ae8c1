"""What the scenes suite is made from: photographs that nothing was trained on, and the plates in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from platereader._geometry import Box, Quad
from platereader.lab.datasets import LabelledImage, LabelledPlate, is_calibration, load_dataset
from platereader.lab.synthesis.scenes.frames import Photograph
from platereader.media._images import read_image
from platereader.rectification._layout import lines_by_aspect
from platereader.results import Lines

_DASH_CAMERA = "rl_"


@dataclass(frozen=True, slots=True)
class PlatePhotograph:
    """One labelled plate, whose box is well fitted, in a photograph."""

    image: LabelledImage
    plate: LabelledPlate

    @property
    def box(self) -> Box:
        """The labelled box, or the one around the labelled corners."""
        box = self.plate.bounds
        if box is None:
            raise ValueError("a labelled plate has a box")
        return box

    @property
    def corners(self) -> Quad:
        """The labelled corners, or those of the box."""
        return self.plate.corners or Quad.from_box(self.box)

    @property
    def lines(self) -> Lines:
        """Lines of text, as labelled or by the shape."""
        return self.plate.lines or lines_by_aspect(self.corners)

    @property
    def russian_text(self) -> str | None:
        """What it says, if that is known and the plate is Russian."""
        return self.plate.text if self.image.country in (None, "RU") else None

    def load(self) -> Photograph:
        """The decoded photograph, this plate first of those in it."""
        others = [plate.bounds for plate in self.image.plates if plate is not self.plate]
        quads = (self.corners, *(Quad.from_box(box) for box in others if box is not None))
        return Photograph(read_image(self.image.path), tuple(quad.to_array() for quad in quads))


@dataclass(frozen=True, slots=True)
class Material:
    """Where the suite's photographs are.

    ``dev`` are plates with corners and a text in ``dev/russian``, ``calibration`` those with corners in the calibration
    fifth of ``train/russian`` and ``train/more``, ``streets`` those in the calibration fifth of the dash-cam pictures
    of ``train/other``, with boxes only.
    """

    dev: tuple[PlatePhotograph, ...]
    calibration: tuple[PlatePhotograph, ...]
    streets: tuple[PlatePhotograph, ...]


def load_material(root: Path) -> Material:
    """Find what the suite is made from under ``dev/russian``, ``train/russian``, ``train/more`` and ``train/other``.

    Pictures are decoded when they are needed.

    Raises:
        DatasetError: one of them is missing.
    """
    dev = _places(load_dataset(root / "dev" / "russian").images)
    near = [image for name in ("russian", "more") for image in load_dataset(root / "train" / name).images]
    far = [image for image in load_dataset(root / "train" / "other").images if image.path.name.startswith(_DASH_CAMERA)]
    calibration, streets = (_places(image for image in some if is_calibration(image.path)) for some in (near, far))
    return Material(
        tuple(one for one in dev if one.plate.corners and one.russian_text),
        tuple(one for one in calibration if one.plate.corners),
        tuple(streets),
    )


def _places(images: Iterable[LabelledImage]) -> list[PlatePhotograph]:
    """All plates with a box that is not loose, in the order of the file names."""
    return [
        PlatePhotograph(image, plate)
        for image in sorted(images, key=lambda image: image.path.name)
        for plate in image.plates
        if plate.bounds and not plate.is_loose
    ]
