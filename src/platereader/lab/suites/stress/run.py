"""One run of a pipeline's reader over the stress suite, and over what must not be read as a whole Russian plate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

import numpy as np

from platereader._arrays import LogProbs
from platereader._ctc import collapse
from platereader._reading import PlateReader
from platereader.lab.datasets import LabelledImage
from platereader.lab.suites.chunks import chunks
from platereader.lab.suites.frozen import changed_parts, fingerprint
from platereader.lab.suites.stress.report import StressReading, StressReport
from platereader.lab.synthesis.capture import CropProfile
from platereader.lab.synthesis.crops import PlateSample
from platereader.lab.synthesis.decoys import lettered_sample, scenery_sample
from platereader.lab.synthesis.part import SEED, Part
from platereader.lab.synthesis.stress.material import Material
from platereader.lab.synthesis.stress.pictures import CUT_PARTS, PARTS, StressPicture, part_size, pictures
from platereader.media._images import read_image
from platereader.pipeline import Pipeline
from platereader.plates._alphabet import Alphabet
from platereader.results import PlateReading

_CHUNK = 64
_SCENERY, _LETTERED = Part("not_a_plate", 0, "scenery"), Part("not_a_plate", 0, "lettering")
_DECOYS = {_SCENERY: 1500, _LETTERED: 500}


def run_size(material: Material, foreign: Sequence[LabelledImage] = ()) -> int:
    """How many pictures ``evaluate_stress`` will read."""
    return sum(part_size(part, material) for part in (*PARTS, *CUT_PARTS)) + sum(_DECOYS.values()) + len(foreign)


def evaluate_stress(
    pipeline: Pipeline,
    material: Material,
    *,
    foreign: Sequence[LabelledImage] = (),
    on_picture: Callable[[], object] = lambda: None,
) -> StressReport:
    """Read every picture of the suite from its given place, then cut-off plates, non-plates and foreign plates.

    The detector is used for the ``foreign`` pictures only, which show plates of other countries only.
    """
    made: dict[str, str] = {}
    readings: list[StressReading] = []
    for reading in chain(
        _read_suite(pipeline, material, made), _read_decoys(pipeline, material), _read_foreign(pipeline, foreign)
    ):
        readings.append(reading)
        on_picture()
    return StressReport(tuple(readings), changed_parts("stress", made), pipeline.describe())


def fingerprint_of(made: Iterable[StressPicture]) -> str:
    """The ``fingerprint`` of the pictures of one part: their pixels, places and texts."""

    def facts(picture: StressPicture) -> list[object]:
        place = picture.detection.to_dict()
        del place["truncated"]  # which no picture of the suite says
        return [picture.text, picture.frame.shape, place]

    return fingerprint((picture.frame, facts(picture)) for picture in made)


def _read_suite(pipeline: Pipeline, material: Material, made: dict[str, str]) -> Iterator[StressReading]:
    """The suite, part by part; the fingerprint of each part goes into ``made``."""
    parts = (pipeline.rectifier, pipeline.recognizer, pipeline.decoder, pipeline.trust)
    reader = PlateReader(*parts, pipeline.schemes)
    for part in (*PARTS, *CUT_PARTS):
        stressed = list(pictures(material, [part]))
        made[part.name] = fingerprint_of(stressed)
        for some in chunks(stressed, size=_CHUNK):
            found = reader.read_frames([one.frame for one in some], [[one.detection] for one in some])
            for picture, (reading,) in zip(some, found, strict=True):
                text = picture.text if part in PARTS else None
                yield _outcome(part, picture.source, text, reading, pipeline.recognizer.alphabet)


def _read_decoys(pipeline: Pipeline, material: Material) -> Iterator[StressReading]:
    """Pieces of empty scenes and of cars beside their plates, and lettering that is on no plate."""
    profile = CropProfile()
    rng = np.random.default_rng(SEED)
    makers: dict[Part, Callable[[], PlateSample]] = {
        _SCENERY: lambda: scenery_sample(rng, profile=profile, scenes=material.scenes, plates=material.plates),
        _LETTERED: lambda: lettered_sample(rng, profile=profile, backgrounds=material.scenes),
    }
    for part, count in _DECOYS.items():
        for some in chunks((makers[part]() for _ in range(count)), size=_CHUNK):
            for reading in pipeline.read_plates([one.plate for one in some]):
                yield _outcome(part, "photograph", None, reading, pipeline.recognizer.alphabet)


def _read_foreign(pipeline: Pipeline, images: Sequence[LabelledImage]) -> Iterator[StressReading]:
    """Of each picture the reading that would do most harm: one that is ``read``, else the most confident one."""
    for image in images:
        readings = pipeline.read(read_image(image.path))
        worst = max(readings, key=lambda one: (one.status == "read", one.confidence), default=None)
        yield _outcome(Part("foreign", 0, "plates"), "photograph", None, worst, pipeline.recognizer.alphabet)


def _outcome(
    part: Part, source: str, text: str | None, reading: PlateReading | None, alphabet: Alphabet
) -> StressReading:
    if reading is None:
        return StressReading(part, source, text, None, None, None, 0.0, "", 0.0)
    path_text, path_confidence = _best_path(reading.evidence.log_probs, alphabet)
    return StressReading(
        part, source, text, reading.text, reading.status, reading.reason, reading.confidence, path_text, path_confidence
    )


def _best_path(log_probs: LogProbs, alphabet: Alphabet) -> tuple[str, float]:
    """What most readers report: the best class of every step, and the mean probability of its characters' peaks."""
    path, peaks = log_probs.argmax(axis=1), np.exp(log_probs.max(axis=1).astype(np.float64))
    starts = (path != alphabet.blank) & (path != np.concatenate([[alphabet.blank], path[:-1]]))
    return alphabet.decode(collapse(path)), float(peaks[starts].mean()) if starts.any() else 0.0
