"""Ways to run a network, an engine and a precision each, and which of them suit this machine and what was asked for."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Final, NamedTuple

from platereader.errors import EngineError
from platereader.runtimes import Engine, Precision
from platereader.runtimes._processor import cpu_features

__all__ = ["ENGINES", "Asked", "Way", "check_asked", "installed_engines", "suitable_ways"]

ENGINES: Final[dict[Engine, tuple[Precision, ...]]] = {
    "openvino": ("int8", "fp32", "bf16"),
    "onnx": ("int8", "fp32"),
    "torch": ("int8", "fp32", "bf16"),
}
"""Precisions of each engine."""

_PACKAGES: dict[Engine, str] = {"openvino": "openvino", "onnx": "onnxruntime", "torch": "torch"}


class Way(NamedTuple):
    """How a network can run.

    Attributes:
        engine: what runs it.
        precision: number format of its arithmetic.
        needs: instructions of which the processor must have one for ``auto`` to take this way; empty for none.
        only_asked: whether ``auto`` never takes it.
    """

    engine: Engine
    precision: Precision
    needs: tuple[str, ...] = ()
    only_asked: bool = False


class Asked(NamedTuple):
    """What the caller wants.

    Attributes:
        engine: an engine or ``auto``.
        precision: a precision or ``auto``.
        threads: of each network; None for the engine's choice.
        device: ``cpu``, or what torch calls another one.
    """

    engine: str = "auto"
    precision: str = "auto"
    threads: int | None = None
    device: str = "cpu"


def check_asked(asked: Asked) -> None:
    """Raise if no network could ever run this way.

    Raises:
        EngineError: unknown words, or an engine that does not offer the precision or the device.
    """
    engine, precision, _, device = asked
    offered = {name: formats for name, formats in ENGINES.items() if engine in {"auto", name}}
    if not offered:
        raise EngineError(f"engine is {engine!r}, allowed are 'auto' and {sorted(ENGINES)}.")
    formats = {one for several in offered.values() for one in several}
    if precision not in {"auto", *formats}:
        raise EngineError(
            f"engine {engine!r} does not offer precision {precision!r}, allowed are {['auto', *sorted(formats)]}."
        )
    if device != "cpu" and ("torch" not in offered or precision == "int8"):
        raise EngineError(
            f"device is {device!r} with engine {engine!r} and precision {precision!r}: devices other than 'cpu' go "
            "with engine 'torch' and precision 'fp32' or 'bf16'."
        )


def installed_engines() -> tuple[Engine, ...]:
    """Engines whose packages are installed; nothing is imported."""
    return tuple(engine for engine, package in _PACKAGES.items() if importlib.util.find_spec(package) is not None)


def suitable_ways(ways: Sequence[Way], asked: Asked) -> list[Way]:
    """Those of some ways that fit what was asked for, in their order.

    An engine that was asked for is taken to be installed, so that loading it says what is missing. A precision that
    was asked for is taken without regard to the processor.
    """
    engines = installed_engines() if asked.engine == "auto" else (asked.engine,)
    fitting = [way for way in ways if way.engine in engines]
    if asked.device != "cpu":
        fitting = [way for way in fitting if way.engine == "torch" and way.precision != "int8"]
    if asked.precision != "auto":
        return [way for way in fitting if way.precision == asked.precision]
    if asked.device != "cpu":
        return [way for way in fitting if way.precision == "fp32"]
    has = set(cpu_features())
    return [way for way in fitting if not way.only_asked and (not way.needs or has & set(way.needs))]
