"""What a pipeline's reader makes of plates of which one end is hidden, as numbers and as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from platereader._reading import PlateReader
from platereader.lab.metrics.rates import Rate
from platereader.lab.suites.chunks import chunks
from platereader.lab.suites.frozen import FrozenReport, changed_parts, fingerprint, frozen_note
from platereader.lab.synthesis.ends.material import GROUPS, EndPlate, Group
from platereader.lab.synthesis.ends.pictures import RIM_SHARE, VARIANTS, EndPicture, EndVariant, part_size, pictures
from platereader.lab.tables import aligned, report_text, show_rate
from platereader.pipeline import Pipeline
from platereader.results import HasVerdict, PlateReading, Reason, Status
from platereader.video._fusion import FusedEvidence

FROZEN_PICTURES = 6
"""Pictures of each variant, from its first on, whose fingerprint is frozen."""

_CHUNK = 64
_HEAD = ("wrong and read, of all", "read", "not read: said to be hidden")


@dataclass(frozen=True, slots=True)
class EndReading:
    """What was read on one picture of a file, or on the frames of one passage together, and what the whole plate says.

    ``hidden`` says whether a character is; None where their places are unknown.
    """

    variant: EndVariant
    group: Group
    file: str
    text: str
    hidden: bool | None
    read_text: str | None
    status: Status
    reason: Reason | None

    @property
    def read(self) -> bool:
        """Whether the status is ``read``."""
        return self.status == "read"

    @property
    def right(self) -> bool:
        """Whether it is ``read``, and is the whole text."""
        return self.read and self.read_text == self.text

    @property
    def wrong(self) -> bool:
        """Whether it is ``read``, and is not the whole text."""
        return self.read and self.read_text != self.text

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {**asdict(self), "variant": self.variant.name}


@dataclass(frozen=True, slots=True)
class EndScores:
    """How some pictures were read.

    ``wrong`` counts, of all, those that are ``read`` and are not the whole text; ``named``, of those that hide a
    character and are not ``read``, those with the reason ``cut_off`` or ``hidden_character``, or that are unreadable.
    """

    name: str
    read: Rate
    wrong: Rate
    named: Rate

    @classmethod
    def of(cls, name: str, readings: Sequence[EndReading]) -> EndScores:
        """Count some readings."""
        refused = [one for one in readings if one.hidden and not one.read]
        return cls(
            name=name,
            read=Rate.of(one.read for one in readings),
            wrong=Rate.of(one.wrong for one in readings),
            named=Rate.of(
                one.reason in ("cut_off", "hidden_character") or one.status == "unreadable" for one in refused
            ),
        )


@dataclass(frozen=True, slots=True)
class EndsReport(FrozenReport[EndReading]):
    """What a run over the suite says, whose parts are variants."""

    SCHEMA: ClassVar[int] = 1
    FIGURES: ClassVar[tuple[str, ...]] = ("totals", "worst", "controls", "reasons", "scores")

    @property
    def obstructed(self) -> list[EndReading]:
        """All but the whole plates."""
        return [one for one in self.readings if one.variant.kind != "whole"]

    def scores(self) -> list[EndScores]:
        """Scores of each variant, in the order of the suite."""
        by_variant: dict[EndVariant, list[EndReading]] = {}
        for one in self.readings:
            by_variant.setdefault(one.variant, []).append(one)
        return [EndScores.of(variant.name, some) for variant, some in by_variant.items()]

    def totals(self) -> list[EndScores]:
        """Scores of all variants together, of those of several frames, and of each group; without whole plates."""
        obstructed = self.obstructed
        return [
            EndScores.of("all", obstructed),
            EndScores.of("a character hidden", [one for one in obstructed if one.hidden]),
            EndScores.of("fused", [one for one in obstructed if one.variant.frames > 1]),
            *(EndScores.of(group, [one for one in obstructed if one.group == group]) for group in GROUPS),
        ]

    def worst(self) -> EndScores | None:
        """The variant with the largest share of wrong readings; None without any."""
        names = {one.variant.name for one in self.obstructed}
        scores = [one for one in self.scores() if one.name in names]
        return max(scores, key=lambda one: one.wrong.value or 0.0, default=None)

    def controls(self) -> Mapping[str, Rate]:
        """What must stay ``read``, and right: whole plates, and plates with two digits whose rim alone is hidden."""
        single = [one for one in self.readings if one.variant.frames == 1]
        whole = [one for one in single if one.variant.kind == "whole"]
        rim = [one for one in single if one.variant.share == RIM_SHARE and one.group == "two digits"]
        return {
            "whole plates": Rate.of(one.right for one in whole),
            **{f"whole plates, {group}": Rate.of(one.right for one in whole if one.group == group) for group in GROUPS},
            f"two digits, rim hidden ({100 * RIM_SHARE:g} %)": Rate.of(one.right for one in rim),
            **{
                f"two digits, rim hidden, {side}": Rate.of(one.right for one in rim if one.variant.side == side)
                for side in ("right", "left")
            },
        }

    def reasons(self) -> Mapping[str, int]:
        """How often each reason was given where a character is hidden; ``read`` for none, the commonest first."""
        given = Counter(str(one.reason or one.status) for one in self.obstructed if one.hidden)
        return dict(given.most_common())


def run_size(plates: Sequence[EndPlate], variants: Sequence[EndVariant] = VARIANTS) -> int:
    """How many pictures ``evaluate_ends`` will read; several frames of a plate are one."""
    return sum(part_size(plates, variant) for variant in variants)


def evaluate_ends(
    pipeline: Pipeline,
    plates: Sequence[EndPlate],
    *,
    variants: Sequence[EndVariant] = VARIANTS,
    on_picture: Callable[[], object] = lambda: None,
) -> EndsReport:
    """Read every picture of the suite from its given place; the detector is not used."""
    readings: list[EndReading] = []
    made: dict[str, str] = {}
    for variant in variants:
        first: list[EndPicture] = []
        for some in chunks(pictures(plates, variant), size=max(1, _CHUNK // variant.frames)):
            first += some[: FROZEN_PICTURES - len(first)]
            for reading in _read(pipeline, some):
                readings.append(reading)
                on_picture()
        made[variant.name] = fingerprint_of(first)
    return EndsReport(tuple(readings), changed_parts("ends", made), pipeline.describe())


def fingerprint_of(made: Sequence[EndPicture]) -> str:
    """The ``fingerprint`` of some pictures: their pixels, places and texts."""
    return fingerprint(
        (frame, [one.plate.view.text, frame.shape, [round(value, 2) for value in detection.box.to_tuple()]])
        for one in made
        for frame, detection in zip(one.frames, one.detections, strict=True)
    )


def _read(pipeline: Pipeline, some: Sequence[EndPicture]) -> Iterator[EndReading]:
    parts = (pipeline.rectifier, pipeline.recognizer, pipeline.decoder, pipeline.trust)
    reader = PlateReader(*parts, pipeline.schemes)
    frames = [frame for picture in some for frame in picture.frames]
    places = [[detection] for picture in some for detection in picture.detections]
    readings = iter(reader.read_frames(frames, places))
    for picture in some:
        own = [next(readings)[0] for _ in picture.frames]
        answer = own[0] if len(own) == 1 else _fused(pipeline, own)
        yield EndReading(
            variant=picture.variant,
            group=picture.plate.group,
            file=picture.plate.name,
            text=picture.plate.view.text,
            hidden=picture.hidden,
            read_text=answer.text,
            status=answer.status,
            reason=answer.reason,
        )


def _fused(pipeline: Pipeline, readings: Sequence[PlateReading]) -> HasVerdict:
    evidence = FusedEvidence(pipeline.trust, alphabet=pipeline.recognizer.alphabet, schemes=pipeline.schemes)
    for index, reading in enumerate(readings):
        evidence.add(reading, index)
    return evidence.fused


def format_ends(report: EndsReport) -> str:
    """Totals, controls, reasons, variants and what ran as text; rates with counts and 95 % intervals."""
    worst = report.worst()
    rows = [("suite of ends", *_HEAD), *(_row(one) for one in report.totals())]
    if worst is not None:
        rows.append(("worst variant: " + worst.name, *_row(worst)[1:]))
    return report_text(
        f"{len(report.readings)} readings; {frozen_note(report.changed, parts='variants')}",
        report.parts,
        aligned(rows),
        aligned([("right and read", ""), *((name, show_rate(rate)) for name, rate in report.controls().items())]),
        aligned([("a character hidden: reason", ""), *((name, str(n)) for name, n in report.reasons().items())]),
        aligned([("variant", *_HEAD), *(_row(one) for one in report.scores())]),
    )


def _row(scores: EndScores) -> tuple[str, ...]:
    return scores.name, *map(show_rate, (scores.wrong, scores.read, scores.named))
