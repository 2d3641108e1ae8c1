"""Characters as CTC classes, and the Cyrillic and Latin spellings of one text.

Inside the library a plate is spelt with upper-case Latin look-alikes; Cyrillic stands only at the edges.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final

from platereader.errors import InvalidArgumentError

ILLEGIBLE: Final = "?"
"""Stands in a text for one or more characters that are there and cannot be made out, or are not of the alphabet."""

_CYRILLIC = "АВЕКМНОРСТУХ"
_LATIN = "ABEKMHOPCTYX"
_TO_LATIN = str.maketrans(_CYRILLIC, _LATIN)
_TO_CYRILLIC = str.maketrans(_LATIN, _CYRILLIC)
_DIPLOMATIC = re.compile(r"[0-9]{3}(?:CD[0-9]|[DT][0-9]{3})[0-9]{2,3}")


@dataclass(frozen=True, slots=True)
class Alphabet:
    """The characters a recognizer knows. Class 0 is the CTC blank; character i is class i + 1.

    Attributes:
        characters: The characters in the order of their classes, each once.

    Raises:
        InvalidArgumentError: If `characters` is empty or has one twice.
    """

    blank: ClassVar[int] = 0

    characters: str

    def __post_init__(self) -> None:
        """Refuse characters that cannot be told apart."""
        if not self.characters or len(set(self.characters)) != len(self.characters):
            message = f"characters: got {self.characters!r}; give one or more different characters"
            raise InvalidArgumentError(message)

    @property
    def size(self) -> int:
        """Number of classes C, the blank included."""
        return len(self.characters) + 1

    def encode(self, text: str) -> list[int]:
        """The class of each character.

        Args:
            text: Characters of this alphabet; no blank is put in.

        Raises:
            InvalidArgumentError: If a character is not in the alphabet.
        """
        classes: list[int] = []
        for position, character in enumerate(text):
            index = self.characters.find(character)
            if index < 0:
                message = (
                    f"text: {character!r} at position {position} of {text!r} is not one of {self.characters!r}; "
                    "spell it with to_latin first"
                )
                raise InvalidArgumentError(message)
            classes.append(index + 1)
        return classes

    def decode(self, indices: Iterable[int]) -> str:
        """The characters of the classes; blanks are left out, repeats are kept.

        Args:
            indices: Classes, 0 to C - 1. To read a frame-by-frame path, collapse it first.

        Raises:
            InvalidArgumentError: If a class is out of range.
        """
        characters: list[str] = []
        for index in indices:
            if not 0 <= index < self.size:
                message = f"indices: got class {index}; this alphabet has classes 0 (blank) to {self.size - 1}"
                raise InvalidArgumentError(message)
            if index != self.blank:
                characters.append(self.characters[index - 1])
        return "".join(characters)


RUSSIAN = Alphabet("0123456789ABCEHKMOPTXYD")
"""Ten digits, the 12 letters of GOST R 50577-2018 and the D of diplomatic plates: C = 24."""


def to_latin(text: str) -> str:
    """Spell a plate as the library does: upper-case Latin look-alikes, without spaces and hyphens.

    Other characters stay as they are, so that `Alphabet.encode` can name them.

    Args:
        text: A plate as someone typed it, Cyrillic or Latin, any case: ``"а 123 вс-77"``.
    """
    kept = (c for c in text if not c.isspace() and unicodedata.category(c) != "Pd")
    return "".join(kept).upper().translate(_TO_LATIN)


def to_cyrillic(text: str) -> str:
    """Spell a plate with the Cyrillic letters that stand for its Latin look-alikes.

    The marks CD, D and T of diplomatic plates are Latin on the metal and stay so.

    Args:
        text: Plate text in Latin look-alikes.
    """
    return text if _DIPLOMATIC.fullmatch(text) else text.translate(_TO_CYRILLIC)
