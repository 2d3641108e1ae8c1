"""Known plates beside what was read: which plate of a list may be the one that was seen, and how far it is from it.

The distance is an edit distance. A character too many or too few costs 1, and so does one in the place of another, or
less where the two look alike. A reading is never changed.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from platereader.errors import InvalidArgumentError
from platereader.plates._alphabet import ILLEGIBLE
from platereader.plates._defaults import COUNTRIES
from platereader.plates._schemes import PlateScheme, Schemes

SAME_SHAPE = ("0OD",)
"""Characters that a plate prints alike: one in the place of another costs ``SAME_SHAPE_COST``."""

LOOK_ALIKE = (
    "02", "03", "06", "09", "13", "17", "19", "23", "27", "37", "68", "89", "AX", "BP", "CO", "HM", "PY",
    "38", "56", "8B", "1T", "7T",
)  # fmt: skip
"""Characters that are taken for each other when a picture is bad: those of one pair cost ``LOOK_ALIKE_COST``.

First the pairs that the shipped recognizer confused at least three times, both directions together, on its 868
validation plates (``docs/images/confusion-recognizer.png``); then pairs of like shape, which were too rare there.
"""

SAME_SHAPE_COST = 0.25
LOOK_ALIKE_COST = 0.5
_ASCII = 128

GAP_COST = 1.0
"""A character that the other text does not have. One that could not be read (``?``) costs ``LOOK_ALIKE_COST``."""


class HasText(Protocol):
    """What is read of a plate: a ``PlateReading``, a ``TrackedPlate``, or a result of your own.

    Where it has a ``number`` as well, the text as it is registered, that is compared too.
    """

    @property
    def text(self) -> str | None:
        """Latin spelling; None where nothing was legible."""
        ...


@dataclass(frozen=True, slots=True)
class KnownMatch:
    """Known plates that may be the one that was read.

    Attributes:
        read: the text that was read, unchanged, in Latin spelling.
        plates: the nearest known plates, as the list spells them; more than one where several are equally near.
        distance: between ``read``, or the number of the reading, and each of them; 0 where they are equal.
        read_local: ``read`` in the script of its country, as the reading has it; None for a bare text.
        country: of the reading; None where it is not known, and for a bare text. The list knows no countries.
    """

    read: str
    plates: tuple[str, ...]
    distance: float
    read_local: str | None = None
    country: str | None = None

    @property
    def plate(self) -> str | None:
        """The nearest known plate; None where several are equally near."""
        return None if self.is_ambiguous else self.plates[0]

    @property
    def is_ambiguous(self) -> bool:
        """Whether several known plates are equally near."""
        return len(self.plates) > 1

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return {
            "read": self.read,
            "plates": list(self.plates),
            "distance": self.distance,
            "plate": self.plate,
            "read_local": self.read_local,
            "country": self.country,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> KnownMatch:
        """Inverse of ``to_dict``."""
        local, country = data.get("read_local"), data.get("country")  # older documents have neither
        return cls(data["read"], tuple(data["plates"]), data["distance"], local, country)


class KnownPlates:
    """A list of plates, prepared once for many look-ups; not changed by them, so threads may share it.

    Args:
        plates: texts in Latin or a script of the schemes, any case, with or without spaces. A plate that is listed
            twice counts once.
        schemes: of the countries whose letters the list may have, by default of all that ``schemes_of("all")`` gives;
            plates of other countries are compared as well.

    Raises:
        InvalidArgumentError: a plate is no text, is empty, or has a character that no plate has.
    """

    def __init__(self, plates: Iterable[str], *, schemes: Iterable[PlateScheme] = COUNTRIES) -> None:
        if isinstance(plates, str):
            raise InvalidArgumentError(f"plates is the text {plates!r}, expected is a list of texts: [{plates!r}].")
        self._schemes = Schemes.of(schemes)
        self._spelling: dict[str, str] = {}
        for index, plate in enumerate(plates):
            self._spelling.setdefault(_checked(plate, self._schemes, name=f"plates[{index}]"), plate)
        other = sorted({char for text in self._spelling for char in text if not char.isascii()})
        self._codes = {char: code for code, char in enumerate(other, start=_ASCII)}
        self._costs = _cost_table(_ASCII + len(other))
        by_length: dict[int, list[str]] = {}
        for text in self._spelling:
            by_length.setdefault(len(text), []).append(text)
        self._texts = {length: np.array(texts) for length, texts in by_length.items()}
        # uint16 (length, N): column n spells plate n, so that one character of all plates lies together.
        self._columns = {
            length: np.ascontiguousarray(_codes(texts, self._codes).T) for length, texts in by_length.items()
        }

    def to_latin(self, text: str) -> str:
        """The text in the spelling that is compared; ``?`` may stand for a character that could not be read.

        Raises:
            InvalidArgumentError: it has a character that no plate has.
        """
        return _checked(text, self._schemes, name="reading", extra=ILLEGIBLE)

    def __len__(self) -> int:
        """Number of different plates."""
        return len(self._spelling)

    def nearest(self, text: str, *, max_distance: float) -> tuple[tuple[str, ...], float]:
        """The plates nearest to a text of Latin letters, digits and ``?``, as they were spelt, and their distance.

        It is ``max_distance`` at most: there is no plate, and the distance is infinite, where none is as near.
        """
        if text in self._spelling:
            return (self._spelling[text],), 0.0
        best: list[str] = []
        least = max_distance
        for length, columns in self._columns.items():
            if abs(length - len(text)) * GAP_COST > least:
                continue
            rows, distances = _within(_codes([text], self._codes)[0], columns, least, costs=self._costs)
            if not len(rows):
                continue
            nearest = float(distances.min())
            if nearest < least:
                best, least = [], nearest
            best += [str(plate) for plate in self._texts[length][rows[distances == nearest]]]
        return tuple(self._spelling[plate] for plate in sorted(best)), least if best else math.inf


def match_known(
    reading: HasText | str, plates: KnownPlates | Iterable[str], *, max_distance: float = 0.5
) -> KnownMatch | None:
    """The known plate nearest to a reading; the reading itself stays what it is.

    With the default, one look-alike character may differ, or two that are printed alike. A plate that is not listed
    seldom lies within 0.5 of one of 100,000 from all regions, but often of one of as many from a single region
    (``docs/how-to/known-plates.md`` has the figures). So raise it for short lists only, lower it for long ones, and let
    nothing be done for a match at a distance above 0 that a confident reading (``status`` ``read``) contradicts.

    Args:
        reading: what was read, of which text and number are compared, or a text in any case, with or without spaces;
            ``?`` for a character that could not be read.
        plates: the known ones; make a ``KnownPlates`` of them once if you ask more than once, or if they have letters
            of a script of your own.
        max_distance: greatest edit distance of a match, 0 and more.

    Returns:
        None when nothing was read or no known plate is near enough.

    Raises:
        InvalidArgumentError: ``max_distance`` is negative or not finite, a text has characters of no plate, or
            ``reading`` has no text at all.
    """
    if not (math.isfinite(max_distance) and max_distance >= 0):
        raise InvalidArgumentError(f"max_distance is {max_distance}, allowed are finite numbers from 0: try 0.5.")
    text = _text_of(reading)
    if text is None:
        return None
    known = plates if isinstance(plates, KnownPlates) else KnownPlates(plates)
    read = known.to_latin(text)
    number = known.to_latin(getattr(reading, "number", None) or text)
    found = [known.nearest(one, max_distance=max_distance) for one in dict.fromkeys((read, number))]
    distance = min(far for _, far in found)
    nearest = tuple(dict.fromkeys(plate for near, far in found if far == distance for plate in near))
    if not nearest:
        return None
    return KnownMatch(read, nearest, distance, getattr(reading, "text_local", None), getattr(reading, "country", None))


def _within(
    read: NDArray[np.uint16], columns: NDArray[np.uint16], limit: float, *, costs: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Indices of the plates within ``limit``, and their distances.

    The usual table of edit distances, for all plates at once, one character of ``read`` after the other. The least
    number in a row never falls from row to row, so plates above the limit are dropped on the way.
    """
    length, count = columns.shape
    rows: NDArray[np.intp] = np.arange(count, dtype=np.intp)
    gaps = np.arange(length + 1, dtype=np.float32) * GAP_COST
    above = np.repeat(gaps[:, None], count, axis=1)  # (length + 1, plates left)
    for code in read:
        replaced = costs[code][columns]
        here = np.empty_like(above)
        here[0] = above[0] + GAP_COST
        for j in range(length):
            here[j + 1] = np.minimum(np.minimum(above[j] + replaced[j], above[j + 1] + GAP_COST), here[j] + GAP_COST)
        near = here.min(axis=0) <= limit
        rows, columns, above = rows[near], columns[:, near], here[:, near]
    near = above[-1] <= limit
    return rows[near], above[-1][near]


