"""``platereader weights``: the weight files."""

from __future__ import annotations

import argparse
import sys

from platereader.cli.exits import EXIT_BROKEN, EXIT_OK
from platereader.cli.progress import Progress
from platereader.cli.tables import format_table

EXAMPLES = """examples:
  platereader weights list
  platereader weights verify                                   size and sha256 of every file
  platereader weights fetch plate-detector
  platereader weights fetch plate-detector --base-url https://models.example/platereader

Only `fetch` opens a connection. Files are looked for in $PLATEREADER_MODELS, the user's cache and the package.
exit status: 0 all is well, 2 wrong options or unknown name, 3 a file is missing, altered or could not be fetched.
"""


def add_weights_command(parser: argparse.ArgumentParser) -> None:
    """Describe ``platereader weights list``, ``verify`` and ``fetch``."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|verify|fetch")
    actions.add_parser("list", help="names, kinds, sizes and licences").set_defaults(run=run_list)
    actions.add_parser("verify", help="check every file").set_defaults(run=run_verify)
    fetch = actions.add_parser("fetch", help="download one file into the user's cache")
    fetch.add_argument("name", metavar="NAME", help="name as `weights list` shows it")
    fetch.add_argument("--base-url", metavar="URL", help="folder on a server of yours that has the file")
    fetch.set_defaults(run=run_fetch)


def run_list(arguments: argparse.Namespace) -> int:
    """Print what the manifest knows."""
    from platereader.registry import Registry

    del arguments
    registry = Registry.default()
    rows = [
        (entry.name, entry.kind, f"{entry.size_bytes / 1e6:.1f} MB", entry.licence, entry.file)
        for entry in registry.entries
    ]
    print(format_table(("NAME", "KIND", "SIZE", "LICENCE", "FILE"), rows))
    return EXIT_OK


def run_verify(arguments: argparse.Namespace) -> int:
    """Check size and sha256 of every file of the manifest."""
    from platereader.registry import Registry

    del arguments
    checks = Registry.default().verify()
    rows = [
        (check.entry.name, "good" if check.file else "bad", str(check.file.path if check.file else ""))
        for check in checks
    ]
    print(format_table(("NAME", "STATE", "FILE"), rows))
    errors = [check.error for check in checks if check.error is not None]
    for error in errors:
        print(f"platereader: {error}", file=sys.stderr)
    return EXIT_BROKEN if errors else EXIT_OK


def run_fetch(arguments: argparse.Namespace) -> int:
    """Download one file, check it and say where it is."""
    from platereader.registry import Registry

    registry = Registry.default()
    total = registry.entry(arguments.name).size_bytes
    with Progress(total, unit="B", scaled=True) as progress:
        file = registry.fetch(arguments.name, base_url=arguments.base_url, progress=progress.advance)
    print(file.path)
    return EXIT_OK
