"""``platereader train``: the two training loops."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from platereader.cli.exits import EXIT_OK
from platereader.plates.alphabet import RUSSIAN
from platereader.registry import Kind, write_sidecar

EXAMPLES = """examples:
  platereader train detector data/train --out runs/detector --minutes 120
  platereader train recognizer data/train/russian --out runs/reader --steps 20000

The same command again goes on where the last one stopped. The weights it prints can be used at once:
`platereader read photo.jpg --recognizer runs/reader/recognizer.safetensors`. Needs the packages of platereader[train].
exit status: 0 done, 2 wrong options, 3 no usable data or a package is missing.
"""

_EVERY = (
    ("learning_rate", float, "highest learning rate"),
    ("warmup_steps", int, "steps until the highest learning rate is reached"),
    ("seed", int, "seed of the weights and the data"),
    ("workers", int, "processes that make batches; 0 makes them in the loop"),
)
_DETECTOR = (
    ("minutes", float, "length of the training in minutes, earlier runs included (default: 60)"),
    ("steps", int, "length in optimizer steps instead"),
    ("weight_decay", float, "weight decay"),
    ("save_every_s", float, "seconds between two checkpoints"),
    ("validate_every_s", float, "seconds between two validations"),
)
_RECOGNIZER = (
    ("steps", int, "optimizer steps"),
    ("batch_size", int, "plates a step"),
    ("real_share", float, "share of labelled plates in a batch, 0 to 1"),
    ("negatives", Path, "labelled set whose pictures without plates are backgrounds"),
    ("pause_s", float, "seconds between two validations and checkpoints"),
)


def add_train_command(parser: argparse.ArgumentParser) -> None:
    """Describe ``platereader train detector`` and ``platereader train recognizer``."""
    networks = parser.add_subparsers(dest="network", required=True, metavar="detector|recognizer")
    detector = networks.add_parser("detector", help="train the plate detector", description="Train the detector.")
    detector.add_argument("data", type=Path, metavar="DATA", help="a labelled set, or a folder of several")
    recognizer = networks.add_parser("recognizer", help="train the reader", description="Train the recognizer.")
    recognizer.add_argument("data", type=Path, nargs="*", metavar="DATA", help="labelled sets to mix in")
    for one, options, run in ((detector, _DETECTOR, run_detector), (recognizer, _RECOGNIZER, run_recognizer)):
        one.add_argument("--out", type=Path, required=True, metavar="DIR", help="checkpoint, log, weights and curves")
        for name, kind, meaning in (*options, *_EVERY):
            # What is not given stays out of the namespace: the defaults are those of the training itself.
            one.add_argument(f"--{name.replace('_', '-')}", type=kind, default=argparse.SUPPRESS, help=meaning)
        one.set_defaults(run=run, names=tuple(name for name, *_ in (*options, *_EVERY)))


def run_detector(arguments: argparse.Namespace) -> int:
    """Train the detector and say where its weights are."""
    from platereader.training.detector import DetectorTraining, train_detector

    options = _given(arguments)
    if not {"minutes", "steps"} & options.keys():
        options["minutes"] = 60.0
    weights = train_detector(arguments.data, arguments.out, training=DetectorTraining(**options))
    return _finish(weights, kind="detector", settings={})


def run_recognizer(arguments: argparse.Namespace) -> int:
    """Train the recognizer and say where its weights are."""
    from platereader.recognition.crnn import CrnnConfig
    from platereader.training.recognizer import RecognizerTraining, train_recognizer

    training = RecognizerTraining(output=arguments.out, labelled=tuple(arguments.data), **_given(arguments))
    shape = {name: value for name, value in asdict(CrnnConfig()).items() if name != "classes"}
    settings = {"alphabet": RUSSIAN.characters, **shape}
    return _finish(train_recognizer(training), kind="recognizer", settings=settings)


def _finish(weights: Path, *, kind: Kind, settings: dict[str, Any]) -> int:
    """Describe the weights, so that ``--detector`` and ``--recognizer`` take them, and say where they are."""
    write_sidecar(weights, kind=kind, settings=settings)
    print(weights)
    return EXIT_OK


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    """The training options that stand on the command line."""
    return {name: getattr(arguments, name) for name in arguments.names if hasattr(arguments, name)}
