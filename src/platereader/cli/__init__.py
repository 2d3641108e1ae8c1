# PYTHON_ARGCOMPLETE_OK
"""The command line: every command calls one function of the library."""

from __future__ import annotations

import argparse
import errno
import importlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

import platereader
from platereader._dependencies import EXTRAS, missing_dependency
from platereader.cli import benchmark, evaluate, info, read, redact, synth, train, weights
from platereader.cli.exits import (
    EXIT_BROKEN,
    EXIT_FAILED_INPUTS,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_TERMINATED,
    EXIT_USAGE,
)
from platereader.cli.language import Language, add_language_option, language_in
from platereader.cli.parser import Parser, with_options
from platereader.cli.secrets import remember_passwords
from platereader.cli.tables import print_message
from platereader.cli.watch import command as watch_command
from platereader.cli.watch.stopping import Terminated, ending_by_sigterm
from platereader.errors import (
    AccuracyError,
    CaptureError,
    DatasetError,
    FileError,
    MissingDependencyError,
    PlateReaderError,
    WeightsError,
)

_BROKEN_ERRORS = (WeightsError, DatasetError, CaptureError, FileError, MissingDependencyError, AccuracyError)

_CLOSED = "standard output is closed, and results go there: leave it open, or send it to a file or to /dev/null."

# Where one of these options is given, the table on standard output is not all that is wanted.
_ELSEWHERE = ("save", "save_crops", "view")

_COMMANDS: tuple[tuple[str, str, str, Callable[[argparse.ArgumentParser], None]], ...] = (
    ("read", "read plates on pictures", read.EXAMPLES, read.add_read_command),
    ("watch", "follow plates in a video or before a camera", watch_command.EXAMPLES, watch_command.add_watch_command),
    ("redact", "make plates unreadable in pictures and videos", redact.EXAMPLES, redact.add_redact_command),
    ("evaluate", "measure accuracy on a labelled set", evaluate.EXAMPLES, evaluate.add_evaluate_command),
    ("benchmark", "measure how fast a network runs here", benchmark.EXAMPLES, benchmark.add_benchmark_command),
    ("train", "train the detector or the recognizer", train.EXAMPLES, train.add_train_command),
    ("synth", "write made-up plates with their labels", synth.EXAMPLES, synth.add_synth_command),
    ("weights", "list, verify or fetch weight files", weights.EXAMPLES, weights.add_weights_command),
    ("info", "say what is installed and what would run", info.EXAMPLES, info.add_info_command),
)


def build_parser(language: Language | None = None) -> argparse.ArgumentParser:
    """The parser of all commands, with errors in a language, or in English."""
    parser = Parser(
        prog="platereader",
        description="Find and read vehicle licence plates, offline.",
        epilog="platereader COMMAND --help shows the options of a command, with examples.",
        language=language,
    )
    parser.add_argument("--version", action="version", version=f"platereader {platereader.__version__}")
    add_language_option(parser)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary, examples, add_options in _COMMANDS:
        add_options(
            commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", epilog=examples)
        )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: words after the program's name; None takes those of this process.

    Returns:
        The exit status: 0 done, or nobody reads on; 1 some inputs failed, or all results went to a closed standard
        output; 2 wrong usage, 3 weights, data or an optional package missing or damaged, 130 interrupted, 143 ended by
        SIGTERM.
    """
    _replace_closed_streams()
    _print_any_path()
    arguments = argparse.Namespace()
    words = sys.argv[1:] if argv is None else argv
    remember_passwords(words)
    language = language_in(words)
    try:
        parser = build_parser(language)
        if "_ARGCOMPLETE" in os.environ:
            _complete(parser)
        parser.parse_args(argv, arguments)
        _do_without_output(arguments)
        with ending_by_sigterm():
            status: int = arguments.run(arguments) or EXIT_OK
            sys.stdout.flush()
    except _BROKEN_ERRORS as error:
        return _fail(error, EXIT_BROKEN, arguments, language)
    except PlateReaderError as error:
        return _fail(error, EXIT_USAGE, arguments, language)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        return _fail(missing_dependency(package), EXIT_BROKEN, arguments, language)
    except BrokenPipeError:
        _discard_output()  # its reader has seen enough
        return EXIT_OK
    except OSError as error:
        if error.errno != errno.EBADF or sys.__stdout__ is not None:
            return _fail(error, EXIT_BROKEN, arguments, language)
        _discard_output()
        print_message(language(_CLOSED))
        return EXIT_FAILED_INPUTS
    except KeyboardInterrupt as error:
        terminated = isinstance(error, Terminated)
        print_message(language("stopped by SIGTERM" if terminated else "interrupted"))
        return EXIT_TERMINATED if terminated else EXIT_INTERRUPTED
    return status


def _complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell, which asks how a line could go on, where argcomplete is installed."""
    with suppress(ModuleNotFoundError):
        importlib.import_module("argcomplete").autocomplete(parser)


def _fail(error: Exception, status: int, arguments: argparse.Namespace, language: Language) -> int:
    """Say what went wrong, without a traceback."""
    message = with_options(str(error), getattr(arguments, "options", {}))
    print_message(language(message))
    return status


def _do_without_output(arguments: argparse.Namespace) -> None:
    """Let a command go on whose results go elsewhere, too, where standard output is closed."""
    if sys.__stdout__ is None and any(getattr(arguments, name, None) for name in _ELSEWHERE):
        _discard_output()


def _discard_output() -> None:
    """Let nothing more be written to standard output, not even by the flush at the exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _replace_closed_streams() -> None:
    """Open a standard stream that was closed, before the next file that is opened takes its number.

    Input is empty, errors go nowhere, and whatever is written to standard output fails with ``EBADF``: its file is open
    to read from.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            file = os.open(os.devnull, os.O_RDONLY if name == "stdout" else os.O_RDWR)
            setattr(sys, name, os.fdopen(file, mode, encoding="utf-8"))


def _print_any_path() -> None:
    """Let names that the terminal's encoding lacks be printed as escapes instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
