"""The language of what people read on the screen: tables, summaries, usual errors. CSV and JSON stay in English.

``russian.json`` has the Russian words by the English ones; what is not there stays in English.
"""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from typing import Final

from platereader.plates import Region

_PAGE: Final = "live page"
_PAGE_PLACES: Final = (_PAGE, "statuses", "reasons", "names of sources")

_MESSAGES: Final = frozenset({"part", "passages", "reason", "reported"})
"""Fields of messages that hold one of the library's own words, and no name or number."""


class Language:
    """Translates what the commands print."""

    def __init__(self, code: str = "en") -> None:
        self.code = code

    def __call__(self, text: str) -> str:
        """The text, or a message with names and numbers in it, in this language; as it is without a translation."""
        if self.code == "en" or text in russian():
            return russian()[text] if self.code == "ru" else text
        for english, translated in russian().items():
            if "{" in english and (found := re.fullmatch(_pattern(english), text, re.DOTALL)):
                return translated.format(**{name: self._field(name, word) for name, word in found.groupdict().items()})
        return text

    def _field(self, name: str, word: str) -> str:
        """What stands in a message for one of its fields; reasons that are not known here are quoted."""
        told = self(word) if name in _MESSAGES else re.sub(r"^webcam(?= \d+$)", lambda found: self(found[0]), word)
        return f"«{told}»" if name == "reason" and told == word else told

    def page_words(self) -> dict[str, str]:
        """What the live page says, by the English words in it; nothing where they stay."""
        if self.code == "en":
            return {}
        return {english: told for place in _PAGE_PLACES for english, told in _by_place()[place].items()}

    def region(self, region: Region | None, *, country: str | None) -> str:
        """The name of a region, empty for none."""
        if region is None or self.code == "en":
            return "" if region is None else region.name
        if country == "RU":
            return region.name_local
        return " или ".join(russian().get(name, name) for name in region.name.split(" or "))


@lru_cache(maxsize=1)
def russian() -> dict[str, str]:
    """Russian by English, of what the commands print to people; ``{name}`` stands for what differs.

    The words of the live page are not among them: a message could look like one of its short texts.
    """
    printed = (words for place, words in _by_place().items() if place != _PAGE)
    return {english: told for words in printed for english, told in words.items()}


@lru_cache(maxsize=1)
def _by_place() -> dict[str, dict[str, str]]:
    """The same by where it is said."""
    file = resources.files("platereader.cli").joinpath("russian.json")
    by_place: dict[str, dict[str, str]] = json.loads(file.read_text(encoding="utf-8"))
    return by_place


def _pattern(template: str) -> str:
    """The regular expression of the messages that a template makes."""
    return re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(template))


def add_language_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--lang``."""
    meaning = "language of tables and errors: en, ru (default: $LANG)"
    # Without a default, the one before the command stays.
    parser.add_argument("--lang", choices=("en", "ru"), default=argparse.SUPPRESS, metavar="CODE", help=meaning)


def language_in(words: Sequence[str]) -> Language:
    """The language of a command line that is not parsed yet, as ``language_of`` finds it."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--lang", nargs="?")
    return language_of(parser.parse_known_args(words)[0])


def language_of(arguments: argparse.Namespace) -> Language:
    """The language of ``--lang``, or else of the environment, as POSIX orders its variables."""
    given = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    code = getattr(arguments, "lang", None) or next(filter(None, given), "")
    return Language("ru" if code.lower().startswith("ru") else "en")
