"""The reader as a part of the pipeline: plates in, posteriors over characters out, on any runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from typing_extensions import Self, final

from platereader._arrays import LogProbs
from platereader.errors import EngineError, InvalidArgumentError
from platereader.plates import RUSSIAN, Alphabet
from platereader.recognition._preprocess import INPUT_SIZE_PX, prepare
from platereader.recognition._shape import ConvCtcConfig, shape_from_settings
from platereader.results import PlateImage
from platereader.runtimes import Engine, Precision, Runtime
from platereader.runtimes._exported import SUFFIX, check_torch, exported_runtime

__all__ = ["CtcRecognizer"]


@final
@dataclass(frozen=True, slots=True)
class CtcRecognizer:
    """Reads plates with a network that ends in CTC log probabilities. A ``Recognizer``.

    Attributes:
        runtime: runs float32 ``(N, 1, H, W)`` to ``(N, T, C)``, or ``(N, T, C + 1)`` with the probability that
            something illegible stands there as the last class.
        alphabet: the characters behind the C - 1 classes after the blank.
        size_px: H and W of the network's input.
        batch_size: most plates that run at once, which bounds the memory.

    Raises:
        InvalidArgumentError: a batch or an input of no size.
    """

    runtime: Runtime
    alphabet: Alphabet = RUSSIAN
    size_px: tuple[int, int] = INPUT_SIZE_PX
    batch_size: int = 64

    def __post_init__(self) -> None:
        if self.batch_size < 1 or min(self.size_px) < 1:
            raise InvalidArgumentError(
                f"batch_size={self.batch_size}, size_px={self.size_px}: must be 1 or more; try 64 and {INPUT_SIZE_PX}."
            )

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        *,
        engine: Engine = "torch",
        precision: Precision = "fp32",
        threads: int | None = None,
        device: str = "cpu",
        settings: Mapping[str, Any] | None = None,
    ) -> Self:
        """Load weights and run them with an engine.

        Args:
            path: a safetensors file for ``torch``, an ONNX file for ``onnx`` and ``openvino``.
            engine: what runs it.
            precision: ``int8`` for a file that was quantised; for others ``fp32``, or ``bf16`` with torch and OpenVINO.
            threads: of this network alone, None for all cores; torch has one number for the whole process instead.
            device: ``cpu``, or with torch another one, such as ``cuda``.
            settings: ``alphabet`` (the characters) and fields of ``ConvCtcConfig`` that differ from its defaults, and
                for an ONNX file ``precision``: ``int8`` if it was quantised; ``calibration`` is not looked at here.

        Raises:
            WeightsNotFoundError: there is no such file.
            WeightsCorruptError: another format, or the weights of another network.
            InvalidArgumentError: settings that no network can have.
            EngineError: engine, precision, device and file do not go together.
            MissingDependencyError: the engine is not installed.
        """
        given = settings or {}
        alphabet, config = shape_from_settings(given)
        if Path(path).suffix == SUFFIX and device == "cpu":
            held = str(given.get("precision", "fp32"))
            runtime = exported_runtime(Path(path), engine=engine, precision=precision, held=held, threads=threads)
        else:
            check_torch(path, engine=engine, threads=threads)
            runtime = _torch_runtime(path, precision, config, device=device)
        return cls(runtime, alphabet, (config.height_px, config.width_px))

    def recognize(self, plates: Sequence[PlateImage]) -> LogProbs:
        """Read plates.

        Args:
            plates: N plates, each laid out as one line, of any size; not written to.

        Returns:
            float32 ``(N, T, C)``: natural log probabilities, class 0 the blank. What a time step lacks to a sum of one
            is the probability that something stands there which is none of the characters.
        """
        chunks = [plates[start : start + self.batch_size] for start in range(0, len(plates), self.batch_size)]
        outputs = [self.runtime.run(prepare(chunk, size_px=self.size_px))[0] for chunk in chunks]
        return np.concatenate(outputs)[:, :, : self.alphabet.size]


def _torch_runtime(path: str | Path, precision: Precision, config: ConvCtcConfig, *, device: str) -> Runtime:
    """The network in a file on torch, if the file is one for that precision."""
    from platereader.recognition._network import network_from_file
    from platereader.recognition._quantized import read_int8
    from platereader.runtimes._int8_tensors import precision_of
    from platereader.runtimes._torch import TorchRuntime

    held = precision_of(path)
    if (held == "int8") != (precision == "int8"):
        raise EngineError(
            f"path {str(path)!r} holds {held} weights and precision is {precision!r}: use precision='int8' with the "
            "file that `platereader train quantize` makes, and 'fp32' or 'bf16' with the file it is made from."
        )
    if precision != "int8":
        return TorchRuntime(network_from_file(path, config=config), precision=precision, device=device)
    if device != "cpu":
        raise EngineError(
            f"device is {device!r} and precision 'int8', which runs on the CPU only: use 'fp32' or 'bf16'."
        )
    return read_int8(path, config=config)