def _checked(text: object, schemes: Schemes, *, name: str, extra: str = "") -> str:
    """A plate in the library's spelling."""
    if not isinstance(text, str):
        raise InvalidArgumentError(f"{name} is a {type(text).__name__}, expected is a plate as text: 'A123BC77'.")
    latin = schemes.to_latin(text)
    plain = latin.isascii() and latin.isalnum()  # most are, and lists are long
    if not plain and not (latin and all(char in extra or _is_latin(char) for char in latin)):
        countries = ", ".join(scheme.country for scheme in schemes if scheme.spelling.local)
        local = f", or letters of {countries} that stand for them" if countries else ""
        raise InvalidArgumentError(
            f"{name} is {text!r}, expected are digits and Latin letters{' and ' * bool(extra)}{extra}{local}: correct "
            "it or leave it out."
        )
    return latin


def _text_of(reading: HasText | str) -> str | None:
    """What was read; a list of readings, as ``Pipeline.read`` gives it, is none."""
    if isinstance(reading, str):
        return reading
    if not hasattr(reading, "text"):
        raise InvalidArgumentError(
            f"reading is a {type(reading).__name__}, expected is one reading, one plate of a stream or a text: ask for "
            "each of several."
        )
    return reading.text


def _is_latin(char: str) -> bool:
    """Whether it is a digit or an upper-case Latin letter, with or without a mark above."""
    return char in "0123456789" or unicodedata.name(char, "").startswith("LATIN CAPITAL LETTER")


def _codes(texts: Sequence[str], others: Mapping[str, int]) -> NDArray[np.uint16]:
    """uint16 ``(N, length)`` of texts of one length: ASCII, or ``others``; ``_ASCII - 1`` for what is in neither."""
    codes = [ord(char) if char.isascii() else others.get(char, _ASCII - 1) for text in texts for char in text]
    return np.array(codes, np.uint16).reshape(len(texts), -1)


def _cost_table(size: int) -> NDArray[np.float32]:
    """float32 ``(size, size)``: what it costs to take one character for another, by their codes."""
    costs = np.ones((size, size), np.float32)
    for groups, cost in ((LOOK_ALIKE, LOOK_ALIKE_COST), (SAME_SHAPE, SAME_SHAPE_COST)):
        for group in groups:
            members = [ord(char) for char in group]
            costs[np.ix_(members, members)] = cost
    costs[ord(ILLEGIBLE)] = costs[:, ord(ILLEGIBLE)] = LOOK_ALIKE_COST
    np.fill_diagonal(costs, 0.0)
    return costs
