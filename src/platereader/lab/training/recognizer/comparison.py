"""Whether new weights read as well as old ones: both read the same plates, and each plate is compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from platereader._contracts import checked_decode, checked_recognize
from platereader._ctc import collapse
from platereader.lab.metrics.json_safe import JsonSafe
from platereader.lab.metrics.rates import Z_95, Rate
from platereader.lab.suites.chunks import chunks
from platereader.lab.tables import show_rate
from platereader.lab.training.recognizer.data import Sample, decode_label
from platereader.plates import Alphabet
from platereader.protocols import CTCDecoder, Recognizer
from platereader.recognition._preprocess import prepare
from platereader.recognition._shape import ConvCtcConfig
from platereader.runtimes import Runtime

_CHUNK = 64


@dataclass(frozen=True, slots=True)
class ReadingComparison(JsonSafe):
    """Exact match of one set of plates, before and after, and the plates that only one of both reads right.

    ``margin_points`` may be lost; with more than 0, what may be chance is forgiven, too.
    """

    DERIVED: ClassVar[tuple[str, ...]] = ("is_worse",)

    name: str
    before: Rate
    after: Rate
    lost: int
    won: int
    margin_points: float

    @property
    def is_worse(self) -> bool:
        """Whether more is lost than the margin, and than chance explains (McNemar, Psychometrika 12, 1947)."""
        chance = Z_95 * math.sqrt(self.lost + self.won)
        allowed = max(self.margin_points / 100 * self.before.n, chance) if self.margin_points else 0.0
        return self.lost - self.won > allowed

    def describe(self) -> str:
        """Name, and how many are read right before and after."""
        return f"{self.name} {show_rate(self.before)} right before, {show_rate(self.after)} after"


def compare(name: str, before: Sequence[bool], after: Sequence[bool], *, margin_points: float) -> ReadingComparison:
    """Compare what was right of one set of plates, one value a plate, in the same order."""
    pairs = list(zip(before, after, strict=True))
    return ReadingComparison(
        name,
        before=Rate.of(before),
        after=Rate.of(after),
        lost=sum(old and not new for old, new in pairs),
        won=sum(new and not old for old, new in pairs),
        margin_points=margin_points,
    )


def read_greedily(
    runtime: Runtime, samples: Sequence[Sample], *, alphabet: Alphabet, config: ConvCtcConfig
) -> list[str]:
    """The text of each plate, read greedily, with ``?`` for what is illegible."""
    texts: list[str] = []
    for some in chunks(samples, size=_CHUNK):
        plates = [sample.plate for sample in some]
        (log_probs,) = runtime.run(prepare(plates, size_px=config.size_px))  # (N, T, K)
        paths = log_probs.argmax(axis=2)  # (N, T)
        texts += [decode_label(collapse(path), alphabet=alphabet, ends=config.ends) for path in paths]
    return texts


def read_right(recognizer: Recognizer, decoder: CTCDecoder, samples: Sequence[Sample]) -> list[bool]:
    """Whether the best text of each plate is the labelled one."""
    right: list[bool] = []
    for some in chunks(samples, size=_CHUNK):
        candidates = checked_decode(decoder, checked_recognize(recognizer, [sample.plate for sample in some]).log_probs)
        texts = [found[0].text if found else "" for found in candidates]
        right += [sample.text == text for sample, text in zip(some, texts, strict=True)]
    return right
