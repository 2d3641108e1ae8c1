"""Fine-tune the reader on labelled plates of the user, and keep the new weights only if they read as well.

The plates are mixed into what the reader was trained on, so that it does not forget the rest of the world. Both are
measured before and after; then confidences are fitted again, and the int8 form is made again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from platereader._defaults import decoder_name, default_decoder, default_rectifier
from platereader._dependencies import check_installed
from platereader.errors import AccuracyError, EngineError, InvalidArgumentError
from platereader.lab.tables import show_rate
from platereader.lab.training.finetuning import FineTuned, check_output, refuse_worse, write_report
from platereader.lab.training.loop import CHECKPOINT_NAME, record_of
from platereader.lab.training.recognizer.comparison import ReadingComparison, compare, read_right
from platereader.lab.training.recognizer.data import (
    Kinds,
    PlateBatches,
    Sample,
    training_plates,
)
from platereader.lab.training.recognizer.finetune_data import (
    MixedBatches,
    TuningPlates,
    jittered,
    load_tuning_plates,
    straightened,
)
from platereader.lab.training.recognizer.quantize import INT8_NAME, QuantizationPlates, quantize_recognizer
from platereader.lab.training.recognizer.train import (
    WEIGHTS_NAME,
    RecognizerRun,
    RecognizerTraining,
    network_of,
    write_recognizer_weights,
)
from platereader.lab.training.report import card_of, describe_weights
from platereader.lab.training.trust.calibrate import calibrate, calibration_examples, calibration_plates
from platereader.plates import Alphabet
from platereader.protocols import Recognizer
from platereader.recognition._recognizer import CtcRecognizer
from platereader.recognition._shape import shape_of
from platereader.registry import Registry, WeightFile
from platereader.registry._manifest import sidecar_of
from platereader.results import PlateImage

DEFAULTS: Final[Mapping[str, Any]] = {"minutes": 30.0, "learning_rate": 2e-4, "warmup_steps": 50, "real_share": 0.5}
"""Settings of ``RecognizerTraining`` that suit fine-tuning; ``real_share`` is the share of the user's plates."""

SYNTHETIC_PLATES = 2000
CALIBRATION_PLATES = 4000
SCALE_PLATES = 256
MARGIN_POINTS = 0.5
"""Percentage points of exact match that made-up plates may lose."""

_SEED = 2**42
_HELD_OUT, _MADE_UP = "your plates, held out", "made-up plates"


def fine_tune_recognizer(
    data: Path,
    *,
    output: Path,
    training: RecognizerTraining,
    start: WeightFile,
    older: Sequence[Path] = (),
    negatives: Path | None = None,
    even_if_worse: bool = False,
) -> FineTuned[ReadingComparison]:
    """Train weights further, on the user's plates among others, or go on with a run that was stopped.

    Args:
        data: labelled set of the user; its calibration fifth is held out, of which 4000 plates at most are read.
        output: folder for weights and int8 weights, their sidecars and cards, ``finetuning.json``, log and checkpoint.
        training: how long and how, see ``DEFAULTS`` and ``steps_for``.
        start: float weights to begin with; shape and alphabet come from their settings.
        older: labelled sets to go on training with.
        negatives: labelled set whose pictures without plates are backgrounds; None makes backgrounds up.
        even_if_worse: write the weights even if they read worse.

    Raises:
        AccuracyError: fewer of the user's plates are read right than before, or fewer made-up ones beyond margin and
            chance: only the checkpoint and the report are written.
        DatasetError: a labelled set cannot be used, or ``data`` has fewer than 20 usable plates.
        InvalidArgumentError: the output folder holds other weights, or ``start`` are int8 weights.
        WeightsError: the weights are missing, damaged or of another network.
        MissingDependencyError: matplotlib, of the extra ``evaluate``, is not installed.
    """
    check_installed("matplotlib")
    check_output(output, start=start.sha256)
    tuning = load_tuning_plates(data, alphabet=shape_of(start.settings, alphabet=start.entry.alphabet)[0])
    run = _begin(tuning, output=output, training=training, start=start)
    rest = _other_plates(run, tuning, older=older, negatives=negatives)
    validation = _validation_sets(tuning, alphabet=run.alphabet)
    comparisons = tuple(_train(run, tuning, rest=rest, validation=validation, start=start))
    result = FineTuned[ReadingComparison].of(run.loop, start=start, tuning=tuning, comparisons=comparisons)
    if not even_if_worse:
        refuse_worse(result, output=output, checkpoints=output / CHECKPOINT_NAME, data=data)
    rng = np.random.default_rng(_SEED)
    calibration = _calibration_samples(tuning, older=older, negatives=negatives, alphabet=run.alphabet, rng=rng)
    quantization = QuantizationPlates(_scaling_plates(tuning, rest=rest, rng=rng), validation)
    sets = [data, *older]
    result = _write_weights(result, run, start=start, data=sets, calibration=calibration, quantization=quantization)
    write_report(result, output=output)
    return result


