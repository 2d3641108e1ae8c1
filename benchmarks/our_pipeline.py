"""Our pipeline as a candidate, on each engine that is installed."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from typing import Any, cast

import numpy as np

from benchmarks.comparison import Prepared, UnavailableError, timed
from platereader import Pipeline
from platereader._arrays import BgrImage
from platereader._contracts import checked_recognize
from platereader.errors import EngineError, MissingDependencyError

ENGINES = ("torch", "onnx", "openvino")
PRECISIONS = ("auto", "fp32", "bf16", "int8")
_BATCH = 8


def build(engine: str, precision: str, *, threads: int | None = None) -> Pipeline:
    """The default pipeline.

    Raises:
        UnavailableError: this engine is not installed, or has no such precision.
    """
    if threads is not None and engine in {"torch", "auto"} and importlib.util.find_spec("torch") is not None:
        importlib.import_module("torch").set_num_threads(threads)
    try:
        return Pipeline.build(engine=engine, precision=precision, threads=None if engine == "torch" else threads)
    except (EngineError, MissingDependencyError) as error:
        raise UnavailableError(str(error)) from error


def prepared(frame: BgrImage, *, engine: str, precision: str, threads: int) -> Prepared:
    """Get ready in this process.

    Args:
        frame: uint8 ``(H, W, 3)`` BGR.
        engine: as for ``Pipeline.build``.
        precision: likewise.
        threads: of torch; other engines take what they take by default, see ``facts``.
    """
    pipeline = build(engine, precision, threads=threads)
    detections = pipeline.detector.detect([frame])[0]
    plates = pipeline.rectifier.rectify(frame, detections)
    eight = list(islice(cycle(plates), _BATCH))
    size_px = cast("Any", pipeline.recognizer).size_px
    network = cast("Any", pipeline.recognizer).runtime
    batches = {count: np.zeros((count, 3, *size_px), np.float32) for count in (1, _BATCH)}

    def text(count: int) -> Callable[[], object]:
        return lambda: pipeline.decoder.decode(checked_recognize(pipeline.recognizer, eight[:count]).log_probs)

    turn = timed(
        {
            "frame": lambda: pipeline.read(frame),
            "detect": lambda: pipeline.detector.detect([frame]),
            "plates": lambda: pipeline.read_detections(frame, detections),
            "text 1": text(1),
            "text 8": text(_BATCH),
            "net 1": lambda: network.run(batches[1]),
            "net 8": lambda: network.run(batches[_BATCH]),
        },
        per={"plates": len(detections), "text 8": _BATCH, "net 8": _BATCH},
    )
    parts = [part.to_dict() for part in pipeline.describe() if part.engine is not None]
    taken = parts[0]["threads"] if parts else None
    return Prepared(turn, {"plates": len(detections), "threads": taken, "parts": parts})


def chosen(words: Sequence[str]) -> list[tuple[str, str]]:
    """Engines and precisions from words such as ``torch`` or ``openvino:bf16``; ``all`` is every pair."""
    if "all" in words:
        return [(engine, precision) for engine in ENGINES for precision in PRECISIONS]
    pairs = [word.partition(":")[::2] for word in words]
    return [(engine, precision or "auto") for engine, precision in pairs]
