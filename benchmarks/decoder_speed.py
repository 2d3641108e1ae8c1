"""How long the default decoder takes, and the confidence of the characters: on what the shipped reader says of plates.

``python -m benchmarks.decoder_speed`` prints medians in milliseconds a call, on one thread.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

import numpy as np

from platereader import _ctc as ctc
from platereader._arrays import LogProbs
from platereader._ctc.certain import certain_texts
from platereader._defaults import RECOGNIZER_WEIGHTS, default_decoder
from platereader._loading import load_recognizer
from platereader.decoding._certain import certain_plates
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
    certain = log_probs[[one.plate for one in certain_plates(log_probs, RUSSIAN, count=8)]]
    texts = [RUSSIAN.encode(found[0].text) if found else [1] for found in decoder.decode(log_probs)]
    print(f"{len(certain)} of {PLATES} plates need no search.")

    def of_batches(call: Callable[[slice], object], plates: int = PLATES) -> Callable[[int], Callable[[], object]]:
        def of_size(batch: int) -> Callable[[], object]:
            starts = cycle(range(0, plates - batch + 1, batch))
            return lambda: call(slice(start := next(starts), start + batch))

        return of_size

    calls = {
        "decode": of_batches(lambda some: decoder.decode(log_probs[some])),
        "decode, no search": of_batches(lambda some: decoder.decode(certain[some]), len(certain)),
        "characters": of_batches(lambda some: ctc.character_posterior_pairs(log_probs[some], texts[some])),
        "characters, certain": of_batches(lambda some: certain_texts(certain[some]), len(certain)),
    }
    timings = benchmark(calls, batches=(1, 32), threads=(1,), rounds=400)
    print(format_speed(SpeedReport(timings)))


if __name__ == "__main__":
    main()
