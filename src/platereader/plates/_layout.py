"""What a renderer needs to know of a plate format besides the format itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, cast, get_args

from platereader._geometry import is_finite
from platereader.errors import InvalidArgumentError
from platereader.plates import _checks as check
from platereader.plates._formats import BLACK, WHITE, Colour, PlateFormat

Face: TypeAlias = Literal["gost", "fe", "din"]
"""Shapes of the characters: those of Russian plates, the FE-Schrift of German ones, or those of DIN 1451."""

_SEPARATORS = " -o"


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag as far as it can be told on a plate.

    Attributes:
        stripes: colours from the top, or from the left; one that comes twice is twice as wide.
        vertical: whether the stripes stand upright.
        disc: colour of a sun or emblem in the middle.
        cross: colour of an upright cross over the whole flag.

    Raises:
        InvalidArgumentError: no stripe, or one, a disc or a cross that is no ``Colour``.
    """

    stripes: tuple[Colour, ...]
    vertical: bool = False
    disc: Colour | None = None
    cross: Colour | None = None

    def __post_init__(self) -> None:
        stripes = cast(object, self.stripes)
        colours = cast("tuple[object, ...]", stripes) if isinstance(stripes, tuple) else ()
        if not colours or not all(isinstance(one, Colour) for one in colours):
            raise InvalidArgumentError(f"stripes is {self.stripes!r}, expected is a tuple of Colours, also of one.")
        check.instances(self, Colour, "disc", "cross", optional=True)


@dataclass(frozen=True, slots=True)
class CountryStrip:
    """Flag and code of a country, which are no part of the text of the plate.

    Attributes:
        code: letters below the flag, such as ``"KZ"``; may be empty.
        flag: None for a strip without one.
        at: at which end it stands; ``"field"`` for a mark below the region code, in its field.
        lines: beside which lines of a two-line plate.
        width_mm: width of the strip.
        ground: its colour; None where it has the plate's own.
        ink: colour of the code.
        code_ground: colour of a small field that the code stands on; None without one.
        filled: whether the flag is the ground of the whole strip.
        divider: whether a line parts it from the text.
        hologram: ``"band"`` for a silver band beside it, ``"end"`` for a round one at the plate's other end.

    Raises:
        InvalidArgumentError: another place, other lines or another hologram than these, or a field of another kind.
    """

    code: str
    flag: Flag | None = None
    at: Literal["left", "right", "field"] = "left"
    lines: Literal["all", "upper", "lower"] = "all"
    width_mm: float = 44.0
    ground: Colour | None = None
    ink: Colour = BLACK
    code_ground: Colour | None = None
    filled: bool = False
    divider: bool = False
    hologram: Literal["", "band", "end"] = ""

    def __post_init__(self) -> None:
        check.texts(self, "code")
        check.choices(
            self, at=("left", "right", "field"), lines=("all", "upper", "lower"), hologram=("", "band", "end")
        )
        check.instances(self, Flag, "flag", optional=True)
        check.instances(self, Colour, "ink")
        check.instances(self, Colour, "ground", "code_ground", optional=True)
        if not (is_finite(self.width_mm) and self.width_mm > 0):
            raise InvalidArgumentError(f"width_mm is {self.width_mm!r}, expected is a number above 0.")


@dataclass(frozen=True, slots=True)
class PlateLayout:
    """How a renderer lays out a plate of one format.

    Attributes:
        plate_format: says what stands on it, its size and its colours.
        heights_mm: of the characters of each group of each line, in millimetres.
        boxed: how many groups stand in a separate field.
        boxed_ground: colour of that field.
        country_mark: whether the letters RUS stand below the region code.
        flag: whether the Russian flag stands beside them.
        boxed_at: where the field is: ``"right"`` has the last groups of the last line, ``"left"`` the first ones of
            the last line, ``"upper left"`` the first ones of the first line.
        strip: flag and code of another country.
        face: shapes of the characters.
        separators: what stands between the groups of each line, one mark a gap: a space, ``-`` for a hyphen, ``o`` for
            a seal or sticker; empty for spaces alone. What stands beside the field is not drawn.

    Raises:
        InvalidArgumentError: not one height above 0 for each group, not one separator for each gap, more groups in a
            field than there are, another face or place of the field than these, or a field of another kind.
    """

    plate_format: PlateFormat
    heights_mm: tuple[tuple[float, ...], ...]
    boxed: int = 0
    boxed_ground: Colour = WHITE
    country_mark: bool = False
    flag: bool = False
    boxed_at: Literal["right", "left", "upper left"] = "right"
    strip: CountryStrip | None = None
    face: Face = "gost"
    separators: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the format."""
        return self.plate_format.name

    @property
    def line_count(self) -> Literal[1, 2]:
        """Number of lines, 1 or 2."""
        return self.plate_format.line_count

    def __post_init__(self) -> None:
        check.instances(self, PlateFormat, "plate_format")
        check.choices(self, face=get_args(Face), boxed_at=("right", "left", "upper left"))
        check.instances(self, Colour, "boxed_ground")
        check.instances(self, CountryStrip, "strip", optional=True)
        self._check_heights()
        self._check_boxed()
        self._check_separators()

    def _check_heights(self) -> None:
        groups = [len(line) for line in self.plate_format.lines]
        lines = cast("tuple[object, ...]", self.heights_mm)
        if [len(cast("tuple[object, ...]", line)) if isinstance(line, tuple) else 0 for line in lines] != groups:
            raise InvalidArgumentError(
                f"heights_mm is {self.heights_mm} for the pattern {self.plate_format.pattern!r}: give one height for "
                f"each group, {groups} a line."
            )
        for line in self.heights_mm:
            check.lengths(line, name="heights_mm", example="((76.0, 58.0),)")

    def _check_boxed(self) -> None:
        line = self.plate_format.lines[0 if self.boxed_at == "upper left" else -1]
        if not isinstance(cast(object, self.boxed), int) or not 0 <= self.boxed <= len(line):
            raise InvalidArgumentError(
                f"boxed is {self.boxed!r} for the pattern {self.plate_format.pattern!r}, allowed are 0 to {len(line)} "
                "groups of the line in which the field is."
            )

    def _check_separators(self) -> None:
        check.tuple_of(self.separators, str, name="separators", example="'-'")
        gaps = [len(line) - 1 for line in self.plate_format.lines]
        if self.separators and (
            [len(line) for line in self.separators] != gaps or not set("".join(self.separators)) <= set(_SEPARATORS)
        ):
            raise InvalidArgumentError(
                f"separators is {self.separators} for the pattern {self.plate_format.pattern!r}: give one of "
                f"{_SEPARATORS!r} for each gap between groups, {gaps} a line."
            )
