"""Recognizers that give a character for each of a fixed number of slots, as fast-plate-ocr's do.

Between two slots stands a time step that is certainly blank, so equal characters of neighbouring slots stay two, and a
slot's padding is that slot's blank. The probability of a text over all CTC alignments is then exactly that over
all ways to leave slots empty, and decoder, trust and fusion work as with any other recognizer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast, final

import numpy as np
from numpy.typing import NDArray

from platereader._arrays import BgrImage, LogProbs
from platereader.errors import ContractError, InvalidArgumentError
from platereader.plates import Alphabet
from platereader.results import PlateImage
from platereader.results._checks import described

_LEAST = 1e-12
_TOLERANCE = 1e-2
"""A sum of probabilities may be so far from one, as that of a network in half precision is."""


@final
@dataclass(frozen=True, slots=True)
class SlotRecognizer:
    """A model of slots as a ``Recognizer``: ``Pipeline.build(recognizer=SlotRecognizer(predict, characters="..._"))``.

    Attributes:
        predict: gives float ``(N, S, K)`` probabilities of N plates, S slots and K classes, after its softmax. It gets
            uint8 ``(H, W, 3)`` BGR pictures of plates of different sizes, never to be written to, and resizes them.
        characters: the K characters in the order of the classes, ``pad`` among them; upper-case Latin letters and
            digits, as the plate formats are spelled.
        pad: the character of an empty slot.

    Raises:
        InvalidArgumentError: ``predict`` is no function, ``pad`` is not one of the characters, there is no other one,
            one stands there twice, or one is in lower case.
    """

    predict: Callable[[Sequence[BgrImage]], NDArray[Any]]
    characters: str
    pad: str = "_"
    alphabet: Alphabet = field(init=False)

    def __post_init__(self) -> None:
        if not callable(cast(object, self.predict)):
            raise InvalidArgumentError(
                f"predict is {described(self.predict)}, expected is a function from pictures to probabilities."
            )
        if not isinstance(cast(object, self.characters), str):
            raise InvalidArgumentError(f"characters is {described(self.characters)}, expected is a text: '0123...Z_'.")
        if len(self.pad) != 1 or self.characters.count(self.pad) != 1:
            raise InvalidArgumentError(
                f"pad is {self.pad!r} and characters are {self.characters!r}: pad is one of the characters."
            )
        letters = self.characters.replace(self.pad, "")
        if letters != letters.upper():
            raise InvalidArgumentError(
                f"characters is {self.characters!r}, expected are upper-case letters, as plates are spelled: pass "
                "characters.upper(), which changes no class."
            )
        object.__setattr__(self, "alphabet", Alphabet(letters))

    def recognize(self, plates: Sequence[PlateImage]) -> LogProbs:
        """float32 ``(N, 2 S - 1, C)``.

        Raises:
            ContractError: ``predict`` gave something else than probabilities of slots.
        """
        slots = self._checked(self.predict([plate.pixels for plate in plates]), count=len(plates))
        blank = self.characters.index(self.pad)
        by_class = np.concatenate([slots[..., [blank]], np.delete(slots, blank, axis=2)], axis=2)  # the blank first
        steps = np.zeros((len(slots), 2 * slots.shape[1] - 1, slots.shape[2]))
        steps[:, :, 0] = 1.0
        steps[:, ::2] = by_class
        log_probs: LogProbs = np.log(np.maximum(steps, _LEAST)).astype(np.float32)
        return log_probs

    def _checked(self, given: object, *, count: int) -> NDArray[np.float64]:
        try:
            slots: NDArray[np.float64] = np.array(given, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ContractError(f"predict gave no array of numbers ({error}): return (N, S, K).") from error
        if slots.ndim != 3 or len(slots) != count or slots.shape[1] < 1 or slots.shape[2] != len(self.characters):
            raise ContractError(
                f"predict gave shape {slots.shape} for {count} plates, expected (N, S, K) = ({count}, S, "
                f"{len(self.characters)}): a row of {len(self.characters)} classes for each slot."
            )
        sums = slots.sum(axis=2)
        if not (np.isfinite(slots).all() and slots.min() >= 0 and np.abs(sums - 1).max() <= _TOLERANCE):
            raise ContractError(
                f"predict gave slots that sum to {sums.min():.3g}..{sums.max():.3g}: return probabilities, the softmax "
                "over the classes of each slot."
            )
        slots /= sums[..., None]
        return slots
