"""What the reader is taught to say of a picture of a plate: its text, and which ends and which mark can be seen.

A text alone would not do: a plate whose last digit is hidden shows another legal text. So each end is a class of its
own that is taught only where nothing is missing there, and so is the national mark of each country.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from platereader.plates import PlateLayout
from platereader.plates._alphabet import ILLEGIBLE

LEFT_END: Final = "["
RIGHT_END: Final = "]"

Tokens = tuple[str, ...]
"""Characters, ``?`` for a run of illegible ones, the codes of countries for their marks, and the two ends."""


class Mark(NamedTuple):
    """The mark of a country, and how many characters are read before it."""

    country: str
    place: int


def mark_of(country: str, layout: PlateLayout, text: str) -> Mark | None:
    """The mark that a plate of this country and layout with that text carries; None for one without."""
    strip = layout.strip
    if layout.country_mark or (strip is not None and strip.at in ("right", "field")):
        return Mark(country, len(text))
    if strip is None:
        return None
    upper = sum(len(part.text) for part in layout.plate_format.split(text) if part.line == 0)
    return Mark(country, upper if strip.lines == "lower" and layout.line_count == 2 else 0)


def tokens_of(text: str, *, legible: Sequence[bool], ends: tuple[bool, bool], mark: Mark | None = None) -> Tokens:
    """What can be seen of a plate with that text, some characters of it ``legible``, nothing missing at some ``ends``.

    A mark beside a missing end or beside a hidden character is not seen.
    """
    if mark is not None and not _mark_seen(mark, legible=legible, ends=ends):
        mark = None
    tokens = [LEFT_END] if ends[0] else []
    for place, (char, clear) in enumerate(zip(text, legible, strict=True)):
        if mark is not None and mark.place == place:
            tokens.append(mark.country)
        if clear:
            tokens.append(char)
        elif not tokens or tokens[-1] != ILLEGIBLE:
            tokens.append(ILLEGIBLE)
    if mark is not None and mark.place == len(text):
        tokens.append(mark.country)
    return (*tokens, RIGHT_END) if ends[1] else tuple(tokens)


def masked(text: str, legible: Sequence[bool]) -> str:
    """The text with one ``?`` for each run of characters that are not legible."""
    return text_of(tokens_of(text, legible=legible, ends=(False, False)))


def _mark_seen(mark: Mark, *, legible: Sequence[bool], ends: tuple[bool, bool]) -> bool:
    """Whether nothing is hidden beside a mark: what covers the last digit covers the RUS below it, too."""
    if (mark.place == 0 and not ends[0]) or (mark.place == len(legible) and not ends[1]):
        return False
    return all(legible[min(mark.place, len(legible) - 1) :][:1])


def plain_tokens(text: str) -> Tokens:
    """A whole plate without a mark."""
    return (LEFT_END, *text, RIGHT_END)


def text_of(tokens: Tokens) -> str:
    """The text alone, ``?`` for what is illegible."""
    return "".join(token for token in tokens if len(token) == 1 and token not in (LEFT_END, RIGHT_END))
