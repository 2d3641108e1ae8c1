"""What is printed on a plate: characters, types and region codes, and known plates. Strings only, no pictures."""

from platereader.plates._alphabet import ILLEGIBLE, RUSSIAN, Alphabet, to_cyrillic, to_latin
from platereader.plates._formats import by_name, format_of, sample_text
from platereader.plates._gost import FORMATS, formats_of
from platereader.plates._grammar import PlateGrammar, russian_grammar
from platereader.plates._known import KnownMatch, KnownPlates, match_known
from platereader.plates._layout import Colour, Group, Part, PlateFormat
from platereader.plates._regions import Region, known_codes, region_by_code, region_known, region_of

__all__ = [
    "FORMATS",
    "ILLEGIBLE",
    "RUSSIAN",
    "Alphabet",
    "Colour",
    "Group",
    "KnownMatch",
    "KnownPlates",
    "Part",
    "PlateFormat",
    "PlateGrammar",
    "Region",
    "by_name",
    "format_of",
    "formats_of",
    "known_codes",
    "match_known",
    "region_by_code",
    "region_known",
    "region_of",
    "russian_grammar",
    "sample_text",
    "to_cyrillic",
    "to_latin",
]
