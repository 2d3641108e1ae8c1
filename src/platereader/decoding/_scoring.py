"""What both decoders need: the check of what comes in."""

from __future__ import annotations

from platereader._arrays import LogProbs
from platereader.errors import InvalidArgumentError
from platereader.plates._alphabet import Alphabet

__all__ = ["check_log_probs"]


def check_log_probs(log_probs: LogProbs, alphabet: Alphabet) -> None:
    """Refuse posteriors that are not of this alphabet.

    Args:
        log_probs: float32 ``(N, T, C)``.
        alphabet: gives C.

    Raises:
        InvalidArgumentError: another shape.
    """
    if log_probs.ndim != 3 or log_probs.shape[1] < 1 or log_probs.shape[2] != alphabet.size:
        raise InvalidArgumentError(
            f"log_probs has shape {log_probs.shape}, expected (N, T, {alphabet.size}) for the alphabet "
            f"{alphabet.characters!r}: build the decoder with recognizer.alphabet."
        )
