"""How long the default decoder takes, and the confidence of the characters: on what the shipped reader says of plates.

``python -m benchmarks.decoder_speed`` prints medians in milliseconds a call, on one thread.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

import numpy as np

from platereader import _ctc as ctc
from platereader._arrays import LogProbs
from platereader._defaults import RECOGNIZER_WEIGHTS, default_decoder
from platereader._loading import load_recognizer
from platereader.lab.speed.networks import SpeedReport, benchmark, format_speed
from platereader.lab.training.recognizer.data import PlateBatches
from platereader.plates import RUSSIAN
from platereader.runtimes import RuntimeOptions

PLATES = 512


def posteriors() -> LogProbs:
    """float32 ``(512, T, C)`` of made-up plates of all kinds and severities."""
    rng = np.random.default_rng(0)
    maker = PlateBatches(RUSSIAN, batch_size=1)
    plates = [maker.sample(rng).plate for _ in range(PLATES)]
    return load_recognizer(RECOGNIZER_WEIGHTS, options=RuntimeOptions("torch", "fp32")).recognize(plates)


def main() -> None:
    log_probs, decoder = posteriors(), default_decoder(RUSSIAN)
    texts = [RUSSIAN.encode(found[0].text) if found else [1] for found in decoder.decode(log_probs)]

    def decoding(batch: int) -> Callable[[], object]:
        starts = cycle(range(0, PLATES - batch + 1, batch))

        def call() -> object:
            start = next(starts)
            return decoder.decode(log_probs[start : start + batch])

        return call

    def characters(batch: int) -> Callable[[], object]:
        starts = cycle(range(0, PLATES - batch + 1, batch))

        def call() -> object:
            start = next(starts)
            return ctc.character_posterior_pairs(log_probs[start : start + batch], texts[start : start + batch])

        return call

    timings = benchmark({"decode": decoding, "characters": characters}, batches=(1, 32), threads=(1,), rounds=400)
    print(format_speed(SpeedReport(timings)))


if __name__ == "__main__":
    main()
