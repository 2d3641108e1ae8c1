"""Characters as CTC classes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Final, cast

from platereader.errors import InvalidArgumentError

ILLEGIBLE: Final = "?"
"""Stands in a text for one or more characters that are there and cannot be made out, or are not of the alphabet."""


@dataclass(frozen=True, slots=True)
class Alphabet:
    """The characters a recognizer knows. Class 0 is the CTC blank; character i is class i + 1.

    Attributes:
        characters: the characters in the order of their classes, each once.
        marks: countries whose national mark the recognizer sees beside the text, such as a flag over ``KZ`` or the
            ``RUS`` under a region: ISO 3166 codes, in the order of their classes, which follow those of the characters.
            Two alphabets of the same characters are equal whatever their marks, which are no part of a text.

    Raises:
        InvalidArgumentError: ``characters`` is no text, is empty or has one twice; or ``marks`` are no country codes.
    """

    blank: ClassVar[int] = 0

    characters: str
    marks: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        text = isinstance(cast(object, self.characters), str)
        if not text or not self.characters or len(set(self.characters)) != len(self.characters):
            message = f"characters: got {self.characters!r}; give a text of one or more different characters"
            raise InvalidArgumentError(message)
        marks = cast(object, self.marks)
        if not isinstance(marks, tuple) or not all(map(_is_country, cast("tuple[object, ...]", marks))):
            raise InvalidArgumentError(
                f"marks is {marks!r}, expected is a tuple of ISO 3166 codes such as ('RU', 'KZ')."
            )
        if len(set(self.marks)) < len(self.marks):
            raise InvalidArgumentError(f"marks is {marks!r}: give each country once.")

    @property
    def size(self) -> int:
        """Number of classes C of a text, the blank included."""
        return len(self.characters) + 1

    @property
    def columns(self) -> int:
        """Number of classes of a recognizer's log probabilities: those of a text, and the marks."""
        return self.size + len(self.marks)

    def encode(self, text: str) -> list[int]:
        """The class of each character; no blank is put in.

        Raises:
            InvalidArgumentError: a character is not in the alphabet.
        """
        classes = [self.characters.find(character) + 1 for character in text]
        if self.blank in classes:
            position = classes.index(self.blank)
            raise InvalidArgumentError(
                f"text: {text[position]!r} at position {position} of {text!r} is not one of {self.characters!r}; "
                "spell it with PlateScheme.spelling.to_latin first"
            )
        return classes

    def decode(self, indices: Iterable[int]) -> str:
        """The characters of classes; blanks are left out, repeats are kept: collapse a frame-by-frame path first.

        Raises:
            InvalidArgumentError: a class is not from 0 to C - 1.
        """
        characters: list[str] = []
        for index in indices:
            if not 0 <= index < self.size:
                message = f"indices: got class {index}; this alphabet has classes 0 (blank) to {self.size - 1}"
                raise InvalidArgumentError(message)
            if index != self.blank:
                characters.append(self.characters[index - 1])
        return "".join(characters)


def _is_country(value: object) -> bool:
    """Whether a value has the form of an ISO 3166 code."""
    return isinstance(value, str) and len(value) == 2 and value.isascii() and value.isalpha() and value.isupper()
