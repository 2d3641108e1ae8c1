"""The reader as a part of the pipeline: plates in, posteriors over characters out, on any runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import Self, final

from platereader.arrays import LogProbs
from platereader.errors import EngineError, InvalidArgumentError
from platereader.plates.alphabet import RUSSIAN, Alphabet
from platereader.recognition.preprocess import INPUT_SIZE_PX, prepare
from platereader.results import PlateImage
from platereader.runtimes import Precision, Runtime

if TYPE_CHECKING:
    from platereader.recognition.network import ConvCtcConfig

__all__ = ["CtcRecognizer", "shape_from_settings"]


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
        cls, path: str | Path, *, precision: Precision = "fp32", settings: Mapping[str, Any] | None = None
    ) -> Self:
        """Load weights from a safetensors file and run them with torch.

        Args:
            path: the file.
            precision: ``fp32`` or ``bf16`` for a file as training writes it, ``int8`` for one that was quantised.
            settings: ``alphabet`` (the characters) and fields of ``ConvCtcConfig`` that differ from its defaults;
                ``calibration`` is not looked at here.

        Raises:
            WeightsNotFoundError: there is no such file.
            WeightsCorruptError: not safetensors, or the weights of another network.
            InvalidArgumentError: settings that no network can have.
            EngineError: a precision that torch does not offer, or that this file cannot run in.
        """
        alphabet, config = shape_from_settings(settings or {})
        return cls(_torch_runtime(path, precision, config), alphabet, (config.height_px, config.width_px))

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


def shape_from_settings(settings: Mapping[str, Any]) -> tuple[Alphabet, ConvCtcConfig]:
    """The alphabet and the shape of the network in the settings that travel with its weights, ``calibration`` aside.

    Raises:
        InvalidArgumentError: settings that no network can have.
    """
    from platereader.recognition.network import ConvCtcConfig

    options = {name: value for name, value in settings.items() if name != "calibration"}
    alphabet = Alphabet(options.pop("alphabet", RUSSIAN.characters))
    return alphabet, ConvCtcConfig.from_settings({**options, "characters": len(alphabet.characters)})


def _torch_runtime(path: str | Path, precision: Precision, config: ConvCtcConfig) -> Runtime:
    """The network in a file on torch, if the file is one for that precision."""
    from platereader.recognition.network import network_from_file
    from platereader.recognition.quantized import precision_of, read_int8
    from platereader.runtimes.torch import TorchRuntime

    held = precision_of(path)
    if (held == "int8") != (precision == "int8"):
        raise EngineError(
            f"path {str(path)!r} holds {held} weights and precision is {precision!r}: use precision='int8' with the "
            "file that `platereader train quantize` makes, and 'fp32' or 'bf16' with the file it is made from."
        )
    if precision == "int8":
        return read_int8(path, config=config)
    return TorchRuntime(network_from_file(path, config=config), precision=precision)
