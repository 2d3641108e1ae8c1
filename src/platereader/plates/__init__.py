"""What is printed on a plate: a country's plates as data, and known plates. Strings only."""

from platereader.plates._alphabet import ILLEGIBLE, Alphabet
from platereader.plates._characters import Region, Spelling
from platereader.plates._defaults import DEFAULT_SCHEMES, schemes_of
from platereader.plates._formats import LATIN_LETTERS, Colour, Part, PlateFormat
from platereader.plates._grammar import Fit, PlateGrammar
from platereader.plates._known import HasText, KnownMatch, KnownPlates, match_known
from platereader.plates._layout import CountryStrip, Face, Flag, PlateLayout
from platereader.plates._pattern import Cell, Group, Variant
from platereader.plates._schemes import PlateScheme, Schemes, TextFit
from platereader.plates.schemes import (
    ABKHAZIA,
    ARMENIA,
    AZERBAIJAN,
    BELARUS,
    DONETSK,
    GEORGIA,
    KAZAKHSTAN,
    KYRGYZSTAN,
    LATIN,
    LATIN_36,
    LUHANSK,
    MOLDOVA,
    RUSSIA,
    RUSSIAN,
    SOUTH_OSSETIA,
    TAJIKISTAN,
    TRANSNISTRIA,
    UKRAINE,
    UZBEKISTAN,
)

__all__ = [
    "ABKHAZIA",
    "ARMENIA",
    "AZERBAIJAN",
    "BELARUS",
    "DEFAULT_SCHEMES",
    "DONETSK",
    "GEORGIA",
    "ILLEGIBLE",
    "KAZAKHSTAN",
    "KYRGYZSTAN",
    "LATIN",
    "LATIN_36",
    "LATIN_LETTERS",
    "LUHANSK",
    "MOLDOVA",
    "RUSSIA",
    "RUSSIAN",
    "SOUTH_OSSETIA",
    "TAJIKISTAN",
    "TRANSNISTRIA",
    "UKRAINE",
    "UZBEKISTAN",
    "Alphabet",
    "Cell",
    "Colour",
    "CountryStrip",
    "Face",
    "Fit",
    "Flag",
    "Group",
    "HasText",
    "KnownMatch",
    "KnownPlates",
    "Part",
    "PlateFormat",
    "PlateGrammar",
    "PlateLayout",
    "PlateScheme",
    "Region",
    "Schemes",
    "Spelling",
    "TextFit",
    "Variant",
    "match_known",
    "schemes_of",
]
