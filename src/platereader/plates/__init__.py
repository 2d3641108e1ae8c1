"""What is printed on a plate: a country's plates as data, and known plates. Strings only."""

from platereader.plates._alphabet import ILLEGIBLE, Alphabet
from platereader.plates._defaults import DEFAULT_SCHEMES
from platereader.plates._formats import LATIN_LETTERS, Colour, Part, PlateFormat
from platereader.plates._grammar import Fit, PlateGrammar
from platereader.plates._known import HasText, KnownMatch, KnownPlates, match_known
from platereader.plates._layout import PlateLayout
from platereader.plates._pattern import Cell, Group, Variant
from platereader.plates._regions import Region
from platereader.plates._russia import RUSSIA, RUSSIAN
from platereader.plates._schemes import PlateScheme, Schemes, TextFit
from platereader.plates._spelling import Spelling

__all__ = [
    "DEFAULT_SCHEMES",
    "ILLEGIBLE",
    "LATIN_LETTERS",
    "RUSSIA",
    "RUSSIAN",
    "Alphabet",
    "Cell",
    "Colour",
    "Fit",
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
]
