"""One run of a pipeline's reader over the suite ``countries``."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from platereader._arrays import BgrImage
from platereader.lab.suites.chunks import chunks
from platereader.lab.suites.countries.report import CountriesReport, CountryReading
from platereader.lab.synthesis.countries import GROUPS, Group, pictures
from platereader.pipeline import Pipeline

_CHUNK = 64


def run_size(groups: Sequence[Group] = GROUPS) -> int:
    """How many pictures ``evaluate_countries`` will read; fewer where there are no backgrounds."""
    return sum(group.count for group in groups)


def evaluate_countries(
    pipeline: Pipeline,
    backgrounds: Sequence[BgrImage] = (),
    *,
    groups: Sequence[Group] = GROUPS,
    on_picture: Callable[[], object] = lambda: None,
) -> CountriesReport:
    """Read every picture of the suite as the rectifier would hand it over; the detector and the rectifier are not used.

    ``backgrounds`` are photographs without plates, uint8 ``(H, W, 3)`` BGR; without any there is no scenery.
    """
    readings: list[CountryReading] = []
    for group in groups:
        for some in chunks(pictures(group, backgrounds=backgrounds), size=_CHUNK):
            for made, reading in zip(some, pipeline.read_plates([one.plate for one in some]), strict=True):
                readings.append(
                    CountryReading(
                        group=group.name,
                        text=made.text if group.is_plate else "",
                        country=made.country,
                        read_text=reading.text,
                        read_country=reading.country,
                        status=reading.status,
                        reason=reading.reason,
                    )
                )
                on_picture()
    return CountriesReport(tuple(readings), pipeline.describe())
