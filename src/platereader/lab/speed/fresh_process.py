"""What a fresh process does for ``cold_start``: read one picture, tell the time, read on, tell the memory.

``python -m platereader.lab.speed.fresh_process PICTURE ENGINE PRECISION READS`` prints two lines of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Any


def main(words: Sequence[str]) -> None:
    """Read ``words[0]`` with engine ``words[1]`` in precision ``words[2]``, then ``int(words[3])`` times more."""
    picture, engine, precision, reads = words
    steps_s: dict[str, float] = {}
    since_s = time.perf_counter()

    def done(step: str) -> None:
        nonlocal since_s
        now_s = time.perf_counter()
        steps_s[step], since_s = now_s - since_s, now_s

    from platereader.errors import EngineError, MissingDependencyError
    from platereader.media._images import read_image
    from platereader.pipeline import Pipeline

    done("imports")
    frame = read_image(picture)
    done("picture")
    try:
        pipeline = Pipeline.build(engine=engine, precision=precision)
    except (EngineError, MissingDependencyError) as error:
        _tell({"absent": str(error)})
        return
    done("build")
    pipeline.read(frame)
    done("first reading")
    _tell({"steps_s": steps_s})
    for _ in range(int(reads)):
        pipeline.read(frame)
    _tell(memory_mib())


def memory_mib() -> dict[str, float]:
    """MiB that this process holds now, ``rss``, and the most it ever held, ``peak``, as far as the system tells."""
    try:
        with open("/proc/self/status", encoding="utf-8") as file:  # noqa: PTH123 - pathlib is not loaded for it
            status = dict(line.split(":", 1) for line in file)
        return {name: int(status[key].split()[0]) / 1024 for name, key in (("rss", "VmRSS"), ("peak", "VmHWM"))}
    except OSError:
        return _peak_mib()


def _peak_mib() -> dict[str, float]:
    try:
        import resource
    except ImportError:  # Windows
        return {}
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit}


def _tell(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)  # noqa: T201 - the other process reads it


if __name__ == "__main__":
    main(sys.argv[1:])
