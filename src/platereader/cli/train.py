"""``platereader train``: training, fine-tuning, and int8 weights from float ones."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platereader._defaults import DETECTOR_WEIGHTS
from platereader._files import write_json
from platereader.cli.calibrate import OPTIONS as CALIBRATION_OPTIONS
from platereader.cli.calibrate import given_options, run_calibrate
from platereader.cli.export import add_export_command, float_detector
from platereader.cli.parser import natural, points_lost, positive
from platereader.cli.saving import check_folder
from platereader.cli.tables import format_rate, format_table, print_message
from platereader.cli.weights import recognizer_weights
from platereader.errors import InvalidArgumentError

if TYPE_CHECKING:
    from platereader.lab.datasets import SkippedRow

EXAMPLES = """examples:
  platereader train detector data/train --out runs/detector --minutes 120
  platereader train detector --from plate-detector --data my-pictures --out runs/my-detector
  platereader train recognizer data/train/russian --out runs/reader --steps 20000
  platereader train recognizer --from plate-recognizer --data my-plates --out runs/mine
  platereader train quantize runs/reader/recognizer.safetensors data/train/russian --out runs/int8
  platereader train calibrate runs/int8/recognizer-int8.safetensors data/train/russian --out out
  platereader train export runs/detector/plate_finder.safetensors --data data/train --out runs/onnx

