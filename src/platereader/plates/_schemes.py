"""Everything that is particular to the plates of one country, as data; and several countries together."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias, TypeVar, cast

import numpy as np
from typing_extensions import final

from platereader.errors import InvalidArgumentError, UnknownNameError
from platereader.plates import _checks as check
from platereader.plates._characters import Region, Spelling
from platereader.plates._formats import PlateFormat
from platereader.plates._layout import PlateLayout
from platereader.plates._pattern import Group, group_allows, slot_characters

Lines: TypeAlias = Literal[1, 2]
Named = TypeVar("Named")

_MOST_TRIES = 1000
"""How often a text is drawn until it has the letters and digits that its format needs; more than one in ten has."""


@final
@dataclass(frozen=True, slots=True)
class PlateScheme:
    """Everything that is particular to one country's plates.

    Attributes:
        country: ISO 3166 code of two letters, such as ``"RU"``; a place without one has a code that ISO 3166 leaves to
            users, such as ``"XA"``.
        formats: types of plates; where one text fits several, the earlier is preferred.
        regions: by code; empty where codes have no meaning, and then any code counts as in use.
        spelling: local script and its Latin spelling; Latin plates need none.
        layouts: what rendering needs; may be empty.
        fallback: whether its formats count only for texts that fit no format of another scheme.

    Raises:
        InvalidArgumentError: no such country code, no format, two of one name, or a field of another kind.
    """

    country: str
    formats: tuple[PlateFormat, ...] = field(repr=False)
    regions: Mapping[str, Region] = field(default_factory=dict[str, Region], hash=False, repr=False)
    spelling: Spelling = field(default_factory=Spelling)
    layouts: tuple[PlateLayout, ...] = field(default=(), repr=False)
    fallback: bool = field(default=False, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(cast(object, self.country), str) or re.fullmatch("[A-Z]{2}", self.country) is None:
            raise InvalidArgumentError(f"country is {self.country!r}, expected is an ISO 3166 code such as 'RU'.")
        check.tuple_of(self.formats, PlateFormat, name="formats", example="STANDARD")
        check.tuple_of(self.layouts, PlateLayout, name="layouts", example="PlateLayout(...)")
        if not isinstance(cast(object, self.spelling), Spelling):
            raise InvalidArgumentError(f"spelling is {self.spelling!r}, expected is a Spelling(local=..., latin=...).")
        if not isinstance(cast(object, self.regions), Mapping) or (
            isinstance(self.regions, dict)
            and not all(isinstance(cast(object, one), Region) for one in self.regions.values())
        ):
            raise InvalidArgumentError("regions: give Regions by code, as Region.table({'B': 'Berlin'}) makes them.")
        names = [one.name for one in self.formats]
        if not names or len(set(names)) < len(names):
            raise InvalidArgumentError(f"formats are named {names}: give one or more formats of different names.")

    @property
    def characters(self) -> frozenset[str]:
        """All characters that its plates use, in Latin spelling."""
        return frozenset[str]().union(*(one.characters for one in self.formats))

    def format(self, name: str) -> PlateFormat:
        """The format of that name.

        Raises:
            UnknownNameError: there is none.
        """
        return _by_name({one.name: one for one in self.formats}, name)

    def layout(self, name: str) -> PlateLayout:
        """The layout of the format of that name.

        Raises:
            UnknownNameError: there is none.
        """
        return _by_name({one.plate_format.name: one for one in self.layouts}, name)

    def to_local(self, text: str) -> str:
        """Spell a plate, given in Latin spelling without spaces, as it is printed."""
        latin = any(one.script == "latin" and one.matches(text) for one in self.formats)
        return text if latin else self.spelling.to_local(text)

    def sample_text(self, plate_format: PlateFormat, *, rng: np.random.Generator, region: str | None = None) -> str:
        """A random legal text of a format: letters and non-zero numbers uniform, the region uniform over those in use.

        Raises:
            InvalidArgumentError: ``region``, the code to use instead of a random one, cannot stand on that type.
        """
        texts = (self._sample(plate_format, rng, region) for _ in range(_MOST_TRIES))
        text = next(filter(plate_format.matches, texts), None)
        if text is None or (region is not None and region not in plate_format.region_codes(text)):
            raise InvalidArgumentError(
                f"region is {region!r}, which cannot stand on a {plate_format.name} plate ({plate_format.pattern}): "
                "give a code of that form, or None."
            )
        return text

    def _sample(self, plate_format: PlateFormat, rng: np.random.Generator, region: str | None) -> str:
        """Random characters of all groups, whether or not the text as a whole has what it needs."""
        return "".join(
            region if group.is_region and region is not None else self._sample_group(group, plate_format, rng)
            for group in plate_format.groups
        )

    def _sample_group(self, group: Group, plate_format: PlateFormat, rng: np.random.Generator) -> str:
        if group.is_region and self.regions:
            codes = tuple(code for code in self.regions if group_allows(group, code, letters=plate_format.letters))
            if codes:
                return codes[int(rng.integers(len(codes)))]
        form = group.forms[0] if len(group.forms) == 1 else group.forms[int(rng.integers(len(group.forms)))]
        if set(form) == {"d"}:
            largest = int("9" * len(form))
            return f"{int(rng.integers(1, largest, endpoint=True)):0{len(form)}d}"
        allowed = (slot_characters(slot, letters=plate_format.letters) for slot in form)
        return "".join(one if len(one) == 1 else one[int(rng.integers(len(one)))] for one in allowed)


class TextFit(NamedTuple):
    """What a text is under some schemes.

    Attributes:
        countries: all whose formats it fits equally well; empty when it fits none.
        country: the one country; None where there is none, or more than one.
        plate_format: its likeliest type there: the first whose region code is in use, else the first that fits.
        region: what its region code stands for; None where it has none, or it is not in use.
        region_known: whether its region code is in use, or its type has none.
    """

    countries: tuple[str, ...] = ()
    country: str | None = None
    plate_format: PlateFormat | None = None
    region: Region | None = None
    region_known: bool = False

    @property
    def legal(self) -> bool:
        """Whether the text fits a format at all."""
        return bool(self.countries)

    @property
    def format(self) -> str | None:
        """Name of its type."""
        return None if self.plate_format is None else self.plate_format.name


@final
@dataclass(frozen=True, slots=True, eq=False)
class Schemes:
    """The schemes of one pipeline, in order of preference; a text is looked up in all of them at once.

    Attributes:
        members: the schemes, each country once.

    Raises:
        InvalidArgumentError: something else than schemes, or two of one country.
    """

    members: tuple[PlateScheme, ...]
    _by_length: dict[int, tuple[tuple[PlateScheme, PlateFormat, Lines], ...]] = field(init=False, repr=False)

    @classmethod
    def of(cls, schemes: Iterable[PlateScheme]) -> Schemes:
        """These schemes together."""
        if isinstance(schemes, Schemes):
            return schemes
        if not isinstance(cast(object, schemes), Iterable):
            raise InvalidArgumentError(
                f"schemes is a {type(schemes).__name__}, expected are PlateSchemes, also where it is one: (RUSSIA,)."
            )
        return cls(tuple(schemes))

    def __post_init__(self) -> None:
        if not isinstance(cast(object, self.members), tuple):
            raise InvalidArgumentError(
                f"members is a {type(self.members).__name__}, expected is a tuple of PlateSchemes: Schemes((RUSSIA,))."
            )
        members = cast("tuple[object, ...]", self.members)
        wrong = [type(one).__name__ for one in members if not isinstance(one, PlateScheme)]
        if wrong:
            raise InvalidArgumentError(
                f"schemes has a {wrong[0]}, expected are PlateSchemes such as plates.RUSSIA: "
                "plates.schemes_of('RU,KZ') finds them by code."
            )
        countries = [one.country for one in self.members]
        if len(set(countries)) < len(countries):
            raise InvalidArgumentError(f"schemes are of {countries}: give each country once, with all of its formats.")
        formats = [(scheme, one, one.line_count) for scheme in self.members for one in scheme.formats]
        lengths = {length for _, one, _ in formats for length in one.lengths}
        by_length = {length: tuple(entry for entry in formats if length in entry[1].lengths) for length in lengths}
        object.__setattr__(self, "_by_length", by_length)

    def __repr__(self) -> str:
        return f"Schemes({' '.join(scheme.country for scheme in self.members)})"

    def __iter__(self) -> Iterator[PlateScheme]:
        """The schemes in order."""
        return iter(self.members)

    @property
    def characters(self) -> frozenset[str]:
        """All characters that the plates use, in Latin spelling."""
        return frozenset[str]().union(*(one.characters for one in self.members))

    def fit(self, text: str, *, lines: Lines | None = None, countries: Collection[str] | None = None) -> TextFit:
        """What a text is: country, type and region.

        A region code that is in use tells types and countries apart: ``AA123477`` is a Russian trailer (region 77),
        although a taxi of a region 477 would read the same. What nothing tells apart has no country.

        Args:
            text: plate text in Latin spelling, without spaces.
            lines: only types with so many lines, which tells a motorcycle from a military car; None for all.
            countries: only types of these countries, by ISO 3166 code; None for all.
        """
        return _fit(self, text, lines, None if countries is None else frozenset(countries))

    def fits(
        self, text: str, *, lines: Lines | None = None, countries: frozenset[str] | None = None
    ) -> tuple[tuple[PlateScheme, PlateFormat], ...]:
        """All types whose pattern the text fits, with their schemes, in order; the arguments are those of ``fit``.

        Several types share a pattern: motorcycles, tractors and military cars. Shape or colour tells them apart, the
        text cannot. A fallback scheme has a say only where no other has, whatever the number of lines.
        """
        some = (
            entry for entry in self._by_length.get(len(text), ()) if countries is None or entry[0].country in countries
        )
        found = [entry for entry in some if entry[1].matches(text)]
        found = [entry for entry in found if not entry[0].fallback] or found
        return tuple((scheme, one) for scheme, one, line_count in found if lines is None or lines == line_count)

    def to_latin(self, text: str) -> str:
        """Spell a plate that someone typed, in any case and in letters of any of the countries, as the library does."""
        for spelling in _spellings(self):
            text = spelling.to_latin(text)
        return text

    def to_local(self, text: str, *, country: str | None) -> str:
        """Spell a plate as it is printed; in Latin where its country is not known and several have its characters."""
        return _local(self, text, country)


@lru_cache(maxsize=4096)
def _local(schemes: Schemes, text: str, country: str | None) -> str:
    """A text as it is printed; that of one plate is asked for again and again."""
    if country is None:
        able = [scheme for scheme in schemes if scheme.characters.issuperset(text)]
    else:
        able = [scheme for scheme in schemes if scheme.country == country]
    return able[0].to_local(text) if len(able) == 1 else text


@lru_cache(maxsize=64)
def _spellings(schemes: Schemes) -> tuple[Spelling, ...]:
    """Each spelling once, for a list of 100,000 plates: many countries share one."""
    return (Spelling(), *dict.fromkeys(one.spelling for one in schemes if one.spelling.local))


@lru_cache(maxsize=4096)
def _fit(schemes: Schemes, text: str, lines: Lines | None, countries: frozenset[str] | None) -> TextFit:
    """What a text is; one reading asks several times."""
    fits = schemes.fits(text, lines=lines, countries=countries)
    in_use = [(scheme, one) for scheme, one in fits if _in_use(scheme, one, text)]
    likely = in_use or fits
    fitting = tuple(dict.fromkeys(scheme.country for scheme, _ in likely))
    if len(fitting) != 1:
        return TextFit(fitting, region_known=bool(in_use))
    scheme, plate_format = likely[0]
    regions = [scheme.regions[code] for code in plate_format.region_codes(text) if code in scheme.regions]
    region = regions[0] if len(regions) == 1 else None
    return TextFit(fitting, fitting[0], plate_format, region, region_known=bool(in_use))


def _in_use(scheme: PlateScheme, plate_format: PlateFormat, text: str) -> bool:
    """Whether the region code of a text is in use, or there is none."""
    if not plate_format.has_region or not scheme.regions:
        return True
    return any(code in scheme.regions for code in plate_format.region_codes(text))


def _by_name(known: Mapping[str, Named], name: str) -> Named:
    if name not in known:
        raise UnknownNameError(f"name is {name!r}, known are {', '.join(known) or 'none'}.")
    return known[name]
