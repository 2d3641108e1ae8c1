"""The reader as a part of the pipeline: plates in, posteriors over characters out, on any runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from typing_extensions import Self, final

from platereader import _ctc as ctc
from platereader._arrays import LogProbs
from platereader.errors import InvalidArgumentError, WeightsCorruptError
from platereader.plates import RUSSIAN, Alphabet
from platereader.recognition._preprocess import INPUT_SIZE_PX, prepare
from platereader.recognition._shape import ConvCtcConfig, shape_of
from platereader.registry import WeightEntry, WeightFile
from platereader.results import PartDescription, PlateImage
from platereader.runtimes import Runtime, RuntimeOptions
from platereader.runtimes._loaded import LoadedRuntime, network_description

if TYPE_CHECKING:
    from torch import Tensor

_LEAST_SEEN = 1e-6


@final
@dataclass(frozen=True, slots=True)
class CtcRecognizer:
    """Reads plates with a network that ends in CTC log probabilities. A ``Recognizer``.

    Attributes:
        runtime: runs float32 ``(N, 3, H, W)`` to ``(N, T, K)``, K the columns of the alphabet, then the left and the
            right end of a plate if ``ends`` says so, and perhaps one class more: something illegible.
        alphabet: the characters behind the classes after the blank, and the marks behind those.
        size_px: H and W of the network's input.
        ends: whether the network sees the ends of a plate. Where there is text and an end of it is not seen, something
            illegible is said to stand there.
        batch_size: most plates that run at once, which bounds the memory.
        weights: what the network was loaded from; None where it is not known.
        note: why it runs with this engine and in this precision.

    Raises:
        InvalidArgumentError: a batch or an input of no size.
    """

    runtime: Runtime
    alphabet: Alphabet = RUSSIAN
    size_px: tuple[int, int] = INPUT_SIZE_PX
    ends: bool = False
    batch_size: int = 64
    weights: WeightEntry | None = None
    note: str | None = None

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
        engine: str = "auto",
        precision: str = "auto",
        threads: int | None = None,
        device: str = "cpu",
        alphabet: Alphabet = RUSSIAN,
        settings: Mapping[str, Any] | None = None,
    ) -> Self:
        """Load a file as it is, without looking it up; ``Pipeline.build(recognizer=path)`` is what most programs need.

        Args:
            path: a safetensors file or an ONNX file.
            engine: ``torch`` runs the one, ``onnx`` and ``openvino`` the other; ``auto`` is ``torch`` or ``onnx``.
            precision: ``int8`` for a file that was quantised; for others ``fp32``, or ``bf16`` with torch and OpenVINO.
            threads: of this network alone, None for all cores; torch has one number for the whole process instead.
            device: ``cpu``, or with torch another one, such as ``cuda``.
            alphabet: the characters that it was trained to tell apart, and its marks, in the order of its classes.
            settings: fields of ``ConvCtcConfig`` that differ from its defaults.

        Raises:
            WeightsNotFoundError: there is no such file.
            WeightsCorruptError: another format, or the weights of another network.
            InvalidArgumentError: settings that no network can have.
            EngineError: engine, precision, device and file do not go together.
            MissingDependencyError: the engine is not installed.
        """
        settings = {**({"marks": list(alphabet.marks)} if alphabet.marks else {}), **(settings or {})}
        weights = WeightFile.read(path, kind="recognizer", settings=settings, alphabet=alphabet.characters)
        return cls.from_weights(weights, options=RuntimeOptions(engine, precision, threads, device))

    @classmethod
    def from_weights(cls, weights: WeightFile, *, options: RuntimeOptions | None = None) -> Self:
        """Load checked weights of the kind ``recognizer``; what is ``auto`` in the options follows from the file.

        Raises:
            WeightsCorruptError: the weights of another network.
            InvalidArgumentError: settings that no network can have.
            EngineError: the options and the file do not go together.
            MissingDependencyError: the engine is not installed.
        """
        alphabet, config = shape_of(weights.entry.settings, alphabet=weights.entry.alphabet)
        runtime = LoadedRuntime(weights, options, partial(_on_torch, config=config))
        if weights.entry.format == "onnx":
            _check_exported(runtime, alphabet, config, name=str(weights.path))
        return cls(runtime, alphabet, config.size_px, config.ends > 0, weights=weights.entry)

    @property
    def description(self) -> PartDescription:
        """What it is and how it runs."""
        return network_description(self, self.runtime, part="recognizer", weights=self.weights, note=self.note)

    @property
    def calibration(self) -> Mapping[str, Any] | None:
        """Of its confidence, as ``trust.Calibration`` has it in JSON; None unless it was fitted in this precision."""
        known = None if self.weights is None else self.weights.calibration
        return known if known is not None and known.get("precision") == self.runtime.precision else None

    def recognize(self, plates: Sequence[PlateImage]) -> LogProbs:
        """Read plates of any size, as ``Recognizer`` says it: float32 ``(N, T, C)``, C the columns of the alphabet."""
        chunks = [plates[start : start + self.batch_size] for start in range(0, len(plates), self.batch_size)]
        outputs = [self.runtime.run(prepare(chunk, size_px=self.size_px))[0] for chunk in chunks]
        log_probs = np.concatenate(outputs)
        columns = self.alphabet.columns
        return _with_ends(log_probs, columns) if self.ends else log_probs[:, :, :columns]


def _with_ends(log_probs: LogProbs, columns: int) -> LogProbs:
    """The columns before those of the ends; an end that is not seen is something illegible in its outermost step.

    ``log_probs`` ``(N, T, K)`` have the left and the right end in ``columns`` and the next column.
    """
    seen = ctc.emitted(log_probs[:, :, columns : columns + 2])  # (N, 2)
    nothing = np.exp(log_probs[:, :, 0].sum(axis=1, dtype=np.float64))  # (N,): where nothing stands, nothing is hidden
    known = np.log(np.clip(seen + nothing[:, None], _LEAST_SEEN, 1.0)).astype(np.float32)
    kept = ctc.joined_with_blank(log_probs[:, :, : columns + 2], kept=columns)
    kept[:, 0] += known[:, :1]
    kept[:, -1] += known[:, 1:]
    return kept


def _check_exported(runtime: Runtime, alphabet: Alphabet, config: ConvCtcConfig, *, name: str) -> None:
    """Refuse an ONNX file that takes other pictures, or gives other classes than the alphabet has."""
    try:
        output = runtime.run(np.zeros((1, 3, *config.size_px), np.float32))[0]
    except Exception as error:
        raise WeightsCorruptError(
            f"{name} does not take pictures of plates of {config.width_px}x{config.height_px} px: it holds another "
            "network, or its description has other settings than it was made with."
        ) from error
    if output.ndim != 3 or output.shape[2] not in {config.classes - 1, config.classes}:
        raise WeightsCorruptError(
            f"{name} gives arrays of shape {output.shape}, and its alphabet {alphabet.characters!r} goes with "
            f"{config.classes} classes: give the alphabet that it was made with."
        )


def _on_torch(tensors: Mapping[str, Tensor], options: RuntimeOptions, name: str, *, config: ConvCtcConfig) -> Runtime:
    from platereader.recognition._network import int8_recognizer, network_from_state
    from platereader.runtimes._torch import TorchRuntime

    if options.precision == "int8":
        return int8_recognizer(tensors, config=config, name=name)
    return TorchRuntime.folded(network_from_state(tensors, config=config, name=name), options)