The same command again goes on where the last one stopped. The weights it prints can be used at
once: `platereader read photo.jpg --recognizer runs/reader/recognizer.safetensors`. With `--from`,
weights learn from plates of yours: a fifth of them is held out to compare before and after, and
weights that are worse are not written. `quantize` makes an int8 reader, `calibrate` fits what its
confidence is worth, `export` writes ONNX files. Needs the extra train.
exit status: 0 done, 2 wrong options, 3 no usable data, a package is missing, or the new weights
are worse.
"""

_MOST_NAMED = 20
_EVERY = (
    ("learning_rate", float, "highest learning rate"),
    ("warmup_steps", int, "steps until the highest learning rate is reached"),
    ("weight_decay", float, "weight decay"),
    ("seed", int, "seed of the weights and the data"),
    ("workers", int, "processes that make batches; 0 makes them in the loop"),
    ("save_every_s", float, "seconds between two checkpoints"),
    ("validate_every_s", float, "seconds between two validations"),
)
_DETECTOR = (
    ("minutes", float, "most minutes, earlier runs included (default: 60; with --from 10)"),
    ("steps", int, "most optimizer steps"),
)
_RECOGNIZER = (
    ("minutes", float, "most minutes, earlier runs included (default: 60; with --from 30)"),
    ("steps", int, "most optimizer steps (with --from by default: by the number of your plates)"),
    ("batch_size", int, "plates a step"),
    ("real_share", float, "share of labelled plates in a batch, 0 to 1; with --from, of your plates"),
)
_QUANTIZE = (
    ("calibration", positive, "plates that set the scales of the activations"),
    ("made_up", natural, "made-up plates to compare on, beside the labelled ones"),
    ("negatives", Path, "labelled set whose pictures without plates are backgrounds"),
    ("seed", natural, "seed of the plates"),
)


def add_train_command(parser: argparse.ArgumentParser) -> None:
    """Describe ``platereader train detector``, ``train recognizer``, ``train quantize`` and so on."""
    networks = parser.add_subparsers(dest="network", required=True, metavar="NETWORK")
    detector = networks.add_parser("detector", help="train the plate detector", description="Train the detector.")
    _add_data(detector, "a labelled set or a folder of several; with --data to mix in")
    _add_tuning_options(detector, examples="your labelled pictures, 20 or more")
    recognizer = networks.add_parser("recognizer", help="train the reader", description="Train the recognizer.")
    _add_data(recognizer, "labelled sets to mix in")
    help_negatives = "labelled set whose pictures without plates are backgrounds"
    recognizer.add_argument("--negatives", type=Path, metavar="DIR", help=help_negatives)
    _add_tuning_options(recognizer, examples="your labelled plates, 20 or more")
    quantize = networks.add_parser("quantize", help="make int8 weights", description="Make int8 weights of a reader.")
    quantize.add_argument("weights", metavar="WEIGHTS", help="name of fp32 weights, or a file with its sidecar")
    _add_data(quantize, "labelled sets to calibrate and compare on")
    help_loss = "points of exact match int8 may lose (default: 0.5)"
    quantize.add_argument("--max-loss", type=points_lost, default=0.5, metavar="POINTS", help=help_loss)
    calibrate = networks.add_parser("calibrate", help="fit the confidence", description="Fit the confidence.")
    calibrate.add_argument("weights", metavar="WEIGHTS", help="name of a reader's weights, or a file with its sidecar")
    _add_data(calibrate, "labelled sets, for their calibration fifth")
    commands = (
        (detector, (*_DETECTOR, *_EVERY), run_detector),
        (recognizer, (*_RECOGNIZER, *_EVERY), run_recognizer),
        (quantize, _QUANTIZE, run_quantize),
        (calibrate, CALIBRATION_OPTIONS, run_calibrate),
    )
    add_export_command(networks)
    for one, options, run in commands:
        one.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of everything that is written")
        schedule = one.add_argument_group("schedule")
        for name, kind, meaning in options:
            group = schedule if (name, kind, meaning) in _EVERY else one
            # What is not given stays out of the namespace: the defaults are those of the training itself.
            group.add_argument(f"--{name.replace('_', '-')}", type=kind, default=argparse.SUPPRESS, help=meaning)
        one.set_defaults(run=run, names=tuple(name for name, *_ in options))


def _add_data(parser: argparse.ArgumentParser, meaning: str) -> None:
    parser.add_argument("data", type=Path, nargs="*", metavar="DATA", help=meaning)


def _add_tuning_options(parser: argparse.ArgumentParser, *, examples: str) -> None:
    parser.add_argument("--from", dest="start", metavar="WEIGHTS", help="name of fp32 weights, or a file with sidecar")
    parser.add_argument("--data", type=Path, dest="tuning", metavar="FOLDER", help=examples)
    parser.add_argument("--even-if-worse", action="store_true", help="write the weights even if they are worse")


def run_detector(arguments: argparse.Namespace) -> None:
    """Train the detector, from the start or from given weights, and say where its weights are."""
    check_folder(arguments.out, option="--out")
    if arguments.tuning is not None:
        _fine_tune_detector(arguments)
        return
    from platereader.lab.training.detector.train import DetectorTraining, train_detector

    if len(arguments.data) != 1:
        raise InvalidArgumentError(
            f"DATA names {len(arguments.data)} folders, needed is one: a labelled set, or a folder of several. With "
            "--from and --data FOLDER, which fine-tune on FOLDER, there may be none or many."
        )
    training = DetectorTraining(**_with_length(arguments))
    start = None if arguments.start is None else float_detector(arguments.start)
    print(train_detector(arguments.data[0], output=arguments.out, training=training, start=start))


def _fine_tune_detector(arguments: argparse.Namespace) -> None:
    """Train given weights further on the user's pictures, and say how they compare and where they are."""
    from platereader.lab.training.detector.comparison import table
    from platereader.lab.training.detector.finetune import DEFAULTS, MINUTES, fine_tune_detector
    from platereader.lab.training.detector.train import DetectorTraining

    _check_start(arguments)
    done = fine_tune_detector(
        arguments.tuning,
        output=arguments.out,
        training=DetectorTraining(**{**DEFAULTS, **_with_length(arguments, minutes=MINUTES)}),
        start=float_detector(arguments.start),
        older=arguments.data,
        even_if_worse=arguments.even_if_worse,
    )
    rows = [row for one in done.comparisons for row in table(one)]
    print(format_table(("PICTURES", "FIGURE", "BEFORE", "AFTER"), rows))
    _name_skipped(done.skipped, output=arguments.out)
    print(done.weights)


