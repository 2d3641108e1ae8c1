"""Where the time of a frame goes: watched from outside, at the borders between the parts, without timers in them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any, Final, cast

from platereader.pipeline import Pipeline

PLATE_STAGES: Final[tuple[str, ...]] = ("rectify", "prepare", "recognizer network", "decode", "trust")
"""Stages whose work is plates; that of the others is frames."""

STAGES: Final[tuple[str, ...]] = ("letterbox", "detector network", "suppress", *PLATE_STAGES, "rest")
"""What a frame goes through.

``letterbox`` is everything in the detector before its first network, ``suppress`` everything behind it but the second
one: decoding, crops, non-maximum suppression, the way back to pixels of the frame. ``prepare`` is everything in the
recognizer but its network. ``rest`` is what lies between the parts: checks and sorting. Together they are all the time.
"""


class Stopwatch:
    """Adds up the time of each stage of one frame; every moment belongs to the stage that was entered last."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self.start()

    def start(self) -> None:
        """Begin anew."""
        self._seconds: dict[str, float] = dict.fromkeys(STAGES, 0.0)
        self._stage = "rest"
        self._since_s = self._clock()

    def enter(self, stage: str) -> None:
        """From now on it is this stage's time."""
        now_s = self._clock()
        self._seconds[self._stage] += now_s - self._since_s
        self._stage, self._since_s = stage, now_s

    def stop(self) -> dict[str, float]:
        """Seconds of each stage since ``start``."""
        self.enter("rest")
        return self._seconds


def watched(pipeline: Pipeline, stopwatch: Stopwatch) -> Pipeline:
    """The same pipeline, whose parts tell ``stopwatch`` when work passes from one to the next.

    Meant for ``read`` of one frame at a time. A detector or recognizer with unknown networks counts as its network.
    """

    def watch(part: object, verb: str, *, during: str, after: str = "rest") -> Any:
        return _Watched(part, verb, stopwatch, during=during, after=after)

    def with_network(part: Any, verb: str, *, network: str, before: str, behind: str) -> Any:
        def with_runtime(part: Any) -> Any:
            return replace(part, runtime=watch(part.runtime, "run", during=network, after=behind))

        if hasattr(part, "finder"):
            part = replace(part, finder=with_runtime(part.finder), refiner=with_runtime(part.refiner))
        elif hasattr(part, "runtime"):
            part = with_runtime(part)
        else:
            return watch(part, verb, during=network)
        return watch(part, verb, during=before)

    parts = replace(
        pipeline.parts,
        detector=with_network(
            pipeline.detector, "detect", network="detector network", before="letterbox", behind="suppress"
        ),
        rectifier=watch(pipeline.rectifier, "rectify", during="rectify"),
        recognizer=with_network(
            pipeline.recognizer, "recognize", network="recognizer network", before="prepare", behind="prepare"
        ),
        decoder=watch(pipeline.decoder, "decode", during="decode"),
        trust=watch(pipeline.trust, "judge", during="trust"),
    )
    return replace(pipeline, parts=parts)


class _Watched:
    """A part whose one verb tells a stopwatch the stages during and after it; everything else is the part's own."""

    def __init__(self, part: object, verb: str, stopwatch: Stopwatch, *, during: str, after: str) -> None:
        call = cast("Callable[..., object]", getattr(part, verb))

        @wraps(call)
        def timed(*arguments: object, **options: object) -> object:
            stopwatch.enter(during)
            try:
                return call(*arguments, **options)
            finally:
                stopwatch.enter(after)

        self._part = part
        setattr(self, verb, timed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._part, name)
