"""An engine and a precision together, and which of some such pairs suit this machine and what the caller chose."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import NamedTuple

from platereader._dependencies import check_installed
from platereader.runtimes._options import Engine, Precision, RuntimeOptions
from platereader.runtimes._processor import cpu_features

_PACKAGES: dict[Engine, str] = {"openvino": "openvino", "onnx": "onnxruntime", "torch": "torch"}


class RuntimeSpec(NamedTuple):
    """How a network can run.

    ``auto`` chooses it where the processor has one of the ``instructions``, or where none are named; and never where it
    is ``explicit_only``.
    """

    engine: Engine
    precision: Precision
    instructions: tuple[str, ...] = ()
    explicit_only: bool = False


def installed_engines() -> tuple[Engine, ...]:
    """Engines whose packages are installed; nothing is imported."""
    return tuple(engine for engine, package in _PACKAGES.items() if importlib.util.find_spec(package) is not None)


def engine_versions() -> dict[Engine, str]:
    """Versions of the installed engines, found without importing them; empty for one that pip knows by another name."""
    return {engine: _version(_PACKAGES[engine]) for engine in installed_engines()}


def _version(package: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def measurable_specs(specs: Sequence[RuntimeSpec]) -> list[RuntimeSpec]:
    """Those that a measurement may find to be the fastest, whatever the processor's instructions make expect."""
    return [spec for spec in specs if not spec.explicit_only]


def suitable_specs(specs: Sequence[RuntimeSpec], options: RuntimeOptions) -> list[RuntimeSpec]:
    """Those of some specs that fit the options, in their order.

    An engine that is named is assumed to be installed, so that loading it says what is missing. A precision that is
    named is used without regard to the processor.
    """
    engines = installed_engines() if options.engine == "auto" else (options.engine,)
    fitting, precision = [spec for spec in specs if spec.engine in engines], options.precision
    if options.device != "cpu":
        check_installed("torch", "safetensors")
        fitting = [spec for spec in fitting if spec.engine == "torch"]
        precision = "fp32" if precision == "auto" else precision
    if precision != "auto":
        return [spec for spec in fitting if spec.precision == precision]
    has = set(cpu_features())
    return [
        spec for spec in fitting if not spec.explicit_only and (not spec.instructions or has & set(spec.instructions))
    ]
