"""Which engines there are, in which precisions they compute, and what a caller may choose of both."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Final, Literal, TypeAlias, cast

from platereader.errors import EngineError, InvalidArgumentError

Engine: TypeAlias = Literal["openvino", "onnx", "torch"]
"""What runs a network: OpenVINO, ONNX Runtime or PyTorch."""

Precision: TypeAlias = Literal["int8", "fp32", "bf16"]
"""Number format of the arithmetic. No engine has to offer all of them, nor has every network weights for them."""

ENGINES: Final[dict[Engine, tuple[Precision, ...]]] = {
    "openvino": ("int8", "fp32", "bf16"),
    "onnx": ("int8", "fp32"),
    "torch": ("int8", "fp32", "bf16"),
}
"""Precisions of each engine."""


@dataclass(frozen=True, slots=True)
class RuntimeOptions:
    """How the networks are to run.

    Attributes:
        engine: ``"torch"``, ``"onnx"``, ``"openvino"``, or ``"auto"`` for the fastest installed, for each network.
        precision: ``"int8"``, ``"fp32"``, ``"bf16"``, or ``"auto"`` for the fastest on this processor.
        threads: that each network computes with, 1 or more; None for the engine's choice. Torch has one number for the
            whole process, which is never set here, and takes None only.
        device: ``"cpu"``, or with torch another one, such as ``"cuda"``.

    Raises:
        EngineError: an unknown engine, or one that does not offer the precision or the device.
        InvalidArgumentError: ``threads`` is no whole number, or less than one.
    """

    engine: str = "auto"
    precision: str = "auto"
    threads: int | None = None
    device: str = "cpu"

    def __post_init__(self) -> None:
        offered = {name: formats for name, formats in ENGINES.items() if self.engine in {"auto", name}}
        if not offered:
            raise EngineError(f"engine is {self.engine!r}, allowed are 'auto' and {sorted(ENGINES)}.")
        formats = {one for several in offered.values() for one in several}
        if self.precision not in {"auto", *formats}:
            raise EngineError(
                f"engine {self.engine!r} does not offer precision {self.precision!r}, allowed are "
                f"{['auto', *sorted(formats)]}."
            )
        if self.device != "cpu" and ("torch" not in offered or self.precision == "int8"):
            raise EngineError(
                f"device is {self.device!r} with engine {self.engine!r} and precision {self.precision!r}: devices "
                "other than 'cpu' go with engine 'torch' and precision 'fp32' or 'bf16'."
            )
        whole = isinstance(cast(object, self.threads), Integral) and not isinstance(self.threads, bool)
        if self.threads is not None and not (whole and self.threads >= 1):
            raise InvalidArgumentError(f"threads is {self.threads!r}, allowed is 1 or more, or None for all cores.")
