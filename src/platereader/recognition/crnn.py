"""The reader's network: a small residual CNN that halves the picture early, two bidirectional LSTM layers, CTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from typing_extensions import override

from platereader.errors import InvalidArgumentError, WeightsCorruptError
from platereader.runtimes.tensors import read_tensors

__all__ = ["Crnn", "CrnnConfig", "crnn_from_file"]

_STRIDE = 8
"""How many rows of the picture become one before the rest is folded together; columns are joined by 4."""


@dataclass(frozen=True, slots=True)
class CrnnConfig:
    """The shape of the network.

    Attributes:
        classes: number of classes C, blank included.
        height_px: height of the input, a multiple of 8.
        width_px: width of the input, a multiple of 4; the network sees ``width_px / 4`` time steps.
        channels: channels at a half, a quarter and an eighth of the height.
        features: length of the vector that describes one time step.
        hidden: LSTM units for each direction.
        layers: LSTM layers.

    Raises:
        InvalidArgumentError: a size that the strides do not divide.
    """

    classes: int = 24
    height_px: int = 40
    width_px: int = 176
    channels: tuple[int, int, int] = (32, 64, 128)
    features: int = 192
    hidden: int = 128
    layers: int = 2

    def __post_init__(self) -> None:
        if self.height_px % _STRIDE or self.width_px % 4 or min(self.height_px, self.width_px) < _STRIDE:
            raise InvalidArgumentError(
                f"height_px={self.height_px}, width_px={self.width_px}: the height must be a multiple of {_STRIDE} and "
                "the width of 4, at least 8 each; try 40 x 176."
            )

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> CrnnConfig:
        """Build from the settings that travel with a weight file; what they leave out has its default.

        Raises:
            InvalidArgumentError: a name that is not a field, or a size that cannot be.
        """
        names = {field.name for field in fields(cls)}
        unknown = sorted(set(settings) - names)
        if unknown:
            raise InvalidArgumentError(f"settings has {unknown}, allowed are {sorted(names)} and 'alphabet'.")
        values: dict[str, Any] = dict(settings)
        if "channels" in values:  # JSON has no tuples
            values["channels"] = tuple(values["channels"])
        return cls(**values)


class Crnn(nn.Module):
    """Pictures in, log probabilities over characters out.

    About 80 million multiplications a plate at 40 x 176: at full resolution there is only the first, strided
    convolution, because those layers would cost the most and see the least.
    """

    def __init__(self, config: CrnnConfig | None = None) -> None:
        super().__init__()
        config = config or CrnnConfig()
        self.config: CrnnConfig = config
        first, second, third = config.channels
        rows = config.height_px // _STRIDE
        self.cnn: nn.Sequential = nn.Sequential(
            _convolution(1, first, kernel=(5, 5), stride=(2, 2)),  # (N, 32, H/2, W/2)
            _convolution(first, second, stride=(2, 2)),  # (N, 64, H/4, W/4)
            _Residual(second),
            _convolution(second, third, stride=(2, 1)),  # (N, 128, H/8, W/4)
            _Residual(third),
            _convolution(third, config.features, kernel=(rows, 1), padding=(0, 0)),  # (N, F, 1, T)
            _Residual(config.features, kernel=(1, 3)),
        )
        self.dropout: nn.Dropout = nn.Dropout(0.1)
        self.lstm: nn.LSTM = nn.LSTM(config.features, config.hidden, config.layers, bidirectional=True, dropout=0.1)
        self.classify: nn.Linear = nn.Linear(2 * config.hidden, config.classes)

    @override
    def forward(self, pictures: Tensor) -> Tensor:
        """Read a batch.

        Args:
            pictures: float ``(N, 1, H, W)`` as ``preprocess.prepare`` makes them.

        Returns:
            ``(N, T, C)`` log probabilities, T = W / 4.
        """
        columns = cast(Tensor, self.cnn(pictures)).squeeze(2).permute(2, 0, 1)  # (T, N, F)
        states = cast("tuple[Tensor, object]", self.lstm(self.dropout(columns)))[0]  # (T, N, 2 * hidden)
        scores = cast(Tensor, self.classify(states)).transpose(0, 1)  # (N, T, C)
        return torch.log_softmax(scores.float(), dim=-1)  # bfloat16 could not tell 0.996 from 1


def crnn_from_file(path: str | Path, *, config: CrnnConfig) -> Crnn:
    """Load trained weights, ready to read with: the normalisation is folded into the convolutions.

    Args:
        path: safetensors file as training writes it; half precision is widened.
        config: the shape it was trained with.

    Raises:
        WeightsNotFoundError: there is no such file.
        WeightsCorruptError: not safetensors, or the weights of another network.
    """
    with torch.random.fork_rng(devices=[]):  # first weights are drawn, and thrown away
        network = Crnn(config)
    tensors = read_tensors(Path(path))
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise WeightsCorruptError(
            f"path {str(path)!r} does not hold the weights of this network ({reason}): "
            "check the file with `platereader weights verify`, and that the settings are the ones it was trained with."
        ) from error
    return _folded(network.eval())


def _folded(network: Crnn) -> Crnn:
    """Put every batch normalisation into the convolution before it."""
    for module in list(network.modules()):
        first = module[0] if isinstance(module, nn.Sequential) else None
        if isinstance(module, nn.Sequential) and isinstance(first, nn.Conv2d):
            module[0] = fuse_conv_bn_eval(first, cast(nn.BatchNorm2d, module[1]))
            module[1] = nn.Identity()
    return network


class _Residual(nn.Module):
    """A convolution whose result is added to what it saw."""

    def __init__(self, channels: int, *, kernel: tuple[int, int] = (3, 3)) -> None:
        super().__init__()
        self.convolution = _convolution(channels, channels, kernel=kernel)

    @override
    def forward(self, features: Tensor) -> Tensor:
        """(N, C, H, W) to the same."""
        return features + cast(Tensor, self.convolution(features))


def _convolution(
    inputs: int,
    outputs: int,
    *,
    kernel: tuple[int, int] = (3, 3),
    stride: tuple[int, int] = (1, 1),
    padding: tuple[int, int] | None = None,
) -> nn.Sequential:
    """Convolution, batch normalisation, ReLU; padded to keep the size unless told otherwise."""
    around = (kernel[0] // 2, kernel[1] // 2) if padding is None else padding
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, around, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )
