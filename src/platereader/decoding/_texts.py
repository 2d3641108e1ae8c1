"""What both decoders need: texts of many plates as one array of classes, filled up with blanks at their ends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from platereader._arrays import LogProbs
from platereader.errors import InvalidArgumentError
from platereader.plates._alphabet import Alphabet

Texts = NDArray[np.int64]


def check_log_probs(log_probs: LogProbs, alphabet: Alphabet) -> None:
    """Refuse posteriors that are not of this alphabet."""
    if log_probs.ndim != 3 or log_probs.shape[1] < 1 or log_probs.shape[2] != alphabet.size:
        raise InvalidArgumentError(
            f"log_probs has shape {log_probs.shape}, expected (N, T, {alphabet.size}) for the alphabet "
            f"{alphabet.characters!r}: build the decoder with recognizer.alphabet."
        )


def best_paths(log_probs: LogProbs) -> Texts:
    """The text (N, L) of the most probable path of each plate; log_probs float32 ``(N, T, C)``."""
    emitted = np.argmax(log_probs, axis=2).T  # (T, N)
    emitted[1:][emitted[1:] == emitted[:-1]] = 0
    return gathered(emitted)


def gathered(emitted: Texts) -> Texts:
    """What is emitted at each step, (T, B) with blanks for nothing, moved together: (B, L), at least one long."""
    places = np.cumsum(emitted > 0, axis=0)
    step, text = np.nonzero(emitted)
    texts = np.zeros((emitted.shape[1], max(1, int(places.max(initial=0)))), np.int64)
    texts[text, places[step, text] - 1] = emitted[step, text]
    return texts


def side_by_side(one: Texts, other: Texts) -> Texts:
    """The texts (N, P, L) and (N, Q, M) of the same plates: (N, P + Q, max(L, M))."""
    plates, count, length = one.shape
    texts = np.zeros((plates, count + other.shape[1], max(length, other.shape[2])), np.int64)
    texts[:, :count, :length] = one
    texts[:, count:, : other.shape[2]] = other
    return texts


def as_strings(texts: Texts, alphabet: Alphabet) -> list[list[str]]:
    """The characters of texts (N, P, L): for each plate its P strings."""
    characters = np.array(["", *alphabet.characters]).view(np.uint32)
    strings = characters[texts].view(f"U{texts.shape[2]}")[..., 0]
    spelled: list[list[str]] = strings.tolist()
    return spelled
