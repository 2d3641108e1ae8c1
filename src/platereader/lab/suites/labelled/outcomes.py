"""What became of each labelled plate: found or not, read as what, from the frame and from its given place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from platereader._geometry import Box, Quad, iou
from platereader.lab.datasets import LabelledImage, LabelledPlate
from platereader.lab.metrics.json_safe import JsonSafe
from platereader.lab.metrics.rates import containment, corner_error
from platereader.plates import DEFAULT_SCHEMES
from platereader.results import PlateReading, Reason, Status

MIN_FOUND_IOU = 0.3
"""A plate counts as found, and its reading as its own, from this IoU on."""


@dataclass(frozen=True, slots=True)
class PlateOutcome(JsonSafe):
    """One labelled plate and what the pipeline made of it, from end to end and from its labelled place.

    Attributes:
        text: labelled text; None when it is not readable for certain.
        plate_type: as labelled, else by the form of the text, else ``unknown``.
        region_digits: length of the region code; None without one.
        foreign: name of its country when that is not Russia (``other`` when the label only says so), else None.
        boxed: whether the label says where it is; a crop has only the attributes from ``given`` on.
        iou: of the label with the reading matched to it; None when it was not found.
        corner_error_percent: mean corner distance in per cent of the plate's width, where both have corners.
        given: whether the plate was also read from its labelled place.
    """

    DERIVED: ClassVar[tuple[str, ...]] = ("found", "exact", "given_exact")

    file: str
    text: str | None
    plate_type: str
    region_digits: Literal[2, 3] | None
    foreign: str | None
    boxed: bool
    iou: float | None
    read_text: str | None
    read_country: str | None
    status: Status | None
    reason: Reason | None
    confidence: float | None
    corner_error_percent: float | None
    given: bool
    given_text: str | None
    given_status: Status | None

    @property
    def found(self) -> bool:
        """Whether some reading belongs to it."""
        return self.iou is not None

    @property
    def exact(self) -> bool:
        """Whether the end-to-end text is the labelled one."""
        return self.text is not None and self.read_text == self.text

    @property
    def given_exact(self) -> bool:
        """Whether the text from its labelled place is the labelled one."""
        return self.text is not None and self.given_text == self.text

    @property
    def is_failure(self) -> bool:
        """Whether there is something to look at: not found, or a labelled Russian text read otherwise."""
        if self.boxed and not self.found:
            return True
        wrong = not self.exact if self.boxed else not self.given_exact
        return self.text is not None and self.foreign is None and wrong


def plate_outcome(
    image: LabelledImage,
    plate: LabelledPlate,
    *,
    file: str,
    readings: Sequence[PlateReading],
    given: PlateReading | None,
) -> PlateOutcome:
    """Compare one label with all readings of its picture, which the report calls ``file``.

    ``given`` is the reading from the labelled place, or of the crop; None when it was not tried.
    """
    reading, overlap = reading_of(plate, readings)
    return PlateOutcome(
        file=file,
        text=plate.text,
        plate_type=plate.plate_type or DEFAULT_SCHEMES.fit(plate.text or "").format or "unknown",
        region_digits=_region_digits(plate.text),
        foreign=_foreign(image, plate),
        boxed=plate.bounds is not None,
        iou=overlap,
        read_text=None if reading is None else reading.text,
        read_country=None if reading is None else reading.country,
        status=None if reading is None else reading.status,
        reason=None if reading is None else reading.reason,
        confidence=None if reading is None else reading.confidence,
        corner_error_percent=corner_error_at(
            overlap,
            None if reading is None or reading.detection is None else reading.detection.corners,
            None if plate.is_loose else plate.corners,
        ),
        given=given is not None,
        given_text=None if given is None else given.text,
        given_status=None if given is None else given.status,
    )


def reading_of(
    plate: LabelledPlate, readings: Sequence[PlateReading]
) -> tuple[PlateReading, float] | tuple[None, None]:
    """The reading whose box overlaps the labelled one best, from IoU 0.3 on, with that IoU.

    A loose label also takes a reading that lies in it by 80 % and fills a tenth of it: its slack may be larger than
    the plate.
    """
    box = plate.bounds
    if box is None:
        return None, None
    found = [(one, one.detection.box) for one in readings if one.detection is not None]
    own = [
        (one, overlap)
        for one, place in found
        if (overlap := iou(place, box)) >= MIN_FOUND_IOU or (plate.is_loose and _fills(place, box))
    ]
    return max(own, key=lambda pair: pair[1], default=(None, None))


def _fills(inner: Box, outer: Box) -> bool:
    """Whether a detection may be the plate of a loose label around it."""
    share = float(containment(np.asarray([inner.to_tuple()]), np.asarray([outer.to_tuple()]))[0, 0])
    return share >= 0.8 and inner.area >= 0.1 * outer.area


def corner_error_at(overlap: float | None, found: Quad | None, labelled: Quad | None) -> float | None:
    """The ``corner_error`` where both have corners and their boxes overlap by IoU 0.5."""
    if overlap is None or overlap < 0.5 or found is None or labelled is None:
        return None
    return corner_error(found, labelled)


def _region_digits(text: str | None) -> Literal[2, 3] | None:
    fits = DEFAULT_SCHEMES.fit(text or "").plate_format
    codes = () if fits is None or text is None else fits.region_codes(text)
    return None if not codes else (3 if len(codes[0]) == 3 else 2)


def _foreign(image: LabelledImage, plate: LabelledPlate) -> str | None:
    """The country of a plate that is not Russian."""
    country = plate.country or image.country
    if country is not None and country != "RU":
        return country
    return "other" if plate.plate_type is not None and plate.plate_type.startswith("foreign") else None
