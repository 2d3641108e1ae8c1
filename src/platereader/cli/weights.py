"""``platereader weights``: the weight files."""

from __future__ import annotations

import argparse
from typing import Any

from platereader.cli.exits import EXIT_BROKEN, EXIT_OK
from platereader.cli.tables import format_table, print_message, progress_bar
from platereader.registry import Registry, WeightFile

EXAMPLES = """examples:
  platereader weights list
  platereader weights verify                                   size and sha256 of every file
  platereader weights fetch plate-detector --base-url https://models.example/platereader
  platereader weights fetch plate-detector --base-url https://models.example/platereader --format onnx

The shipped weights are in the package and need no `fetch`, which alone opens a connection. Files are looked for in
$PLATEREADER_MODELS, the user's cache and the package.
exit status: 0 all is well, 2 wrong options or unknown name, 3 a file is missing, altered or could not be fetched.
"""


def add_weights_command(parser: argparse.ArgumentParser) -> None:
    """Describe ``platereader weights list``, ``verify`` and ``fetch``."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|verify|fetch")
    models = actions.add_parser("list", help="models and their files: kind, precision, format, size, licence")
    models.set_defaults(run=run_list)
    actions.add_parser("verify", help="check every file").set_defaults(run=run_verify)
    fetch = actions.add_parser("fetch", help="download the files of a model into the user's cache")
    fetch.add_argument("name", metavar="NAME", help="name as `weights list` shows it")
    fetch.add_argument("--precision", choices=("fp32", "int8"), help="only the files with such weights")
    fetch.add_argument("--format", choices=("safetensors", "onnx"), help="only the files that are written so")
    fetch.add_argument("--base-url", metavar="URL", help="folder on a server of yours that has the files")
    fetch.set_defaults(run=run_fetch)


def run_list(_: argparse.Namespace) -> None:
    """Print what the manifest knows."""
    rows = [
        (one.model, one.kind, one.precision, one.format, f"{one.size_bytes / 1e6:.1f} MB", one.licence, one.file)
        for one in Registry.default().entries
    ]
    print(format_table(("NAME", "KIND", "PRECISION", "FORMAT", "SIZE", "LICENCE", "FILE"), rows))


def run_verify(_: argparse.Namespace) -> int:
    """Check size and sha256 of every file of the manifest."""
    checks = Registry.default().verify()
    rows = [
        (check.entry.file, "good" if check.file else "bad", str(check.file.path if check.file else ""))
        for check in checks
    ]
    print(format_table(("FILE", "STATE", "PATH"), rows))
    errors = [check.error for check in checks if check.error is not None]
    for error in errors:
        print_message(str(error))
    return EXIT_BROKEN if errors else EXIT_OK


def run_fetch(arguments: argparse.Namespace) -> None:
    """Download the files of a model, check them and say where they are."""
    registry = Registry.default()
    wanted: Any = {"precision": arguments.precision, "file_format": arguments.format}
    total = sum(entry.size_bytes for entry in registry.entries_of(arguments.name, **wanted))
    with progress_bar(total, unit="B", scaled=True) as progress:
        files = registry.fetch(arguments.name, base_url=arguments.base_url, progress=progress.update, **wanted)
    for file in files:
        print(file.path)


def recognizer_weights(name: str, **choice: Any) -> WeightFile:
    """The weights of a reader by their name or at a path, such as ``precision="fp32"`` chooses them."""
    from platereader._loading import resolve_weights

    return resolve_weights(name, kind="recognizer", registry=Registry.default(), **choice)
