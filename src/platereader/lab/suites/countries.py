"""The suite ``countries``: a pipeline's reader on drawn plates of every country, and on what is no plate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from platereader._arrays import BgrImage
from platereader.lab.metrics.json_safe import fields_of, json_safe
from platereader.lab.metrics.rates import Rate
from platereader.lab.suites.chunks import chunks
from platereader.lab.synthesis.countries import GROUPS, Group, pictures
from platereader.lab.tables import aligned, report_text, show_rate
from platereader.pipeline import Pipeline
from platereader.results import PartDescription, Reason, Status

SCHEMA = 1
"""Version of ``CountriesReport.to_dict``."""

_CHUNK = 64
_HEAD = ("pictures of", "whole text right", "status read", "wrong and read, of all", "country right, of right texts")


@dataclass(frozen=True, slots=True)
class CountryReading:
    """What was read on one picture, and what the plate says; ``text`` is empty where there is none.

    ``country`` is that of the plate; empty for one of no particular country, and where there is no plate.
    """

    group: str
    text: str
    country: str
    read_text: str | None
    read_country: str | None
    status: Status
    reason: Reason | None

    @property
    def exact(self) -> bool:
        """Whether the text is right, whatever the status."""
        return bool(self.text) and self.read_text == self.text

    @property
    def wrong(self) -> bool:
        """Whether it is ``read`` with another text, or as of another of the neighbouring countries."""
        return self.status == "read" and not (self.exact and self.country_right)

    @property
    def country_right(self) -> bool:
        """Whether the country is right; a plate of no particular country is of none that has a mark."""
        return self.read_country == self.country or (not self.country and self.read_country == "XX")


@dataclass(frozen=True, slots=True)
class GroupScores:
    """How the pictures of one group were read.

    ``exact`` counts right texts, whatever the status; n is 0 where there is no text. ``wrong`` counts, of all, those
    that are ``read`` with a wrong text or country, or are no plate; ``country``, of the texts that are right, those
    whose country is.
    """

    name: str
    exact: Rate
    read: Rate
    wrong: Rate
    country: Rate

    @classmethod
    def of(cls, name: str, readings: Sequence[CountryReading]) -> GroupScores:
        """Count some readings."""
        return cls(
            name=name,
            exact=Rate.of(one.exact for one in readings if one.text),
            read=Rate.of(one.status == "read" for one in readings),
            wrong=Rate.of(one.wrong for one in readings),
            country=Rate.of(one.country_right for one in readings if one.exact and one.country),
        )


@dataclass(frozen=True, slots=True)
class CountriesReport:
    """All readings of one run, in the order of the groups, and the parts that ran."""

    readings: tuple[CountryReading, ...]
    parts: tuple[PartDescription, ...]

    def scores(self) -> list[GroupScores]:
        """Scores of each group, in the order of the suite."""
        by_group: dict[str, list[CountryReading]] = {}
        for one in self.readings:
            by_group.setdefault(one.group, []).append(one)
        return [GroupScores.of(name, some) for name, some in by_group.items()]

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {"schema": SCHEMA, "scores": json_safe(self.scores()), **fields_of(self)}


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


def format_countries(report: CountriesReport) -> str:
    """Groups and what ran as text; rates with counts and 95 % intervals."""
    rows = [
        (one.name, *(show_rate(rate) if rate.n else "" for rate in (one.exact, one.read, one.wrong, one.country)))
        for one in report.scores()
    ]
    return report_text(f"suite of countries: {len(report.readings)} pictures", report.parts, aligned([_HEAD, *rows]))
