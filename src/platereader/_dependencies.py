"""Optional packages: which extra installs each of them, and the error where one is missing."""

from __future__ import annotations

import importlib.util
from typing import Final

from platereader.errors import MissingDependencyError

DISTRIBUTION: Final = "platereader-anpr"
"""What pip calls this package."""

EXTRAS: Final = {
    "cv2": None,
    "lap": None,
    "onnxruntime": None,
    "torch": "torch",
    "safetensors": "torch",
    "openvino": "openvino",
    "ultralytics": "ultralytics",
    "matplotlib": "evaluate",
    "motmetrics": "evaluate",
    "onnx": "train",
    "pillow_heif": "heic",
}
"""Extra of each package by the name that it is imported by; None for those that are installed by default."""


def missing_dependency(package: str, *, extra: str | None = None) -> MissingDependencyError:
    """The error for a package that is not installed, with the command that installs it."""
    chosen = extra or EXTRAS[package]
    requirement = DISTRIBUTION if chosen is None else f'"{DISTRIBUTION}[{chosen}]"'
    return MissingDependencyError(
        f"this needs the package {package}, which is not installed: pip install {requirement}.", name=package
    )


def check_installed(*packages: str, extra: str | None = None) -> None:
    """Raise if one of these packages is not installed; nothing is imported."""
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise missing_dependency(package, extra=extra)