def _check_start(arguments: argparse.Namespace) -> None:
    if arguments.start is None:
        raise InvalidArgumentError("--data needs --from: name the weights to begin with, such as plate-detector.")


def _name_skipped(rows: Sequence[SkippedRow], *, output: Path) -> None:
    """Say on standard error which labels could not be used, up to twenty."""
    from platereader.lab.training.finetuning import REPORT_NAME

    for row in rows[:_MOST_NAMED]:
        print_message(f"skipped {row}")
    if len(rows) > _MOST_NAMED:
        print_message(f"skipped {len(rows)} rows in all, see {output / REPORT_NAME}")


def run_recognizer(arguments: argparse.Namespace) -> None:
    """Train the recognizer, from the start or from given weights, and say where its weights are."""
    check_folder(arguments.out, option="--out")
    if arguments.tuning is not None:
        _fine_tune_recognizer(arguments)
        return
    from platereader._loading import load_detector
    from platereader.lab.training.recognizer.train import RecognizerTraining, train_recognizer

    weights = train_recognizer(
        arguments.data,
        output=arguments.out,
        training=RecognizerTraining(**_with_length(arguments)),
        negatives=arguments.negatives,
        detector=load_detector("plate-detector") if arguments.data else None,
        start=None if arguments.start is None else recognizer_weights(arguments.start, file_format="safetensors"),
    )
    print(weights)


def _fine_tune_recognizer(arguments: argparse.Namespace) -> None:
    """Train given weights further on the user's plates, and say how they compare and where they are."""
    from platereader.lab.training.recognizer.finetune import DEFAULTS, fine_tune_recognizer
    from platereader.lab.training.recognizer.train import RecognizerTraining

    _check_start(arguments)
    done = fine_tune_recognizer(
        arguments.tuning,
        output=arguments.out,
        training=RecognizerTraining(**{**DEFAULTS, **given_options(arguments)}),
        start=recognizer_weights(arguments.start, file_format="safetensors"),
        older=arguments.data,
        negatives=arguments.negatives,
        even_if_worse=arguments.even_if_worse,
    )
    rows = [
        (one.name, format_rate(one.before), format_rate(one.after), f"+{one.won} -{one.lost}")
        for one in done.comparisons
    ]
    print(format_table(("EXACT MATCH", "BEFORE", "AFTER", "CHANGED"), rows))
    _name_skipped(done.skipped, output=arguments.out)
    for note in done.notes:
        print_message(note)
    for path in (done.weights, done.int8):
        if path is not None:
            print(path)


def run_quantize(arguments: argparse.Namespace) -> None:
    """Make int8 weights, say how they compare and where they are."""
    check_folder(arguments.out, option="--out")
    from platereader._loading import load_detector
    from platereader.lab.training.recognizer import quantize
    from platereader.recognition._shape import shape_of

    weights = recognizer_weights(arguments.weights, file_format="safetensors", precision="fp32")
    alphabet = shape_of(weights.settings, alphabet=weights.entry.alphabet)[0]
    output = arguments.out / quantize.INT8_NAME
    detector = load_detector(DETECTOR_WEIGHTS) if arguments.data else None
    agreements = quantize.quantize_recognizer(
        weights,
        output=output,
        plates=quantize.draw_plates(arguments.data, alphabet=alphabet, detector=detector, **given_options(arguments)),
        max_loss_points=arguments.max_loss,
    )
    rows = [(one.name, *map(format_rate, (one.same, one.exact_fp32, one.exact_int8))) for one in agreements]
    print(format_table(("PLATES", "SAME TEXT", "FP32 RIGHT", "INT8 RIGHT"), rows))
    report = {"fp32_sha256": weights.sha256, "agreement": [one.to_dict() for one in agreements]}
    write_json(arguments.out / "quantization.json", report)
    print(output)


def _with_length(arguments: argparse.Namespace, *, minutes: float = 60.0) -> dict[str, Any]:
    """The training options that stand on the command line, and ``minutes`` where no length does."""
    options = given_options(arguments)
    return options if {"minutes", "steps"} & options.keys() else {**options, "minutes": minutes}
