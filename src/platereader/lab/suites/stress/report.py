"""What a run over the stress suite says, as numbers and as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from platereader.lab.metrics.json_safe import fields_of
from platereader.lab.metrics.rates import Rate
from platereader.lab.metrics.reliability import auroc, calibration_error
from platereader.lab.suites.frozen import FrozenReport, frozen_note
from platereader.lab.synthesis.part import Part
from platereader.lab.synthesis.stress.pictures import CUT_PARTS, PARTS
from platereader.lab.tables import aligned, columns, report_text, show_number, show_rate
from platereader.results import Reason, Status

MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class StressReading:
    """What was read on one picture of a part, or of what is no whole Russian plate, and on the best path beside it.

    ``text`` is None where nothing may be read, ``status`` where the detector found nothing. ``path_confidence`` is the
    mean probability of the characters on the best path.
    """

    part: Part
    source: str
    text: str | None
    read_text: str | None
    status: Status | None
    reason: Reason | None
    confidence: float
    path_text: str
    path_confidence: float

    @property
    def right(self) -> bool:
        """Whether the whole text is right."""
        return self.text is not None and self.read_text == self.text

    @property
    def path_right(self) -> bool:
        """Whether the best path is the whole text."""
        return self.path_text == self.text

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {**asdict(self), "part": self.part.name}


@dataclass(frozen=True, slots=True)
class PartScores:
    """How well one part was read: texts right, whatever the status, of all and of each source of plates.

    ``read_wrong`` counts the wrong ones of those of status ``read``, ``path_exact`` the texts that are right on the
    best path, without grammar or beam.
    """

    part: Part
    exact: Rate
    by_source: dict[str, Rate]
    read: Rate
    read_wrong: Rate
    path_exact: Rate

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {**fields_of(self), "part": self.part.name}


@dataclass(frozen=True, slots=True)
class TrustScores:
    """How far the reader knows what it cannot read.

    Attributes:
        calibration_error: expected calibration error on the mixed part, 15 bins of equal mass.
        auroc: of confidence against right and wrong, on the mixed part.
        path_auroc: of the best path's mean confidence against its being right, for comparison.
        cut_off_flagged: cut-off plates that are not ``read``.
        cut_off_named: cut-off plates with the reason ``cut_off``, or that are unreadable.
        foreign_read: pictures of foreign plates on which something is ``read`` as a Russian plate.
    """

    calibration_error: float | None
    auroc: float | None
    path_auroc: float | None
    cut_off_flagged: Rate
    cut_off_named: Rate
    not_a_plate_read: Rate
    foreign_read: Rate


@dataclass(frozen=True, slots=True)
class StressReport(FrozenReport[StressReading]):
    """What a run over the suite says."""

    SCHEMA: ClassVar[int] = 2
    FIGURES: ClassVar[tuple[str, ...]] = ("scores", "trust")

    @property
    def mixed(self) -> list[StressReading]:
        """Readings of the mixed part."""
        return [one for one in self.readings if one.part.axis == MIXED]

    def scores(self) -> list[PartScores]:
        """Scores of each part that is scored by what is read."""
        return [_part_scores(part, [one for one in self.readings if one.part == part]) for part in PARTS]

    def trust(self) -> TrustScores:
        """How far the confidence holds and doubtful plates are doubted."""
        mixed = self.mixed
        right = [one.right for one in mixed]
        cut = [one for one in self.readings if one.part in CUT_PARTS]
        return TrustScores(
            calibration_error=calibration_error([one.confidence for one in mixed], right),
            auroc=auroc([one.confidence for one in mixed], right),
            path_auroc=auroc([one.path_confidence for one in mixed], [one.path_right for one in mixed]),
            cut_off_flagged=Rate.of(one.status != "read" for one in cut),
            cut_off_named=Rate.of(one.reason == "cut_off" or one.status == "unreadable" for one in cut),
            not_a_plate_read=Rate.of(one.status == "read" for one in self._of("not_a_plate")),
            foreign_read=Rate.of(one.status == "read" for one in self._of("foreign")),
        )

    def _of(self, axis: str) -> list[StressReading]:
        return [one for one in self.readings if one.part.axis == axis]


def _part_scores(part: Part, readings: Sequence[StressReading]) -> PartScores:
    read = [one for one in readings if one.status == "read"]
    sources = sorted({one.source for one in readings})
    return PartScores(
        part=part,
        exact=Rate.of(one.right for one in readings),
        by_source={name: Rate.of(one.right for one in readings if one.source == name) for name in sources},
        read=Rate.of(one.status == "read" for one in readings),
        read_wrong=Rate.of(not one.right for one in read),
        path_exact=Rate.of(one.path_right for one in readings),
    )


def format_stress(report: StressReport) -> str:
    """Parts, trust and what ran as text; rates with counts and 95 % intervals."""
    return report_text(
        f"{len(report.readings)} pictures; {frozen_note(report.changed)}",
        report.parts,
        columns(_COLUMNS, report.scores()),
        aligned(_trust(report.trust())),
    )


def _share(rate: Rate) -> str:
    return "-" if rate.value is None else f"{100 * rate.value:.1f} %"


_COLUMNS: Mapping[str, Callable[[PartScores], str]] = {
    "stress suite": lambda one: one.part.name,
    "whole text right": lambda one: show_rate(one.exact),
    "of these sources": lambda one: ", ".join(f"{name} {_share(rate)}" for name, rate in one.by_source.items()),
    "best path only": lambda one: _share(one.path_exact),
    "read": lambda one: _share(one.read),
    "wrong of read": lambda one: f"{one.read_wrong.count}/{one.read_wrong.n}",
}


def _trust(trust: TrustScores) -> list[tuple[str, str]]:
    return [
        ("calibration error, mixed, 15 bins of equal mass", show_number(trust.calibration_error, digits=4)),
        ("AUROC of confidence, mixed", show_number(trust.auroc, digits=4)),
        ("AUROC of the best path's mean confidence, mixed", show_number(trust.path_auroc, digits=4)),
        ("cut off by 15 to 50 %: not read", show_rate(trust.cut_off_flagged)),
        ("cut off by 15 to 50 %: named so, or unreadable", show_rate(trust.cut_off_named)),
        ("not a plate: read", show_rate(trust.not_a_plate_read)),
        ("foreign plates: read as Russian", show_rate(trust.foreign_read)),
    ]
