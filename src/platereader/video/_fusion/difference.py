"""Whether two texts are of two plates, or one is misread from the other."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import TypeAlias

from platereader.results import PlateReading

MIN_FRAMES = 3
"""Frames in which each of two texts must stand before they are taken for two plates."""

MIN_CHARACTER = 0.9
"""Least probability of the characters by which two texts differ, in each of these frames."""

MIN_LENGTH = 5
"""Characters of a text that is more than a piece of one."""

_UNLIKE = 4
_FEW = 2

Places: TypeAlias = tuple[int, ...]


def differing_places(first: str, second: str) -> tuple[Places, Places]:
    """The indices of the characters by which two texts differ, in each of them.

    None where one text is a part of the other: a plate that is cut off or half hidden reads so. Where one text has a
    character more in its middle, the characters on both sides count in the other.
    """
    if first in second or second in first:
        return (), ()
    if len(first) == len(second):
        places = tuple(index for index, (a, b) in enumerate(zip(first, second, strict=True)) if a != b)
        return places, places
    blocks = [one for one in SequenceMatcher(None, first, second, autojunk=False).get_opcodes() if one[0] != "equal"]
    of_first = {place for _, i1, i2, _, _ in blocks for place in _span(i1, i2, len(first))}
    of_second = {place for _, _, _, j1, j2 in blocks for place in _span(j1, j2, len(second))}
    return tuple(sorted(of_first)), tuple(sorted(of_second))


def _span(start: int, end: int, length: int) -> range:
    return range(start, end) if end > start else range(max(0, start - 1), min(length, start + 1))


def sure_at(reading: PlateReading, text: str, places: Places) -> bool:
    """Whether a reading has this text and is sure of the characters at these places."""
    characters = reading.characters
    return (
        reading.text == text
        and bool(places)
        and all(place < len(characters) and characters[place].confidence >= MIN_CHARACTER for place in places)
    )


def are_two_plates(
    first: str, of_first: Sequence[PlateReading], second: str, of_second: Sequence[PlateReading], *, frames: int
) -> bool:
    """Whether each of two texts stands in so many readings, surely at the places where they differ."""
    places, others = differing_places(first, second)
    return (
        sum(sure_at(reading, first, places) for reading in of_first) >= frames
        and sum(sure_at(reading, second, others) for reading in of_second) >= frames
    )


def is_unlike(first: str, second: str) -> bool:
    """Whether two texts differ by more than misreading a character or two explains."""
    return all(len(places) >= _UNLIKE for places in differing_places(first, second))


def resembles(first: str | None, second: str | None) -> bool:
    """Whether two texts may be of one plate: one is missing or a piece, or they differ by few characters."""
    if first is None or second is None or min(len(first), len(second)) < MIN_LENGTH:
        return True
    return all(len(places) <= _FEW for places in differing_places(first, second))
