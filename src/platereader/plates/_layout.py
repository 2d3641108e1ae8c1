"""What a renderer needs to know of a plate format besides the format itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from platereader.errors import InvalidArgumentError
from platereader.plates._formats import WHITE, Colour, PlateFormat

__all__ = ["PlateLayout"]


@dataclass(frozen=True, slots=True)
class PlateLayout:
    """How a renderer lays out a plate of one format.

    Attributes:
        plate_format: says what stands on it, its size and its colours.
        heights_mm: of the characters of each group of each line, in millimetres.
        boxed: how many groups at the end of the last line stand in a separate field at the right.
        boxed_ground: colour of that field.
        country_mark: whether the country's letters stand below the region code.
        flag: whether the flag stands beside them.

    Raises:
        InvalidArgumentError: not one height for each group.
    """

    plate_format: PlateFormat
    heights_mm: tuple[tuple[float, ...], ...]
    boxed: int = 0
    boxed_ground: Colour = WHITE
    country_mark: bool = False
    flag: bool = False

    @property
    def name(self) -> str:
        """Name of the format."""
        return self.plate_format.name

    @property
    def line_count(self) -> Literal[1, 2]:
        """Number of lines, 1 or 2."""
        return self.plate_format.line_count

    def __post_init__(self) -> None:
        """Refuse heights that do not line up with the groups."""
        groups = [len(line) for line in self.plate_format.lines]
        if [len(line) for line in self.heights_mm] != groups:
            raise InvalidArgumentError(
                f"heights_mm is {self.heights_mm} for the pattern {self.plate_format.pattern!r}: give one height for "
                f"each group, {groups} a line."
            )
