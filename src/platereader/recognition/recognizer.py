"""The reader as a part of the pipeline: plates in, posteriors over characters out, on any runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import Self, final

from platereader.arrays import LogProbs
from platereader.errors import InvalidArgumentError
from platereader.plates.alphabet import RUSSIAN, Alphabet
from platereader.recognition.preprocess import INPUT_SIZE_PX, prepare
from platereader.results import PlateImage
from platereader.runtimes import Runtime

if TYPE_CHECKING:
    from platereader.runtimes.torch import TorchPrecision

__all__ = ["CrnnRecognizer"]


@final
@dataclass(frozen=True, slots=True)
class CrnnRecognizer:
    """Reads plates with a network that ends in CTC log probabilities. A ``Recognizer``.

    Attributes:
        runtime: runs float32 ``(N, 1, H, W)`` to ``(N, T, C)``.
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
        cls, path: str | Path, *, precision: TorchPrecision = "fp32", settings: Mapping[str, Any] | None = None
    ) -> Self:
        """Load weights from a safetensors file and run them with torch.

        Args:
            path: the file.
            precision: ``fp32`` or ``bf16``.
            settings: ``alphabet`` (the characters) and fields of ``CrnnConfig`` that differ from its defaults.

        Raises:
            WeightsNotFoundError: there is no such file.
            WeightsCorruptError: not safetensors, or the weights of another network.
            InvalidArgumentError: settings that no network can have.
            EngineError: another precision.
        """
        from platereader.recognition.crnn import CrnnConfig, crnn_from_file
        from platereader.runtimes.torch import TorchRuntime

        options = dict(settings or {})
        alphabet = Alphabet(options.pop("alphabet", RUSSIAN.characters))
        config = CrnnConfig.from_settings({**options, "classes": alphabet.size})
        runtime = TorchRuntime(crnn_from_file(path, config=config), precision=precision)
        return cls(runtime, alphabet, (config.height_px, config.width_px))

    def recognize(self, plates: Sequence[PlateImage]) -> LogProbs:
        """Read plates.

        Args:
            plates: N plates, each laid out as one line, of any size; not written to.

        Returns:
            float32 ``(N, T, C)``: natural log probabilities, class 0 the blank.
        """
        chunks = [plates[start : start + self.batch_size] for start in range(0, len(plates), self.batch_size)]
        return np.concatenate([self.runtime.run(prepare(chunk, size_px=self.size_px))[0] for chunk in chunks])
