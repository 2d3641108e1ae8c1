"""The parser of every command: short usage, no abbreviated options, errors with the nearest spelling."""

from __future__ import annotations

import argparse
import difflib
import math
import re
import sys
import textwrap
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NoReturn

from platereader.cli.language import Language
from platereader.cli.tables import printable
from platereader.errors import InvalidArgumentError
from platereader.pipeline import MOST_THREADS

# Options whose argument in Python has another name.
_OPTION_NAMES = {"region": "area", "search_s": "search_every", "tile_px": "tile"}
_WRONG_WORD = re.compile(r"(?:invalid choice: '?|unrecognized arguments: )([^\s'=]+)")
_FIRST_WORD = re.compile(r"\w+(?=[ ,])")
_PASSED = re.compile(r"(?<=\bpass )(\w+)=True\b")
_OF_ALL = "--lang"  # stands before the commands that have none of their own
_NEAR = 0.75  # below it, --country is near --out
_OPTION_COLUMNS = 26
_FEWEST_POINTS = 3
_EXPLAINED = ("positional arguments", "options")


class Parser(argparse.ArgumentParser):
    """A parser that refuses abbreviated options and what it does not know, and says what was probably meant.

    ``--help`` explains operands and options, and only names those of further groups, which are rarely needed:
    ``--help-all`` explains these, too. What is parsed has ``options``: the option of each destination, for messages.
    The language is that of errors, for the commands below, too.
    """

    def __init__(self, *args: Any, language: Language | None = None, **options: Any) -> None:
        self.language: Language = language or Language()
        super().__init__(*args, **{"allow_abbrev": False, "formatter_class": _ShortFormatter, **options})
        self.add_argument("--help-all", action=_HelpAll, nargs=0, default=argparse.SUPPRESS, help=argparse.SUPPRESS)

    def add_subparsers(self, **options: Any) -> Any:
        """As that of the base, for commands of the same language."""
        same: Any = partial(Parser, language=self.language)
        return super().add_subparsers(parser_class=same, **options)

    def parse_known_args(  # pyright: ignore[reportIncompatibleMethodOverride]  # its overloads, in one
        self, args: Any = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """As that of the base, but what is unknown is an error of the command that it stands after."""
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        own = {action.dest: action.option_strings[-1] for action in reversed(self._actions) if action.option_strings}
        parsed.options = own | getattr(parsed, "options", {})
        return parsed, unknown

    def error(self, message: str) -> NoReturn:
        """Print short usage and message, with the nearest known word, and exit with 2; untranslated ones in English."""
        told = self.language(message)
        say = Language() if told == message else self.language
        for wrong in _WRONG_WORD.finditer(message):
            nearest = difflib.get_close_matches(wrong.group(1), self._words(), n=1, cutoff=_NEAR)
            told += say(f". Did you mean {nearest[0]}?") if nearest else ""
            if wrong.group(1) == _OF_ALL:
                program, *command = self.prog.split()
                told += say(f". {_OF_ALL} goes before the command: {program} {_OF_ALL} ru {' '.join(command)}")
        told = printable(told)
        usage = self.format_usage().replace("usage", say("usage"), 1).rstrip()
        self.exit(
            2,
            f"{usage}\n{self.prog}: {say('error')}: {told}\n{say(f'{self.prog} --help shows what there is')}\n",
        )

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        """As that of the base, but a closed standard output is an error here and not at the end of the process."""
        sys.stdout.flush()
        super().exit(status, message)

    def _words(self) -> list[str]:
        """All options, commands and values to choose from."""
        choices = (str(choice) for action in self._actions for choice in action.choices or ())
        return [*(option for action in self._actions for option in action.option_strings), *choices]


class _HelpAll(argparse.Action):
    """Prints the help of all groups."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> None:
        parser.formatter_class = _Formatter
        parser.print_help()
        parser.exit()


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help whose usage names what must be given, and not all options."""

    def __init__(self, prog: str, **options: Any) -> None:
        super().__init__(prog, **{"max_help_position": _OPTION_COLUMNS, **options})

    def add_usage(self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None) -> None:
        if not any(action.option_strings for action in actions):  # asked for the name of a command, not for its usage
            super().add_usage(usage, actions, groups, prefix)
            return
        needed = [action for action in actions if action.required or not action.option_strings]
        words = argparse.HelpFormatter("", width=1000)
        words.add_usage(None, needed, [], prefix="")
        super().add_usage(f"%(prog)s [OPTION ...] {words.format_help().strip()}", [], [], prefix)


class _ShortFormatter(_Formatter):
    """Help that only names the options of the groups that are rarely needed."""

    _group: str | None = None

    def start_section(self, heading: str | None) -> None:
        self._group = None if heading in _EXPLAINED else heading
        if self._group is None:
            super().start_section(heading)

    def add_arguments(self, actions: Any) -> None:
        if self._group is None:
            super().add_arguments(actions)
        elif actions:
            names = ", ".join(action.option_strings[-1] for action in actions)
            words = f"{self._group} (explained by --help-all): {names}"
            self.add_text(textwrap.fill(words, self._width, break_on_hyphens=False))

    def end_section(self) -> None:
        if self._group is None:
            super().end_section()


def with_options(message: str, options: Mapping[str, str]) -> str:
    """A message about an argument, such as ``threads is 0, ...``, with the option that the argument came from.

    So is advice to ``pass trust_pickle=True``.
    """
    message = _PASSED.sub(lambda found: options.get(found.group(1), found.group()), message)
    first = _FIRST_WORD.match(message)
    if first is None:
        return message
    option = options.get(_OPTION_NAMES.get(first.group(), first.group()))
    return message if option is None else option + message[first.end() :]


def refused(option: str, value: object, problem: str) -> InvalidArgumentError:
    """The error of an option, or operand, whose value cannot be taken."""
    return InvalidArgumentError(f"{option} is {str(value)!r}, {problem}")


def positive(text: str) -> int:
    """A whole number from 1, for ``type`` of an option."""
    if not text.strip().isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


def thread_count(text: str) -> int:
    """How many threads a network computes with, for ``type`` of an option."""
    if not text.strip().isdecimal() or not 1 <= int(text) <= MOST_THREADS:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to {MOST_THREADS}")
    return int(text)


def natural(text: str) -> int:
    """A whole number from 0, for ``type`` of an option."""
    if not text.strip().isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0")
    return int(text)


def points_lost(text: str) -> float:
    """Percentage points, a finite number, for ``type`` of an option."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):  # nothing is more than nan: no loss would be too much
        raise argparse.ArgumentTypeError(f"{text!r} is no finite number of percentage points")
    return value


def share(text: str) -> float:
    """A number from 0 to 1, for ``type`` of an option."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 1")
    return value


def rate_factor(text: str) -> int:
    """A quality as x264 counts it, for ``type`` of an option."""
    if not text.isdecimal() or int(text) > 51:
        raise argparse.ArgumentTypeError(f"{text!r} is no constant rate factor of libx264: 0 to 51")
    return int(text)


def points(text: str) -> Sequence[tuple[float, float]]:
    """The points of ``x,y x,y x,y``, three or more, for ``type`` of an option."""
    try:
        found = [(float(x), float(y)) for x, y in (pair.split(",") for pair in text.split())]
    except ValueError:
        found = []
    if len(set(found)) < _FEWEST_POINTS or not all(math.isfinite(x) and math.isfinite(y) for x, y in found):
        raise argparse.ArgumentTypeError(
            f'{text!r}: expected are 3 or more points in pixels of the frame: "0,400 1280,400 1280,720 0,720"'
        )
    return found
