"""Fine-tune the reader on labelled plates of one's own, and keep the new weights only if they read as well.

Own plates are mixed into what the reader was trained on, so that it does not forget the rest of the world. Both are
measured before and after; then confidences are fitted again, and the int8 form is made again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from platereader._defaults import decoder_name, default_decoder, default_rectifier
from platereader._dependencies import check_installed
from platereader._files import write_json
from platereader.errors import AccuracyError, EngineError, InvalidArgumentError
from platereader.lab.datasets import SkippedRow
from platereader.lab.suites.labelled.table import show_rate
from platereader.lab.training.checkpoint import check_output
from platereader.lab.training.recognizer import quantize
from platereader.lab.training.recognizer.comparison import Comparison, compare, read_right
from platereader.lab.training.recognizer.data import (
    Kinds,
    PlateBatches,
    Sample,
    background_photographs,
    load_real_plates,
)
from platereader.lab.training.recognizer.finetune_data import (
    OwnBatches,
    OwnPlates,
    jittered,
    load_own_plates,
    straightened,
)
from platereader.lab.training.recognizer.train import (
    CHECKPOINT,
    WEIGHTS,
    RecognizerRun,
    RecognizerTraining,
    export_recognizer,
)
from platereader.lab.training.trust.calibrate import calibrate, calibration_plates, judged
from platereader.plates._alphabet import Alphabet
from platereader.protocols import Recognizer
from platereader.recognition._network import trained_network
from platereader.recognition._recognizer import CtcRecognizer
from platereader.recognition._shape import shape_from_settings
from platereader.registry import WeightFile, write_sidecar
from platereader.registry._manifest import sidecar_of
from platereader.runtimes._int8_tensors import precision_of

__all__ = ["DEFAULTS", "REPORT", "FineTuned", "fine_tune", "made_up_plates", "steps_for"]

DEFAULTS: Final[Mapping[str, Any]] = {
    "minutes": 30.0,
    "learning_rate": 2e-4,
    "warmup_steps": 50,
    "real_share": 0.5,
}
"""Settings of ``RecognizerTraining`` that suit fine-tuning; ``real_share`` is the share of own plates."""

REPORT = "finetuning.json"
MADE_UP_TRIALS = 2000
CALIBRATION_PLATES = 4000
SCALE_PLATES = 256
MARGIN_POINTS = 0.5
"""Percentage points of exact match that made-up plates may lose."""

_MOST_HELD_OUT = 4000
_SEEN_WHILE_TRAINING = 500
_SEED = 2**42
_HELD_OUT, _MADE_UP = "your plates, held out", "made-up plates"


@dataclass(frozen=True, slots=True)
class FineTuned:
    """What came of it.

    Attributes:
        start: sha256 of the weights that it began with.
        train: own plates that were trained on.
        held_out: own plates that were kept apart.
        skipped: own labels that could not be used.
        steps: optimizer steps.
        minutes: time they took.
        comparisons: exact match before and after.
        weights: the new weights; None when they were not written.
        int8: their int8 form; None when it was not written.
        calibration: by file name, how far its confidences hold on plates that they were not fitted on.
        notes: what was left out, and why.
    """

    start: str
    train: int
    held_out: int
    skipped: tuple[SkippedRow, ...]
    steps: int
    minutes: float
    comparisons: tuple[Comparison, ...]
    weights: Path | None = None
    int8: Path | None = None
    calibration: Mapping[str, Mapping[str, float | None]] | None = None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {
            "start_sha256": self.start,
            "plates": {"train": self.train, "held_out": self.held_out, "skipped": list(map(str, self.skipped))},
            "steps": self.steps,
            "minutes": round(self.minutes, 2),
            "exact_match": [one.to_dict() for one in self.comparisons],
            "weights": None if self.weights is None else self.weights.name,
            "int8": None if self.int8 is None else self.int8.name,
            "calibration": self.calibration,
            "notes": list(self.notes),
        }


def fine_tune(settings: RecognizerTraining, *, start: WeightFile, data: Path, even_if_worse: bool = False) -> FineTuned:
    """Train weights further, on plates of one's own among others, or go on with a run that was stopped.

    Args:
        settings: of the run, see ``DEFAULTS``; ``labelled`` are older sets to go on training with. Without ``steps``
            their number follows from the number of own plates, see ``steps_for``.
        start: float weights to begin with; shape and alphabet come from their settings.
        data: own labelled set; its calibration fifth is held out, of which 4000 plates at most are read.
        even_if_worse: write the weights even if they read worse.

    Returns:
        The figures, and the files that were written into ``settings.output``: weights, int8 weights, their sidecars
        and ``finetuning.json``.

    Raises:
        AccuracyError: fewer of the own plates are read right than before, or fewer made-up ones beyond margin and
            chance: only the checkpoint and the report are written.
        DatasetError: the labelled set cannot be used, or has fewer than 20 usable plates.
        InvalidArgumentError: the output folder holds other weights, or ``start`` are int8 weights.
        WeightsError: the weights are missing, damaged or of another network.
        MissingDependencyError: matplotlib, of the extra ``evaluate``, is not installed.
    """
    check_installed("matplotlib")
    _check_start(start)
    check_output(settings.output, start=start.sha256, checkpoint=CHECKPOINT)
    alphabet, config = shape_from_settings(start.settings)
    own = load_own_plates(data, alphabet=alphabet)
    settings = replace(settings, steps=settings.steps or steps_for(len(own.train)))
    origin = {"start": start.sha256, "data": own.fingerprint}
    run = RecognizerRun(settings, alphabet, network=trained_network(start.path, config=config), origin=origin)
    rest = _rest(run, own)
    trials = {
        "real": straightened(own.held_out[:_MOST_HELD_OUT], rectifier=default_rectifier()),
        "synthetic": made_up_plates(alphabet, count=MADE_UP_TRIALS),
    }
    comparisons = tuple(_trained(run, own, rest=rest, trials=trials, start=start))
    plates = (len(own.train), len(own.held_out), tuple(own.skipped))
    result = FineTuned(start.sha256, *plates, run.step, run.elapsed_s / 60, comparisons)
    if not even_if_worse:
        _refuse_worse(result, settings.output, data)
    result = _written(result, run, own=own, rest=rest, trials=trials, start=start)
    _write_report(result, settings.output)
    return result


def _trained(
    run: RecognizerRun,
    own: OwnPlates,
    *,
    rest: PlateBatches,
    trials: Mapping[str, Sequence[Sample]],
    start: WeightFile,
) -> Iterator[Comparison]:
    """Train to the end; both sets of ``trials`` as they are read before and after, and as by an earlier end if any."""
    config = run.network.config
    before = _right(CtcRecognizer.from_file(start.path, settings=start.settings), trials)
    batches = OwnBatches(
        own.train, rest=rest, share=run.settings.real_share, size_px=(config.height_px, config.width_px)
    )
    run.fit(batches, trials={name: samples[:_SEEN_WHILE_TRAINING] for name, samples in trials.items()})
    after = _right(run.recognizer(), trials)
    yield compare(_HELD_OUT, before["real"], after["real"], margin_points=0.0)
    yield compare(_MADE_UP, before["synthetic"], after["synthetic"], margin_points=MARGIN_POINTS)
    there = run.settings.output / WEIGHTS
    if there.exists():
        earlier = _right(CtcRecognizer.from_file(there, settings=start.settings), {"real": trials["real"]})
        yield compare(f"{_HELD_OUT}, last time", earlier["real"], after["real"], margin_points=0.0)


def steps_for(plates: int) -> int:
    """Optimizer steps for so many own plates: 300 for the fewest, growing as the square root, 8000 at most."""
    return min(8000, max(300, round(40 * math.sqrt(plates))))


def made_up_plates(alphabet: Alphabet, *, count: int) -> list[Sample]:
    """Always the same made-up plates on which every character can be read: what the rest of the world looks like."""
    maker = PlateBatches(alphabet, batch_size=1, kinds=Kinds(0.0, 0.0, 0.0, 0.0), seed=_SEED)
    rng = np.random.default_rng(_SEED)
    drawn = (maker.sample(rng) for _ in range(3 * count))
    return list(islice((one for one in drawn if set(one.text) <= set(alphabet.characters)), count))


def _check_start(start: WeightFile) -> None:
    if precision_of(start.path) == "int8":
        raise InvalidArgumentError(
            f"start is {start.path}, which are int8 weights: give the fp32 file that they were made from."
        )


def _rest(run: RecognizerRun, own: OwnPlates) -> PlateBatches:
    """What is trained on besides own plates: the same as ever, but for cars that are held out."""
    settings = run.settings
    rng = np.random.default_rng(settings.seed)
    kept = {plate.text for plate in own.held_out}
    older = load_real_plates(run.usable(settings.labelled), alphabet=run.alphabet, calibration=False)
    empty = settings.negatives
    return PlateBatches(
        run.alphabet,
        batch_size=settings.batch_size,
        real=[plate for plate in older if plate.text not in kept],
        backgrounds=[] if empty is None else background_photographs(empty, count=400, rng=rng),
        seed=settings.seed,
    )


def _right(recognizer: Recognizer, trials: Mapping[str, Sequence[Sample]]) -> dict[str, list[bool]]:
    """Which plates of each set are read right, with the decoder that a pipeline takes by default."""
    decoder = default_decoder(recognizer.alphabet)
    return {name: read_right(recognizer, decoder, samples) for name, samples in trials.items()}


def _refuse_worse(result: FineTuned, output: Path, data: Path) -> None:
    """Leave the report and raise AccuracyError, if the new weights are worse."""
    worse = [
        f"{one.name} {show_rate(one.before)} right before, {show_rate(one.after)} after"
        for one in result.comparisons
        if one.is_worse
    ]
    if worse:
        _write_report(result, output)
        raise AccuracyError(
            f"the new weights read worse and were not written: {'; '.join(worse)}. They are in {output / CHECKPOINT}. "
            f"Look for wrong labels in {data}, or try more plates, older labelled sets beside them or a lower "
            "learning_rate, with a new folder for the output; even_if_worse (--even-if-worse) writes these as they are."
        )


def _written(
    result: FineTuned,
    run: RecognizerRun,
    *,
    own: OwnPlates,
    rest: PlateBatches,
    trials: Mapping[str, Sequence[Sample]],
    start: WeightFile,
) -> FineTuned:
    """Write the weights and their int8 form, each with the calibration of its own confidences."""
    output = run.settings.output
    rng = np.random.default_rng(_SEED)
    samples = _calibration_samples(run, own, rng=rng)
    weights = export_recognizer(output)
    described = [_described(weights, run.recognizer(), samples, start=start)]
    int8 = output / quantize.WEIGHTS
    for old in (int8, sidecar_of(int8)):
        old.unlink(missing_ok=True)
    scaled = [rest.sample(rng) for _ in range(SCALE_PLATES // 2)]
    scaled += jittered(own.train, rng=rng, count=SCALE_PLATES - len(scaled))
    try:
        plates = quantize.QuantizationPlates([sample.plate for sample in scaled], trials)
        quantize.quantize_recognizer(weights, int8, plates=plates, settings=start.settings)
        recognizer = CtcRecognizer.from_file(int8, precision="int8", settings=start.settings)
        described.append(_described(int8, recognizer, samples, start=start))
    except (AccuracyError, EngineError) as error:
        described.append((int8.name, None, f"no int8 weights: {error}"))
    return replace(
        result,
        weights=weights,
        int8=int8 if int8.exists() else None,
        calibration={name: figures for name, figures, _ in described if figures is not None},
        notes=tuple(note for *_, note in described if note is not None),
    )


def _calibration_samples(run: RecognizerRun, own: OwnPlates, *, rng: np.random.Generator) -> list[Sample]:
    """Plates that were not trained on: own ones, up to half, none of them often, and those of every calibration."""
    count = min(CALIBRATION_PLATES // 2, 20 * len(own.held_out))
    others = calibration_plates(
        run.settings.labelled,
        negatives=run.settings.negatives,
        count=CALIBRATION_PLATES - count,
        alphabet=run.alphabet,
    )
    return [*jittered(own.held_out, rng=rng, count=count), *others]


def _described(
    weights: Path, recognizer: CtcRecognizer, samples: Sequence[Sample], *, start: WeightFile
) -> tuple[str, Mapping[str, float | None] | None, str | None]:
    """Calibrate weights and write their sidecar; returns their name, the figures, and a note without calibration."""
    decoder = default_decoder(recognizer.alphabet)
    settings = {name: value for name, value in start.settings.items() if name != "calibration"}
    figures, note = None, None
    try:
        readings = judged(recognizer, decoder, samples)
        calibration, figures = calibrate(
            readings, precision=recognizer.runtime.precision, decoder=decoder_name(decoder)
        )
        settings["calibration"] = calibration.to_dict()
    except InvalidArgumentError as error:
        note = f"{weights.name} has no calibration: {error}"
    write_sidecar(weights, kind="recognizer", settings=settings, licence=start.entry.licence)
    return weights.name, figures, note


def _write_report(result: FineTuned, output: Path) -> None:
    write_json(output / REPORT, result.to_dict())