def steps_for(plates: int) -> int:
    """Optimizer steps for a number of plates: 300 for the fewest, growing as the square root, 8000 at most."""
    return min(8000, max(300, round(40 * math.sqrt(plates))))


def made_up_plates(alphabet: Alphabet, *, count: int) -> list[Sample]:
    """Always the same made-up plates on which every character can be read: what the rest of the world looks like."""
    maker = PlateBatches(alphabet, batch_size=1, kinds=Kinds(0.0, 0.0, 0.0, 0.0, 0.0), seed=_SEED)
    rng = np.random.default_rng(_SEED)
    drawn = (maker.sample(rng) for _ in range(3 * count))
    return list(islice((one for one in drawn if set(one.text) <= set(alphabet.characters)), count))


def _begin(tuning: TuningPlates, *, output: Path, training: RecognizerTraining, start: WeightFile) -> RecognizerRun:
    """A run from the start weights, or the one that was stopped."""
    alphabet, network = network_of(start)
    return RecognizerRun(
        network,
        output=output,
        training=replace(training, steps=training.steps or steps_for(len(tuning.train))),
        alphabet=alphabet,
        origin={"start": start.sha256, "data": tuning.fingerprint},
    )


def _validation_sets(tuning: TuningPlates, *, alphabet: Alphabet) -> dict[str, list[Sample]]:
    """Plates that old and new weights read: held out ones of the user, and made-up ones."""
    return {
        "real": straightened(tuning.held_out[:4000], rectifier=default_rectifier()),
        "synthetic": made_up_plates(alphabet, count=SYNTHETIC_PLATES),
    }


def _train(
    run: RecognizerRun,
    tuning: TuningPlates,
    *,
    rest: PlateBatches,
    validation: Mapping[str, Sequence[Sample]],
    start: WeightFile,
) -> Iterator[ReadingComparison]:
    """Train to the end; how both sets are read before and after, and by the weights of an earlier end if any."""
    output = run.loop.output
    before = _right(CtcRecognizer.from_weights(start), validation)
    batches = MixedBatches(tuning.train, rest=rest, share=run.training.real_share)
    run.fit(batches, validation={name: samples[:500] for name, samples in validation.items()})
    after = _right(run.recognizer(), validation)
    yield compare(_HELD_OUT, before["real"], after["real"], margin_points=0.0)
    yield compare(_MADE_UP, before["synthetic"], after["synthetic"], margin_points=MARGIN_POINTS)
    earlier_weights = output / WEIGHTS_NAME
    if earlier_weights.exists():
        recognizer = CtcRecognizer.from_file(earlier_weights, alphabet=run.alphabet, settings=start.settings)
        earlier = _right(recognizer, {"real": validation["real"]})
        yield compare(f"{_HELD_OUT}, last time", earlier["real"], after["real"], margin_points=0.0)


def _other_plates(
    run: RecognizerRun, tuning: TuningPlates, *, older: Sequence[Path], negatives: Path | None
) -> PlateBatches:
    """What is trained on besides the user's plates, without the cars that are held out."""
    held_out = {plate.text for plate in tuning.held_out}
    real = training_plates(run.usable(older), alphabet=run.alphabet)
    return run.batches([plate for plate in real if plate.text not in held_out], kinds=Kinds(), negatives=negatives)


