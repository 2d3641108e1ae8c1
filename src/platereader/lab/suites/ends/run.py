"""One run of a pipeline's reader over the suite ``ends``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from platereader._reading import PlateReader
from platereader.lab.suites.chunks import chunks
from platereader.lab.suites.ends.report import EndReading, EndsReport
from platereader.lab.suites.frozen import changed_parts, fingerprint
from platereader.lab.synthesis.ends.material import EndPlate
from platereader.lab.synthesis.ends.pictures import VARIANTS, EndPicture, EndVariant, part_size, pictures
from platereader.pipeline import Pipeline
from platereader.results import HasVerdict, PlateReading
from platereader.video._fusion import FusedEvidence

FROZEN_PICTURES = 6
"""Pictures of each variant, from its first on, whose fingerprint is frozen."""

_CHUNK = 64


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
