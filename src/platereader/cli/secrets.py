"""Passwords in addresses on the command line: nothing that is printed repeats them, also where they are misspelt.

All that the commands print goes through ``tables.printable`` or ``printable_json``, which ask here.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from glob import has_magic, iglob
from pathlib import Path

_HIDDEN = "***"

# What an address begins with, or was to begin with; a path has lost one of its two slashes.
_START = re.compile(r"[\w+.-]*[:;]?/{2,}|[\w+.-]{2,}:/")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_COLON_FIRST = re.compile(r"[^/\\]*:")
# A user and a password that lack their @: what should be a port is no number.
_NO_PORT = re.compile(r"[^/?#:\[\]]*:(?![0-9]*(?:[/?#]|$))[^/?#]+")
_QUERY = re.compile(r"[?#].+", re.DOTALL)
# Cameras take passwords in the path, too: /user=admin&password=123
_PATH = re.compile(r"(?<=[^/])/(?=[^?#]*(?:[=:&;]|%3d))[^?#]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of the command line with passwords in it, and what stands for these."""

    path: str
    hidden: tuple[tuple[str, str], ...]

    @property
    def is_file(self) -> bool:
        """Whether it names something that is there, or in a folder that is: such a name is shown."""
        path = Path(self.path)
        return any(_exists(one) for one in (path, *(folder for folder in path.parents if "@" in str(folder))))


_words: list[_Word] = []


def remember_passwords(words: Sequence[str]) -> None:
    """Take note of what must not be printed, in the words of a command line; those of an earlier one are forgotten."""
    _words.clear()
    for word in words:
        value = word.partition("=")[2] if word.startswith("-") else word
        hidden = tuple(dict.fromkeys(_forms(value)))
        if hidden and not _matches_files(value):
            _words.append(_Word(value, hidden))


def without_passwords(text: str) -> str:
    """The text, in which ``***`` stands for each password of the command line."""
    for word in _words:
        if not word.is_file:
            for secret, shown in word.hidden:
                text = text.replace(secret, shown)
    return text


def _forms(word: str) -> Iterator[tuple[str, str]]:
    """Secrets of a word in all forms in which they may be printed, each with what stands for it."""
    for secret, shown in _secrets(word):
        plain = [secret] if "\0" in secret else [secret, str(Path(secret))]
        quoted = (form.replace("\\", "\\\\").replace("'", "\\'") for form in plain)
        for form in (*plain, *(repr(form)[1:-1] for form in plain), *quoted):
            yield form, shown
            yield json.dumps(form, ensure_ascii=False)[1:-1], shown


def _secrets(word: str) -> Iterator[tuple[str, str]]:
    """What a word has in the place of user and password, and in query and path, if it looks like an address."""
    start = _START.match(word)
    is_address = start is not None and bool({":", ";"} & set(start.group()))
    rest = word[start.end() :] if start is not None else word
    login, at, place = rest.rpartition("@")
    if at and (is_address or (_COLON_FIRST.match(login) and not _DRIVE.match(word))):
        yield login + at, _HIDDEN + at
    if not is_address:
        return
    if not at and (user := _NO_PORT.match(rest)):
        yield user.group(), _HIDDEN
    for part in (_QUERY, _PATH):
        if found := part.search(place):
            yield found.group(), found.group()[0] + _HIDDEN


def _matches_files(word: str) -> bool:
    """Whether it is a pattern that something matches."""
    try:
        return has_magic(word) and next(iglob(word, recursive=True), None) is not None  # noqa: PTH207 - as ``find_sources``
    except (OSError, ValueError, re.error):  # no name that a file can have
        return False


def _exists(path: Path) -> bool:
    try:
        return os.path.lexists(path)
    except ValueError:  # a zero byte
        return False