def _right(recognizer: Recognizer, sets: Mapping[str, Sequence[Sample]]) -> dict[str, list[bool]]:
    """Which plates of each set are read right, with the decoder of a pipeline by default."""
    decoder = default_decoder(recognizer.alphabet)
    return {name: read_right(recognizer, decoder, samples) for name, samples in sets.items()}


def _calibration_samples(
    tuning: TuningPlates,
    *,
    older: Sequence[Path],
    negatives: Path | None,
    alphabet: Alphabet,
    rng: np.random.Generator,
) -> list[Sample]:
    """Plates that were not trained on: up to half are the user's, none of them often."""
    count = min(CALIBRATION_PLATES // 2, 20 * len(tuning.held_out))
    others = calibration_plates(older, negatives=negatives, count=CALIBRATION_PLATES - count, alphabet=alphabet)
    return [*jittered(tuning.held_out, rng=rng, count=count), *others]


def _scaling_plates(tuning: TuningPlates, *, rest: PlateBatches, rng: np.random.Generator) -> list[PlateImage]:
    """Plates that set the scales of int8."""
    samples = [rest.sample(rng) for _ in range(SCALE_PLATES // 2)]
    samples += jittered(tuning.train, rng=rng, count=SCALE_PLATES - len(samples))
    return [sample.plate for sample in samples]


def _write_weights(
    result: FineTuned[ReadingComparison],
    run: RecognizerRun,
    *,
    start: WeightFile,
    data: Sequence[Path],
    calibration: Sequence[Sample],
    quantization: QuantizationPlates,
) -> FineTuned[ReadingComparison]:
    """Write the weights and their int8 form, each with the calibration of its own confidences."""
    output, int8 = run.loop.output, run.loop.output / INT8_NAME
    result, fitted = _calibrated(result, run.recognizer(), calibration, name=WEIGHTS_NAME)
    figures = [(f"{one.name}, whole text right", show_rate(one.after)) for one in result.comparisons]
    weights = write_recognizer_weights(output, calibration=fitted, start=start, data=data, figures=figures)
    _remove(int8)
    try:
        agreements = quantize_recognizer(Registry.default().resolve(weights), output=int8, plates=quantization)
        recognizer = CtcRecognizer.from_file(int8, alphabet=run.alphabet, settings=start.settings)
        result, fitted = _calibrated(result, recognizer, calibration, name=INT8_NAME)
        figures = [(f"{one.name}, whole text right, greedy", show_rate(one.exact_int8)) for one in agreements]
        describe_weights(
            int8,
            record_of(output, start=start, data=data, figures=figures),
            kind="recognizer",
            settings=start.settings,
            alphabet=run.alphabet.characters,
            calibration=fitted,
        )
    except (AccuracyError, EngineError) as error:
        _remove(int8)
        result = replace(result, notes=(*result.notes, f"no int8 weights: {error}"))
    return replace(result, weights=weights, int8=int8 if int8.exists() else None)


def _remove(weights: Path) -> None:
    """Remove weights that hold no more, with what stands beside them."""
    for file in (weights, sidecar_of(weights), card_of(weights)):
        file.unlink(missing_ok=True)


def _calibrated(
    result: FineTuned[ReadingComparison], recognizer: CtcRecognizer, samples: Sequence[Sample], *, name: str
) -> tuple[FineTuned[ReadingComparison], Mapping[str, Any] | None]:
    """The calibration of new weights if it can be fitted, and the result with how far it holds or why there is none.

    The calibration of the old weights is not handed on.
    """
    decoder = default_decoder(recognizer.alphabet)
    readings = calibration_examples(recognizer, decoder, samples)
    try:
        calibration, figures = calibrate(
            readings, precision=recognizer.runtime.precision, decoder=decoder_name(decoder)
        )
    except InvalidArgumentError as error:
        return replace(result, notes=(*result.notes, f"{name} has no calibration: {error}")), None
    return replace(result, calibration={**result.calibration, name: figures}), calibration.to_dict()
