"""The evidence of many frames of one plate -> one text: every candidate is scored under every frame.

Fusing posteriors over frames is worth more than any other single step (Goncalves et al., UFPR-SR-Plates); choosing the
most confident frame is not the same, because cut-off plates read confidently.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from platereader import ctc
from platereader.plates.alphabet import Alphabet
from platereader.results import PlateEvidence


@dataclass(frozen=True, slots=True)
class FusedText:
    """A text, and how probable it is given all frames (0 to 1)."""

    text: str
    confidence: float


def fuse(evidence: Sequence[PlateEvidence], alphabet: Alphabet) -> tuple[FusedText, ...]:
    """All candidate texts of all frames, most probable first; empty when no frame has a candidate.

    A text's score is the sum of its log probabilities over the frames divided by the square root of their number:
    frames of one pass share their blur and dirt, so they are not independent witnesses. What is left for all texts
    that are no candidates is scored likewise and lowers every confidence.
    """
    legible = [item for item in evidence if item.candidates]
    texts = sorted({candidate.text for item in legible for candidate in item.candidates})
    if not texts:
        return ()
    labels = [alphabet.encode(text) for text in texts]
    per_frame = np.stack([ctc.log_prob_pairs(item.log_probs[None], labels) for item in legible])  # (F, K)
    other = np.log(np.clip(1.0 - np.exp(per_frame).sum(axis=1), 1e-6, 1.0))  # (F,)
    scores = np.append(per_frame.sum(axis=0), other.sum()) / math.sqrt(len(legible))
    confidence = np.exp(scores - np.logaddexp.reduce(scores))
    order = np.argsort(-confidence[:-1], kind="stable")
    return tuple(FusedText(texts[index], float(confidence[index])) for index in order)
