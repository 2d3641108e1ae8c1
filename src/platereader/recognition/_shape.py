"""The shape of the reader's network, as it travels with its weights; known without loading any engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, cast

from platereader.errors import InvalidArgumentError
from platereader.plates import RUSSIAN, Alphabet

ROWS_JOINED: Final = 8
"""How many rows of the picture become one before the rest is folded together; columns are joined by 4."""


@dataclass(frozen=True, slots=True)
class ConvCtcConfig:
    """The shape of the network.

    Its classes are the CTC blank, the characters, the marks of countries, the two ends of a plate if it knows them (the
    left one first), and last a character that is there and none of these, or cannot be made out.

    Attributes:
        characters: number of characters.
        marks: countries whose national mark it sees, ISO 3166 codes; see ``Alphabet``.
        ends: number of classes for the ends of a plate: 2, or 0 for a network that does not know of them.
        height_px: height of the input, a multiple of 8.
        width_px: width of the input, a multiple of 4; the network sees ``width_px / 4`` time steps.
        channels: channels at a half, a quarter and an eighth of the height.
        features: length of the vector that describes one time step.
        dilations: of the residual blocks along the text, one for each block: how far apart the time steps are that
            its second convolution looks at.

    Raises:
        InvalidArgumentError: a size that the strides do not divide, or another number of channels or ends.
    """

    characters: int = 23
    marks: tuple[str, ...] = ()
    ends: int = 0
    height_px: int = 40
    width_px: int = 176
    channels: tuple[int, int, int] = (32, 64, 128)
    features: int = 192
    dilations: tuple[int, ...] = (1, 2, 4)

    def __post_init__(self) -> None:
        if self.height_px % ROWS_JOINED or self.width_px % 4 or min(self.height_px, self.width_px) < ROWS_JOINED:
            raise InvalidArgumentError(
                f"height_px={self.height_px}, width_px={self.width_px}: the height must be a multiple of {ROWS_JOINED} "
                "and the width of 4, at least 8 each; try 40 x 176."
            )
        if len(self.channels) != 3:
            raise InvalidArgumentError(f"channels={self.channels}: there are three numbers, such as (32, 64, 128).")
        if self.ends not in (0, 2):
            raise InvalidArgumentError(f"ends={self.ends}: a plate has 2, and 0 stands for a network without them.")

    @property
    def size_px(self) -> tuple[int, int]:
        """Height and width of the input."""
        return self.height_px, self.width_px

    @property
    def classes(self) -> int:
        """Number of classes of the network: blank, characters, marks, ends, illegible."""
        return self.characters + len(self.marks) + self.ends + 2

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> ConvCtcConfig:
        """Build from the settings that travel with a weight file; what they leave out has its default.

        Raises:
            InvalidArgumentError: a name that is not a field, or a size that cannot be.
        """
        names = {field.name for field in fields(cls)}
        unknown = sorted(set(settings) - names)
        if unknown:
            raise InvalidArgumentError(f"settings has {unknown}, allowed are {sorted(names)}.")
        values: dict[str, Any] = {
            name: tuple(cast("list[int]", value)) if isinstance(value, list) else value  # JSON has no tuples
            for name, value in settings.items()
        }
        if not all(_allowed(name, value) for name, value in values.items()):
            raise InvalidArgumentError(
                f"settings is {dict(settings)!r}, allowed are whole numbers from 1 and country codes, as in {cls()}."
            )
        return cls(**values)

    def to_settings(self) -> dict[str, Any]:
        """What ``from_settings`` takes, JSON-safe; the number of characters is that of the alphabet beside it."""
        values: dict[str, Any] = json.loads(json.dumps(asdict(self)))  # with lists in the place of tuples
        del values["characters"]
        return values


def _allowed(name: str, value: object) -> bool:
    """Whether a value could be that of a field."""
    if name == "marks":  # the alphabet looks at each of them
        return isinstance(value, tuple) and all(isinstance(one, str) for one in cast("tuple[object, ...]", value))
    if name == "ends" and type(value) is int:
        return value >= 0
    return _is_size(value, like=getattr(ConvCtcConfig(), name))


def _is_size(value: object, *, like: object) -> bool:
    """Whether a value could be that of a field: a whole number from 1, or some where there are several."""
    if isinstance(like, tuple):
        sizes = cast("tuple[object, ...]", value) if isinstance(value, tuple) else ()
        return len(sizes) > 0 and all(_is_size(one, like=1) for one in sizes)
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def shape_of(settings: Mapping[str, Any], *, alphabet: str | None) -> tuple[Alphabet, ConvCtcConfig]:
    """The alphabet and the shape of a network, from the settings and the characters that are said of its weights.

    Settings leave out what has its default; no characters are the Russian ones.
    """
    characters = RUSSIAN.characters if alphabet is None else alphabet
    config = ConvCtcConfig.from_settings({**settings, "characters": len(characters)})
    return Alphabet(characters, config.marks), config
