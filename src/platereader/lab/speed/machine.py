"""The machine that figures were measured on: without it a time says nothing."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any

import platereader
from platereader.runtimes._processor import cpu_features, processor_name, usable_cores

_PACKAGES = (
    "numpy",
    "opencv-python-headless",
    "torch",
    "ultralytics-opencv-headless",
    "onnxruntime",
    "openvino",
)


@dataclass(frozen=True, slots=True)
class Machine:
    """A processor and what is installed.

    Attributes:
        processor: its name.
        instructions: those that matter here, by their Linux names.
        logical_cores: as the system counts them.
        usable_cores: physical ones that this process may use; the default thread count of ONNX Runtime and OpenVINO.
        system: operating system.
        python: version.
        packages: versions by distribution, of those that are installed.
        load: processes that wanted to run in the last minute, on average; None where the system does not say. Figures
            are worth little if it was far above what the run itself needs.
    """

    processor: str
    instructions: tuple[str, ...]
    logical_cores: int
    usable_cores: int
    system: str
    python: str
    packages: Mapping[str, str]
    load: float | None

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe form."""
        return asdict(self)

    def lines(self) -> list[str]:
        """The same for people."""
        load = "" if self.load is None else f", load {self.load:.1f} at the start"
        cores = f"{self.logical_cores} logical cores, {self.usable_cores} usable"
        versions = ", ".join(f"{name} {version}" for name, version in self.packages.items())
        return [
            f"{self.processor}, {' '.join(self.instructions) or 'no instructions that matter'}, {cores}{load}",
            f"python {self.python} on {self.system}, {versions}",
        ]


def this_machine() -> Machine:
    """The machine that this process runs on; no engine is loaded."""
    return Machine(
        processor=processor_name(),
        instructions=cpu_features(),
        logical_cores=os.cpu_count() or 1,
        usable_cores=usable_cores(),
        system=platform.platform(),
        python=platform.python_version(),
        packages={"platereader": platereader.__version__, **_versions()},
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    )


def _versions() -> dict[str, str]:
    """Versions of the installed packages that matter for speed, found without importing them."""
    found = {name: version_of(name) for name in _PACKAGES}
    return {name: version for name, version in found.items() if version is not None}


def version_of(package: str) -> str | None:
    """Version of an installed package, found without importing it; None for none."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
