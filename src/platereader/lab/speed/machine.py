"""The machine that figures were measured on: without it a time says nothing."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata

import platereader
from platereader.lab.metrics.json_safe import JsonSafe
from platereader.runtimes._processor import cpu_features, processor_name, usable_cores

_PACKAGES = ("numpy", "opencv-python-headless", "torch", "ultralytics-opencv-headless", "onnxruntime", "openvino")


@dataclass(frozen=True, slots=True)
class Machine(JsonSafe):
    """A processor and what is installed, as versions by distribution.

    ``instructions`` are those that matter here, by their Linux names. ``usable_cores`` are physical ones that this
    process may use, the default thread count of ONNX Runtime and OpenVINO. ``load`` is how many processes wanted to run
    in the last minute, on average, None where the system does not say: figures are worth little if it was far above
    what the run itself needs.
    """

    processor: str
    instructions: tuple[str, ...]
    logical_cores: int
    usable_cores: int
    system: str
    python: str
    packages: Mapping[str, str]
    load: float | None

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
    versions = ((name, version_of(name)) for name in _PACKAGES)
    return Machine(
        processor=processor_name(),
        instructions=cpu_features(),
        logical_cores=os.cpu_count() or 1,
        usable_cores=usable_cores(),
        system=platform.platform(),
        python=platform.python_version(),
        packages={"platereader": platereader.__version__, **{name: found for name, found in versions if found}},
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    )


def version_of(package: str) -> str | None:
    """Version of an installed package, found without importing it; None for none."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
