"""What was measured as the fastest, kept in a file until the processor, the engines or the weights are others."""

from __future__ import annotations

import functools
import json
import warnings
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from platereader._files import is_file, make_folder, read_bytes, write_json
from platereader.errors import FileError
from platereader.runtimes._options import Engine, Precision
from platereader.runtimes._processor import cpu_features, processor_name
from platereader.runtimes._selection import RuntimeSpec, engine_versions

FILE_NAME: Final = "fastest.json"
"""Of the file in the cache folder."""

CACHE_ADVICE: Final = "name another cache folder, as by XDG_CACHE_HOME on Linux"
"""What to do where that folder cannot be made."""

_LIMIT_BYTES = 1 << 16


class Fastest(NamedTuple):
    """How a network runs fastest; ``weights`` are the sha256 of all files of its model."""

    engine: Engine
    precision: Precision
    weights: Collection[str]


def keep(path: Path, networks: Mapping[str, Fastest]) -> None:
    """Write how networks run fastest, by the kind of their weights; the folder is made if missing."""
    make_folder(path.parent, advice=CACHE_ADVICE)
    measured = {kind: {**one._asdict(), "weights": sorted(one.weights)} for kind, one in networks.items()}
    write_json(path, {**_machine(), "networks": measured})


def kept_spec(path: Path, kind: str, *, weights: Collection[str], allowed: Sequence[RuntimeSpec]) -> RuntimeSpec | None:
    """How the network of some weights runs fastest; None where that was not measured with these here.

    A file that is damaged, or was not written by ``keep``, is as good as none: a warning says so once.
    """
    if not is_file(path):
        return None
    try:
        found: Any = json.loads(read_bytes(path, limit_bytes=_LIMIT_BYTES, what="the kept measurement"))
        network = found["networks"][kind]
        known = {name: found[name] for name in _machine()}
        if known != _machine() or sorted(network["weights"]) != sorted(weights):
            return None
        way = network["engine"], network["precision"]
        return next(spec for spec in allowed if (spec.engine, spec.precision) == way)
    except (FileError, KeyError, RecursionError, StopIteration, TypeError, ValueError) as error:
        _warn(f"{path} is ignored, as it is damaged or holds something else ({type(error).__name__})")
        return None


def _machine() -> dict[str, object]:
    """What a measurement holds for."""
    return {
        "processor": processor_name(),
        "instructions": list(cpu_features()),
        "engines": dict(engine_versions()),
    }


@functools.cache
def _warn(what: str) -> None:
    advice = "`platereader benchmark --choose` measures again, with --forget it removes the file."
    warnings.warn(f"{what}: {advice}", RuntimeWarning, stacklevel=2)
