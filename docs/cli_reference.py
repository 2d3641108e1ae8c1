# ruff: noqa: INP001, SLF001
"""Writes what ``docs/reference/cli.md`` says of every command below its marker: ``python docs/cli_reference.py``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from platereader.cli import build_parser

PAGE = Path(__file__).parent / "reference" / "cli.md"
_UNTITLED = 2  # the groups of operands and of options, which share a table
MARKER = "<!-- Below this line: written by docs/cli_reference.py from the parsers. -->"


def updated(page: str) -> str:
    """The page with what stands below its marker as the parsers have it."""
    sections = "\n".join(section for parser in _commands(build_parser()) for section in _section(parser))
    return page.partition(MARKER)[0] + MARKER + "\n" + sections


def _commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """All parsers below one, each before those below it."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield command
                yield from _commands(command)


def _section(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The lines about one command: what it does, its options by group, its examples."""
    yield f"\n## {parser.prog}\n"
    yield f"{parser.description}\n" if parser.description else ""
    yield f"```text\n{parser.format_usage().removeprefix('usage: ').strip()}\n```"
    for number, group in enumerate(parser._action_groups):
        rows = [row for action in group._group_actions for row in _rows(action)]
        if rows and number >= _UNTITLED:
            yield f"\n*{group.title}*"
        if rows and (number >= _UNTITLED or number == 0 or not parser._positionals._group_actions):
            yield "\n| option | meaning |\n|---|---|"
        yield from rows
    if parser.epilog:
        yield f"\n```text\n{parser.epilog.strip()}\n```"


def _rows(action: argparse.Action) -> Iterator[str]:
    """The row of an option or operand, or those of the commands to choose from."""
    if action.help == argparse.SUPPRESS or isinstance(action, argparse._HelpAction):
        return
    if isinstance(action, argparse._SubParsersAction):
        for command in action._choices_actions:
            yield _row(command.dest, command.help)
        return
    value = action.metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper())
    shown = " ".join(value) if isinstance(value, tuple) else value
    names = ", ".join(action.option_strings)
    yield _row(names if names and action.nargs == 0 else f"{names} {shown}".strip(), action.help)


def _row(name: str, meaning: str | None) -> str:
    cells = (f"`{name}`", meaning or "")
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
