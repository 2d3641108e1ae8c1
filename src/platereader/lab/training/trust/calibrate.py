"""Fit what a confidence is worth: the recognizer and decoder read plates never trained on, and are right or wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from platereader._arrays import BgrImage
from platereader._defaults import default_rectifier
from platereader._reading import PlateReader
from platereader.lab.datasets import is_calibration
from platereader.lab.datasets.photographs import load_photographs
from platereader.lab.metrics.rates import Rate
from platereader.lab.metrics.reliability import auroc, calibration_error
from platereader.lab.suites.chunks import chunks
from platereader.lab.training.recognizer.data import Kinds, PlateBatches, Sample, held_out_plates
from platereader.media._images import read_image
from platereader.plates import Alphabet
from platereader.plates._defaults import default_schemes
from platereader.protocols import CTCDecoder, Detector, Recognizer
from platereader.results import PlateReading
from platereader.trust import Calibration, Signs, TrustPolicy, signs_of

_SEED = 2**41
# Half photographs of the calibration fifth, half made up; no more decoys than a pipeline's detector lets through.
_KINDS = Kinds(real=0.5, foreign=0.02, scenery=0.01, lettered=0.01)


class CalibrationExample(NamedTuple):
    """One reading: its signs, and whether the text was right."""

    signs: Signs
    right: bool


def calibration_plates(
    labelled: Sequence[Path] = (),
    *,
    negatives: Path | None = None,
    detector: Detector | None = None,
    count: int = 12_000,
    alphabet: Alphabet,
) -> list[Sample]:
    """Plates that no recognizer was trained on: the calibration fifth of labelled sets, disturbed, and made-up ones.

    The former are ``held_out_plates``. The calibration fifth of ``negatives`` gives backgrounds and scenery.

    Raises:
        DatasetError: a labelled set cannot be used at all.
    """
    images = (image for folder in labelled for image in load_photographs(folder).images)
    real = held_out_plates(images, alphabet=alphabet, detector=detector)
    maker = PlateBatches(alphabet, batch_size=1, real=real, kinds=_KINDS, backgrounds=_scenes(negatives), seed=_SEED)
    rng = np.random.default_rng(_SEED)
    return [maker.sample(rng) for _ in range(count)]


def _scenes(folder: Path | None) -> list[BgrImage]:
    """Pictures without plates of the calibration fifth."""
    if folder is None:
        return []
    empty = [one for one in load_photographs(folder).images if not one.plates and is_calibration(one.path)]
    return [read_image(image.path) for image in empty[:60]]


def calibration_examples(
    recognizer: Recognizer, decoder: CTCDecoder, samples: Sequence[Sample]
) -> list[CalibrationExample]:
    """Read samples; those without any candidate are left out, as there is nothing to be confident of."""
    examples: list[CalibrationExample] = []
    policy, schemes = TrustPolicy(min_legible=0.0), default_schemes(recognizer.alphabet)
    for sample, reading in _read(recognizer, decoder, samples, policy=policy):
        if reading.candidates:
            countries = policy.countries(reading.evidence.marks, schemes)
            fit = schemes.fit(reading.candidates[0].text, lines=sample.plate.lines, countries=countries)
            signs = signs_of(reading.candidates, reading.characters, reading.evidence.log_probs, fit=fit)
            examples.append(CalibrationExample(signs, reading.candidates[0].text == sample.text))
    return examples


class PolicyOutcome(NamedTuple):
    """What a policy lets through: plates whose text is right, those that are ``read``, and of these the wrong ones."""

    right: Rate
    read: Rate
    wrong: Rate

    @classmethod
    def of(cls, pairs: Sequence[tuple[bool, bool]]) -> PolicyOutcome:
        """Count pairs: whether a text is ``read``, and whether it is right."""
        read = [right for is_read, right in pairs if is_read]
        return cls(
            right=Rate.of(right for _, right in pairs),
            read=Rate.of(is_read for is_read, _ in pairs),
            wrong=Rate.of(not right for right in read),
        )


def policy_outcome(
    recognizer: Recognizer, decoder: CTCDecoder, samples: Sequence[Sample], *, policy: TrustPolicy
) -> PolicyOutcome:
    """Read samples and count what the policy lets through."""
    read = _read(recognizer, decoder, samples, policy=policy)
    return PolicyOutcome.of([(reading.status == "read", reading.text == sample.text) for sample, reading in read])


def _read(
    recognizer: Recognizer, decoder: CTCDecoder, samples: Sequence[Sample], *, policy: TrustPolicy
) -> Iterator[tuple[Sample, PlateReading]]:
    """Each sample with its reading, some at a time."""
    reader = PlateReader(default_rectifier(), recognizer, decoder, policy, default_schemes(recognizer.alphabet))
    for some in chunks(samples, size=64):
        readings = reader.read_plates([sample.plate for sample in some], [None] * len(some))
        yield from zip(some, readings, strict=True)


def calibrate(
    readings: Sequence[CalibrationExample], *, precision: str, decoder: str
) -> tuple[Calibration, dict[str, float | None]]:
    """Fit on two thirds of the readings, and measure on the others what that gives; the fit returned is of all.

    The figures are ``calibration_error`` and ``auroc``. ``decoder`` is as ``platereader._defaults.decoder_name`` calls
    it.

    Raises:
        InvalidArgumentError: all readings are right, or all wrong.
    """
    fitted = [one for index, one in enumerate(readings) if index % 3]
    held_out = readings[::3]
    partial_fit = _fitted(fitted, precision=precision, decoder=decoder)
    confidences, right = [partial_fit.confidence(one.signs) for one in held_out], [one.right for one in held_out]
    return _fitted(readings, precision=precision, decoder=decoder), how_far_it_holds(confidences, right)


def how_far_it_holds(confidences: Sequence[float], right: Sequence[bool]) -> dict[str, float | None]:
    """The figures of a calibration on readings that it was not fitted on."""
    return {"calibration_error": calibration_error(confidences, right), "auroc": auroc(confidences, right)}


def _fitted(readings: Sequence[CalibrationExample], *, precision: str, decoder: str) -> Calibration:
    signs, right = [one.signs for one in readings], [one.right for one in readings]
    return Calibration.fit(signs, right, precision=precision, decoder=decoder)
